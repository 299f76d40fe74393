import { invalidArgument } from '../../core/errors.js';
import { custom, integer, signal } from '../../core/options/kinds.js';
import { option, type TableOf } from '../../core/options/table.js';

/** Bits per element of a word vector. */
export type WordBits = 8 | 4 | 2 | 1;

/** Options of a compression; at least one of the first three is required. */
export interface CompressOptions {
  /** Maximum size of the model file in bytes. Of all combinations that fit, the one that loses least is chosen. */
  maxBytes?: number;
  /**
   * Bits per element of word vectors: 8 or 4, with a scale for each word; 2 or 1 by product codes, a byte for 4 or 8
   * elements. Below 8, the weights of the linear model have 4 bits unless `maxBytes` chooses. Default: the best for `maxBytes`, or 8 if
   * `keepWords` is given alone.
   */
  bits?: WordBits;
  /**
   * Maximum words to keep: those that contribute most, by the norm of their vectors and their frequency. The others are
   * read as unknown words. Default: as many as fit `maxBytes`, or all if `bits` is given alone. Not for language models, which write
   * their words.
   */
  keepWords?: number;
  /** Stops the work, which then rejects with `ABORTED`. */
  signal?: AbortSignal;
}

const BITS: readonly unknown[] = [8, 4, 2, 1];

/** The table of {@link CompressOptions}. */
export const COMPRESS = {
  maxBytes: option(integer(1), { help: 'maximum bytes of the file' }),
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
      help: 'bits per element of word vectors: 8, 4, 2 or 1',
      defaultText: 'the best that fits; 8 if only the number of words is given',
    },
  ),
  keepWords: option(integer(1, 2 ** 31 - 1), {
    flag: '<n>',
    help: 'maximum words to keep; others are read as unknown',
    defaultText: 'as many as fit; all if only the bits are given',
  }),
  signal: option(signal, { help: 'stops the work' }),
} as const satisfies TableOf<CompressOptions>;
