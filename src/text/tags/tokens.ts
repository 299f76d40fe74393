import { invalidArgument } from '../../core/errors.js';
import { partsOf } from '../parts.js';
import { splitChunk } from '../unicodeWords.js';

/** A token and its position: `text.slice(start, end) === token`. */
export interface TokenInText {
  /** The token, as in the text. */
  token: string;
  /** Index of the first UTF-16 code unit. */
  start: number;
  /** End, exclusive. */
  end: number;
}

/**
 * Splits a text into words with their positions, unchanged: case, accents and character forms are kept. Words follow
 * the rules of Unicode (UAX 29) as in {@link unicodeWords}; punctuation and emoji are separate tokens, and a combining
 * mark stays with the character before it. White space is not part of any token; every other character is in exactly
 * one.
 *
 * A run of 4,096 characters without white space is cut, and so is a word of more than 512.
 *
 * @param text - Any text, including lone surrogates; an empty or blank one gives no tokens.
 * @throws {@link ArgumentError} `INVALID_ARGUMENT` if `text` is not a string.
 *
 * @example
 * ```ts
 * tokensInText('Zoë,  hi'); // [{ token: 'Zoë', start: 0, end: 3 }, { token: ',', start: 3, end: 4 }, { token: 'hi', start: 6, end: 8 }]
 * ```
 */
export function tokensInText(text: string): TokenInText[] {
  if (typeof text !== 'string') throw invalidArgument('text', 'a string', text);
  const tokens: TokenInText[] = [];
  let at = 0;
  for (const part of partsOf(text)) {
    addWords(part, at, tokens);
    at += part.length;
  }
  return tokens;
}

/**
 * Like {@link tokensInText}, in steps of a millisecond at most.
 *
 * @internal
 */
export function* tokenSteps(text: string): Generator<void, TokenInText[], undefined> {
  const tokens: TokenInText[] = [];
  let at = 0;
  for (const part of partsOf(text)) {
    addWords(part, at, tokens);
    at += part.length;
    yield;
  }
  return tokens;
}

/** Adds the words of a part of a text that begins at `at`. */
function addWords(part: string, at: number, tokens: TokenInText[]): void {
  for (const { 0: chunk, index } of part.matchAll(/\S+/gu)) {
    const words: string[] = [];
    splitChunk(chunk, words);
    let start = at + index;
    for (const token of words) {
      tokens.push({ token, start, end: start + token.length });
      start += token.length;
    }
  }
}

/** Characters between two pauses. */
const CHARACTERS_A_STEP = 4_096;

/**
 * Splits a text into its code points with positions, without white space, in steps of a millisecond at most.
 *
 * @internal
 */
export function* characterSteps(text: string): Generator<void, TokenInText[], undefined> {
  const tokens: TokenInText[] = [];
  let at = 0;
  for (const token of text) {
    if (!/^\s$/u.test(token)) {
      tokens.push({ token, start: at, end: at + token.length });
      if (tokens.length % CHARACTERS_A_STEP === 0) yield;
    }
    at += token.length;
  }
  return tokens;
}
