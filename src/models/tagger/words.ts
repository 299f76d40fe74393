import { PADDING, UNKNOWN } from '../../text/shape.js';
import type { Vocab } from '../../text/vocab.js';

/** Maximum code units of a word with its own vector: anything longer is not a word and would only fill files. */
const LONGEST = 512;

/** A lone surrogate. */
const LONE = /\p{Surrogate}/u;

/** How a token is looked up. */
export interface WordSettings {
  /** Whether words are looked up in lower case. */
  lowercase: boolean;
}

/**
 * The word that a token is looked up as. A token that is too long, has a lone surrogate (which a file cannot store) or
 * spells a special of the vocabulary is an unknown word.
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
