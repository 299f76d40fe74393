import { custom, integer } from '../core/options/kinds.js';
import { option, type SettingsOf, settingsOf, type TableOf } from '../core/options/table.js';
import { EXTENT, type Truncation } from './extent.js';
import { TOKENIZER_NAMES } from './names.js';
import { getTokenizer, TOKENIZER_EXPECTED, type TokenizerLike } from './tokenizer.js';

/** How texts become token ids. */
export interface TextOptions {
  /**
   * Splits a text into tokens. Default: `basic_english`; `unicode_words` for scripts without spaces between words
   * (Chinese, Japanese, Thai and others), if they make up at least a tenth of the letters in the first 1,000 texts.
   *
   * - `'basic_english'`: torchtext's, for English and similar languages ({@link basicEnglish}).
   * - `'unicode_words'`: words by Unicode's rules, for any language ({@link unicodeWords}).
   * - `'characters'`: code points ({@link characters}).
   * - a {@link HuggingFaceTokenizer}; it is saved with the model.
   * - a function, or a {@link BatchTokenizer}. These are not saved: pass them again to {@link TextClassifier.load}.
   */
  tokenizer?: TokenizerLike;
  /**
   * Longest run of neighbouring tokens that also counts as a token: with 2, the tokens of a text are followed by pairs
   * ({@link ngramsIterator}), with 3 also by triples. They are made after truncation to `maxLength`, so up to `ngrams`
   * times as many tokens are read. Default 1: none.
   */
  ngrams?: 1 | 2 | 3;
  /** Tokens seen less often than this become `<unk>`. Default 1. */
  minFreq?: number;
  /**
   * Maximum vocabulary size, including the two specials; the rarest tokens are dropped. Default 65,536: word vectors of
   * size 64 then take 17 MB.
   */
  maxTokens?: number;
  /** Maximum tokens read of a text, without n-grams. Default 1,000. */
  maxLength?: number;
  /**
   * Which part of a longer text is read: its first `maxLength` tokens, its last ones, or half of each (the beginning
   * gets the odd one). Default `'head'`.
   */
  truncate?: Truncation;
}

/** The part of {@link TEXT} that a model keeps: how a text becomes tokens. */
export const TOKENS = {
  tokenizer: option(
    custom<TokenizerLike>(TOKENIZER_EXPECTED, (_, value) => {
      getTokenizer(value as TokenizerLike);
      return value as TokenizerLike;
    }),
    {
      default: 'basic_english',
      flag: '<name-or-file>',
      help: 'how texts are split into tokens',
      guide: `how texts are split into tokens: ${TOKENIZER_NAMES.map((name) => `\`'${name}'\``).join(', ')}, a HuggingFace tokenizer, or a function`,
      flagHelp: `how texts are split into tokens: ${TOKENIZER_NAMES.join(', ')}, or the tokenizer.json of a HuggingFace tokenizer`,
    },
  ),
  ...EXTENT,
} as const satisfies TableOf<Pick<TextOptions, 'tokenizer' | 'ngrams' | 'maxLength' | 'truncate'>>;

/** The table of {@link TextOptions}. */
export const TEXT = {
  ...TOKENS,
  tokenizer: {
    ...TOKENS.tokenizer,
    defaultText: 'basic_english; unicode_words for scripts without spaces between words',
  },
  minFreq: option(integer(1, 2 ** 31 - 1), { default: 1, flag: '<n>', help: 'rarer tokens become `<unk>`' }),
  maxTokens: option(integer(2, 2 ** 31 - 1), {
    flag: '<n>',
    help: 'largest vocabulary',
    guide: 'maximum vocabulary size, including the two specials; the rarest tokens are dropped',
    default: 65_536,
  }),
} as const satisfies TableOf<TextOptions>;

/** How a text becomes tokens: what a model keeps of {@link TextOptions}, with every default filled in. */
export type TokenSettings = SettingsOf<typeof TOKENS>;

/** {@link TextOptions} with every default filled in. */
export type TextSettings = SettingsOf<typeof TEXT>;

/** Checks how a text becomes tokens and fills in the defaults. */
export function tokenSettings(options: Pick<TextOptions, keyof TokenSettings>): TokenSettings {
  return settingsOf(TOKENS, options);
}
