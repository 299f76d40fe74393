/**
 * Names that `getTokenizer` knows: torchtext's `basic_english` (`basicEnglish`), `unicode_words`
 * (`unicodeWords`) and `characters` (`characters`).
 */
export type TokenizerName = 'basic_english' | 'unicode_words' | 'characters';

/** The names, for checks and for messages. */
export const TOKENIZER_NAMES = [
  'basic_english',
  'unicode_words',
  'characters',
] as const satisfies readonly TokenizerName[];

/** Tells whether a value is one of {@link TOKENIZER_NAMES}. */
export function isTokenizerName(name: unknown): name is TokenizerName {
  return TOKENIZER_NAMES.includes(name as TokenizerName);
}
