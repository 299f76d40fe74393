import { invalidArgument } from '../core/errors.js';
import { Turns } from '../core/turns.js';
import { withoutMarks } from './marks.js';
import type { TokenSettings } from './options.js';
import { isAddonTokenizer, TextReader } from './reader.js';
import {
  type BatchTokenizer,
  getTokenizer,
  isBatchTokenizer,
  type Tokenizer,
  type TokenizerLike,
  tokenizeTogether,
} from './tokenizer.js';
import { firstWords, lastWords, wordsInSteps } from './unicodeWords.js';

/** The specials of a model's vocabulary. */
const UNKNOWN = '<unk>';
const PADDING = '<pad>';

/** What a text of more than `maxLength` tokens keeps, and where the gap is: -1 if the tokens are neighbours all along. */
function cut<T>(tokens: readonly T[], { maxLength, truncate }: TokenSettings): { kept: T[]; gap: number } {
  if (tokens.length <= maxLength) return { kept: tokens.slice(), gap: -1 };
  if (truncate === 'head') return { kept: tokens.slice(0, maxLength), gap: -1 };
  if (truncate === 'tail') return { kept: tokens.slice(-maxLength), gap: -1 };
  const head = Math.ceil(maxLength / 2);
  const tail = tokens.slice(tokens.length - (maxLength - head));
  return { kept: [...tokens.slice(0, head), ...tail], gap: head };
}

/** Where pairs, threes and so on begin, as torchtext orders them, and how long they are; none reaches over the gap. */
function* ngramsOf(count: number, ngrams: number, gap: number): Generator<{ from: number; n: number }> {
  for (let n = 2; n <= ngrams; n++) {
    for (let from = 0; from + n <= count; from++) if (from >= gap || from + n <= gap) yield { from, n };
  }
}

function appendNgrams(tokens: string[], ngrams: number, gap: number): void {
  for (const { from, n } of ngramsOf(tokens.length, ngrams, gap)) tokens.push(joined(tokens, from, n));
}

function joined(tokens: readonly string[], from: number, n: number): string {
  let run = tokens[from]!;
  for (let i = from + 1; i < from + n; i++) run += ` ${tokens[i]!}`;
  return run;
}

/** The words of a text as far as they are read: of a long one, some more than those at its ends. */
function readWords(text: string, { maxLength, truncate }: TokenSettings): string[] {
  if (truncate === 'tail') return lastWords(text, maxLength);
  const first = firstWords(text, maxLength + 1);
  if (truncate === 'head' || first.length <= maxLength) return first;
  return [...first, ...lastWords(text, maxLength >> 1)];
}

/** What the settings make of the tokens of a whole text. */
function shape(tokens: readonly string[], settings: TokenSettings): string[] {
  if (!Array.isArray(tokens)) throw invalidArgument("the tokenizer's result", 'an array of strings', tokens);
  const plain = tokens.length <= settings.maxLength && settings.ngrams === 1 && !tokens.includes(PADDING);
  if (plain) return tokens as string[];
  const { kept, gap } = cut(tokens, settings);
  // To a model it is no padding, whose row is zero and never learns, but an unknown word.
  for (let at = kept.indexOf(PADDING); at >= 0; at = kept.indexOf(PADDING, at + 1)) kept[at] = UNKNOWN;
  appendNgrams(kept, settings.ngrams, gap);
  return kept;
}

/**
 * How a model turns a text into tokens, in training as in prediction: the chosen tokenizer, then the cut, then n-grams. A
 * `<unk>` or `<pad>` that a text spells is an unknown word. Marks of no width at the beginning are left out.
 *
 * @returns a {@link TextReader} where the addon reads the texts; where JavaScript does, a function or, if the tokenizer can work
 * away from the event loop, one that can too.
 */
export function modelTokenizer(settings: TokenSettings): TextReader | Tokenizer | BatchTokenizer {
  const { tokenizer, ngrams, maxLength, truncate } = settings;
  if (isAddonTokenizer(tokenizer))
    return new TextReader({ tokenizer, ngrams, maxLength, truncate, masksPadding: true });
  if (tokenizer === 'unicode_words') return (text) => shape(readWords(withoutMarks(text), settings), settings);
  const split = getTokenizer(tokenizer);
  if (!isBatchTokenizer(tokenizer)) return (text) => shape(split(withoutMarks(text)), settings);
  return {
    tokenize: (text) => shape(split(withoutMarks(text)), settings),
    tokenizeMany: async (texts) => {
      const lists = await tokenizeTogether(tokenizer, texts.map(withoutMarks));
      return lists.map((tokens) => shape(tokens, settings));
    },
  };
}

/** A token that a model reads, and the first and the last of the text's own tokens that it is made of. */
export interface ReadToken {
  token: string;
  first: number;
  last: number;
}

/** All tokens of a text; where the tokenizer lets it, the event loop goes round meanwhile. */
async function allTokens(text: string, tokenizer: TokenizerLike): Promise<string[]> {
  if (isBatchTokenizer(tokenizer)) return (await tokenizeTogether(tokenizer, [text]))[0]!;
  if (tokenizer === 'unicode_words') return new Turns().run(wordsInSteps(text));
  return getTokenizer(tokenizer)(text);
}

/**
 * Splits a text as {@link modelTokenizer} does, and keeps what it leaves out.
 *
 * @returns all tokens of the text, and those that the model reads, in its order.
 */
export async function readingOf(text: string, settings: TokenSettings): Promise<{ own: string[]; read: ReadToken[] }> {
  const own = await allTokens(withoutMarks(text), settings.tokenizer);
  if (!Array.isArray(own)) throw invalidArgument("the tokenizer's result", 'an array of strings', own);
  const { kept, gap } = cut([...own.keys()], settings);
  const tokens = kept.map((place) => (own[place] === PADDING ? UNKNOWN : own[place]!));
  const read = tokens.map((token, i) => ({ token, first: kept[i]!, last: kept[i]! }));
  for (const { from, n } of ngramsOf(kept.length, settings.ngrams, gap)) {
    read.push({ token: joined(tokens, from, n), first: kept[from]!, last: kept[from + n - 1]! });
  }
  return { own, read };
}
