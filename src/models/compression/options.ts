import { invalidArgument } from '../../core/errors.js';
import { custom, integer, signal } from '../../core/options/kinds.js';
import { option, type TableOf } from '../../core/options/table.js';

/** Bits of a number of a word's vector. */
export type WordBits = 8 | 4 | 2 | 1;

/** What a compressed model may take; at least one of the first three. */
export interface CompressOptions {
  /** Bytes of the model's file, at most. Of all combinations that fit, the one that loses least is taken. */
  maxBytes?: number;
  /**
   * Bits of a number of the words' vectors: 8 or 4, with a scale for each word; 2 or 1 by product codes, a byte for 4 or 8
   * numbers. Default: what fits `maxBytes` best, without that 8.
   */
  bits?: WordBits;
  /**
   * Words that are kept, at most: those that contribute most, by the norm of their vectors and their frequency. The others are read as
   * unknown words. Default: as many as fit `maxBytes`, without that all. Not for language models, which write their words.
   */
  keepWords?: number;
  /** Stops the work, which then rejects with `ABORTED`. */
  signal?: AbortSignal;
}

const BITS: readonly unknown[] = [8, 4, 2, 1];

/** The table of {@link CompressOptions}. */
export const COMPRESS = {
  maxBytes: option(integer(1), { help: 'bytes of the file, at most' }),
  bits: option(
    custom<WordBits>(
      '8, 4, 2 or 1',
      (name, value) => {
        if (!BITS.includes(value)) throw invalidArgument(name, '8, 4, 2 or 1', value);
        return value as WordBits;
      },
      'integer',
    ),
    {
      flag: '<n>',
      help: 'bits of a number of the vectors of words: 8, 4, 2 or 1',
      defaultText: 'what fits best; without a budget 8',
    },
  ),
  keepWords: option(integer(1, 2 ** 31 - 1), {
    flag: '<n>',
    help: 'words that are kept, at most; the others are read as unknown ones',
    defaultText: 'as many as fit; without a budget all',
  }),
  signal: option(signal, { help: 'stops the work' }),
} as const satisfies TableOf<CompressOptions>;
