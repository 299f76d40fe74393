import { invalidArgument } from '../core/errors.js';
import { basicEnglish } from './basicEnglish.js';
import { characters } from './characters.js';
import { isTokenizerName, TOKENIZER_NAMES, type TokenizerName } from './names.js';
import { unicodeWords } from './unicodeWords.js';

/**
 * Splits a text into tokens. Any such function works, for example `(text) => text.split(' ')`. It must be
 * deterministic.
 */
export type Tokenizer = (text: string) => string[];

/**
 * A tokenizer that can also split many texts off the event loop; {@link HuggingFaceTokenizer} is one. Data sets are
 * split with `tokenizeMany`, single texts with `tokenize`: both must give the same tokens.
 */
export interface BatchTokenizer {
  /** Tokens of one text, synchronously. */
  tokenize(text: string): string[];
  /** Tokens of each text, in the order of the texts. */
  tokenizeMany(texts: readonly string[]): Promise<string[][]>;
}

const BY_NAME: Readonly<Record<TokenizerName, Tokenizer>> = {
  basic_english: basicEnglish,
  unicode_words: unicodeWords,
  characters,
};

/** A value accepted as a tokenizer. */
export type TokenizerLike = TokenizerName | Tokenizer | BatchTokenizer;

/** Description of a tokenizer, for messages. */
export const TOKENIZER_EXPECTED = `one of ${TOKENIZER_NAMES.map((name) => `'${name}'`).join(', ')}, a HuggingFaceTokenizer, or a function from a text to its tokens`;

/** Tells whether a tokenizer can split many texts off the event loop. */
export function isBatchTokenizer(tokenizer: unknown): tokenizer is BatchTokenizer {
  const { tokenize, tokenizeMany } = Object(tokenizer) as Partial<BatchTokenizer>;
  return typeof tokenizer === 'object' && typeof tokenize === 'function' && typeof tokenizeMany === 'function';
}

/**
 * Returns a tokenizer by its name, or the given function.
 *
 * @param tokenizer - A name (default `'basic_english'`), a function, or a {@link HuggingFaceTokenizer}.
 * @throws {@link ArgumentError} for an unknown name or a value that is not a tokenizer.
 *
 * @example
 * ```ts
 * const tokenizer = getTokenizer('basic_english');
 * tokenizer("It's 5 o'clock"); // ['it', "'", 's', '5', 'o', "'", 'clock']
 * ```
 */
export function getTokenizer(tokenizer: TokenizerLike = 'basic_english'): Tokenizer {
  if (typeof tokenizer === 'function') return tokenizer;
  if (isTokenizerName(tokenizer)) return BY_NAME[tokenizer];
  if (isBatchTokenizer(tokenizer)) return (text) => tokenizer.tokenize(text);
  throw invalidArgument('tokenizer', TOKENIZER_EXPECTED, tokenizer);
}

/**
 * Splits many texts with a tokenizer that may be the user's, and checks the result.
 *
 * @throws {@link ArgumentError} if the result is not a list with one list per text, and any error of the tokenizer.
 */
export async function tokenizeTogether(tokenizer: BatchTokenizer, texts: readonly string[]): Promise<string[][]> {
  const lists = await tokenizer.tokenizeMany(texts);
  if (Array.isArray(lists) && lists.length === texts.length) return lists;
  throw invalidArgument('the result of tokenizeMany', `${texts.length} lists of tokens, one for each text,`, lists);
}
