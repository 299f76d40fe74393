import { invalidArgument } from '../../errors.js';
import type { Tokenizer, TokenizerName } from '../../text/tokenizer.js';
import { integer } from './checks.js';

/** How texts become token ids. */
export interface TextOptions {
  /** Splits a text into tokens. Default `'basic_english'`. A function is not saved: give it again to {@link TextClassifier.load}. */
  tokenizer?: TokenizerName | Tokenizer;
  /** Words seen less often than this become `<unk>`. Default 1. */
  minFreq?: number;
  /** Largest vocabulary, the two specials included. Default: no limit. */
  maxTokens?: number;
  /** Tokens of a text that are read; the rest is cut off. Default 1,000. */
  maxLength?: number;
}

/** {@link TextOptions} with every default filled in. */
export interface TextSettings {
  tokenizer: TokenizerName | Tokenizer;
  minFreq: number;
  maxTokens: number | undefined;
  maxLength: number;
}

/** Names of {@link TextOptions}. */
export const TEXT_NAMES = ['tokenizer', 'minFreq', 'maxTokens', 'maxLength'] as const;

/** Checks {@link TextOptions} and fills in the defaults. */
export function textSettings(options: TextOptions): TextSettings {
  const tokenizer = options.tokenizer ?? 'basic_english';
  if (typeof tokenizer !== 'function' && tokenizer !== 'basic_english') {
    throw invalidArgument('tokenizer', "'basic_english' or a function from text to tokens", tokenizer);
  }
  return {
    tokenizer,
    minFreq: integer('minFreq', options.minFreq ?? 1, 1),
    maxTokens: options.maxTokens === undefined ? undefined : integer('maxTokens', options.maxTokens, 2),
    maxLength: integer('maxLength', options.maxLength ?? 1_000, 1, 1_000_000),
  };
}
