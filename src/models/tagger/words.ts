import { PADDING, UNKNOWN } from '../../text/shape.js';
import type { Vocab } from '../../text/vocab.js';

/** Code units of the longest word that may have a vector of its own: what is longer is no word, and would only fill files. */
const LONGEST = 512;

/** A surrogate without its other half. */
const LONE = /\p{Surrogate}/u;

/** What a token is looked up as. */
export interface WordSettings {
  /** Whether words are looked up in lower case. */
  lowercase: boolean;
}

/**
 * The word under which a token has its own vector. A token that is too long, that has a lone surrogate, which no file can hold, or
 * that spells a special of the vocabulary is an unknown word.
 */
export function wordOf(token: string, { lowercase }: WordSettings): string {
  if (token.length > LONGEST || LONE.test(token)) return UNKNOWN;
  const word = lowercase ? token.toLowerCase() : token;
  return word === PADDING ? UNKNOWN : word;
}

/** Ids of the words of tokens; `known` is how many of them have one. */
export function wordIds(
  tokens: readonly string[],
  vocab: Vocab,
  settings: WordSettings,
): { ids: Int32Array; known: number } {
  const ids = vocab.encode(tokens.map((token) => wordOf(token, settings)));
  let known = 0;
  for (let i = 0; i < ids.length; i++) if (ids[i] !== vocab.defaultIndex) known++;
  return { ids, known };
}
