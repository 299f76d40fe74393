import { integer, oneOf } from '../core/checks.js';
import { getTokenizer, type TokenizerLike } from './tokenizer.js';

/** Which part of a text with more than `maxLength` tokens is read: its beginning, its end, or half of each. */
export type Truncation = 'head' | 'tail' | 'both';

/** How texts become token ids. */
export interface TextOptions {
  /**
   * Splits a text into tokens. Default `'basic_english'`.
   *
   * - `'basic_english'`: torchtext's, for English and what is written like it ({@link basicEnglish}).
   * - `'unicode_words'`: words by Unicode's rules, for any language ({@link unicodeWords}).
   * - `'characters'`: code points ({@link characters}).
   * - a {@link HuggingFaceTokenizer}; it is saved with the model.
   * - a function, or a {@link BatchTokenizer}. These are not saved: give them again to {@link TextClassifier.load}.
   */
  tokenizer?: TokenizerLike;
  /**
   * Longest run of neighbouring tokens that counts as a token of its own: with 2, pairs follow after the tokens of a text
   * ({@link ngramsIterator}), with 3 also threes. They are made of what `maxLength` leaves, so that up to `ngrams` times as
   * many tokens are read. Default 1: none.
   */
  ngrams?: 1 | 2 | 3;
  /** Tokens seen less often than this become `<unk>`. Default 1. */
  minFreq?: number;
  /** Largest vocabulary, the two specials included; the rarest tokens are left out. Default: no limit. */
  maxTokens?: number;
  /** Tokens of a text that are read, n-grams not counted. Default 1,000. */
  maxLength?: number;
  /**
   * Which part of a longer text is read: its first `maxLength` tokens, its last ones, or half of each, of which the beginning
   * gets the odd one. Default `'head'`.
   */
  truncate?: Truncation;
}

/** How a text becomes tokens: what a model keeps of {@link TextOptions}, with every default filled in. */
export interface TokenSettings {
  tokenizer: TokenizerLike;
  ngrams: 1 | 2 | 3;
  maxLength: number;
  truncate: Truncation;
}

/** {@link TextOptions} with every default filled in. */
export interface TextSettings extends TokenSettings {
  minFreq: number;
  maxTokens: number | undefined;
}

/** Names of {@link TextOptions}. */
export const TEXT_NAMES = ['tokenizer', 'ngrams', 'minFreq', 'maxTokens', 'maxLength', 'truncate'] as const;

/** Checks how a text becomes tokens and fills in the defaults. */
export function tokenSettings(options: Pick<TextOptions, keyof TokenSettings>): TokenSettings {
  const { tokenizer = 'basic_english', ngrams = 1, maxLength = 1_000, truncate = 'head' } = options;
  getTokenizer(tokenizer);
  return {
    tokenizer,
    ngrams: integer('ngrams', ngrams, 1, 3) as TokenSettings['ngrams'],
    maxLength: integer('maxLength', maxLength, 1, 1_000_000),
    truncate: oneOf('truncate', truncate, ['head', 'tail', 'both']),
  };
}

/** Checks {@link TextOptions} and fills in the defaults. */
export function textSettings(options: TextOptions): TextSettings {
  const { minFreq = 1, maxTokens } = options;
  return {
    ...tokenSettings(options),
    minFreq: integer('minFreq', minFreq, 1),
    maxTokens: maxTokens === undefined ? undefined : integer('maxTokens', maxTokens, 2),
  };
}
