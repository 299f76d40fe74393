import { getTokenizer, type Tokenizer, type TokenizerName } from '../text/tokenizer.js';

/** How a model turns a text into tokens. */
export interface ReadingSettings {
  tokenizer: TokenizerName | Tokenizer;
  maxLength: number;
}

/** A token that a model reads, and which of the text's own tokens it is made of: several for an n-gram. */
export interface ReadToken {
  token: string;
  first: number;
  last: number;
}

/** How a model reads a text. */
export interface Reading {
  /** All tokens of the text. */
  own: string[];
  /** Those that the model reads, in its order. */
  read: ReadToken[];
}

/** Splits a text as the model does, keeping what it cuts off. */
export function readingOf(text: string, { tokenizer, maxLength }: ReadingSettings): Reading {
  const own = getTokenizer(tokenizer)(text);
  return { own, read: own.slice(0, maxLength).map((token, at) => ({ token, first: at, last: at })) };
}
