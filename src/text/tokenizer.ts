import { invalidArgument } from '../errors.js';
import { basicEnglish } from './basicEnglish.js';

/**
 * Splits a text into tokens. Any function of this form will do, `(text) => text.split(' ')` for one.
 */
export type Tokenizer = (text: string) => string[];

/** Names that {@link getTokenizer} knows. */
export type TokenizerName = 'basic_english';

/**
 * Returns a tokenizer by its torchtext name, or the function itself where one is given.
 *
 * @param tokenizer - `'basic_english'` (the default, see {@link basicEnglish}) or a function.
 * @throws {@link ArgumentError} for another name or a value that is no function.
 *
 * @example
 * ```ts
 * const tokenizer = getTokenizer('basic_english');
 * tokenizer("It's 5 o'clock"); // ['it', "'", 's', '5', 'o', "'", 'clock']
 * ```
 */
export function getTokenizer(tokenizer: TokenizerName | Tokenizer = 'basic_english'): Tokenizer {
  if (typeof tokenizer === 'function') return tokenizer;
  if (tokenizer === 'basic_english') return basicEnglish;
  throw invalidArgument('tokenizer', "'basic_english' or a function from a text to its tokens", tokenizer);
}
