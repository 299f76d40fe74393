import { checkInteger } from '../../core/checks.js';
import { invalidArgument } from '../../core/errors.js';
import { checkOptionNames } from '../../core/options/names.js';
import { Random } from '../../core/random.js';

/** Options of {@link bucketBatches}. */
export interface BucketOptions {
  /** Maximum texts in a batch. */
  batchSize: number;
  /** Maximum tokens in a batch; a single longer text forms its own batch. Default: no limit. */
  tokensPerBatch?: number | undefined;
  /** Texts to use, as indices into `lengths`. Default: all. */
  indices?: ArrayLike<number> | undefined;
  /** Number of batches whose texts are sorted by length together. Default 50. With 1, the batches are fully random. */
  window?: number | undefined;
  /** Random generator; its state afterwards is that for the next epoch. Default `new Random(0)`. */
  random?: Random | undefined;
}

/** Batches in processing order. */
export interface Batches {
  /** The texts of all batches, batch after batch. */
  order: Int32Array;
  /** Number of texts in each batch; without a token budget all are equal except one, which may be smaller. */
  batchSizes: Int32Array;
}

/**
 * Groups texts of similar length into batches, in random order: shuffles all, sorts by length within windows of some
 * batches, cuts the windows into batches, and shuffles the batches. This keeps padding small, while every epoch has
 * different batches.
 *
 * @param lengths - Number of tokens of each text, `[texts]`.
 * @param options - See {@link BucketOptions}.
 * @throws {@link ArgumentError} for invalid options or an index beyond `lengths`.
 *
 * @example
 * ```ts
 * const batches = bucketBatches([3, 9, 3, 8], { batchSize: 2, random: new Random(1) });
 * console.log(batches.order, batches.batchSizes);
 * ```
 */
export function bucketBatches(lengths: ArrayLike<number>, options: BucketOptions): Batches {
  checkOptionNames('bucketBatches', options, ['batchSize', 'tokensPerBatch', 'indices', 'window', 'random']);
  const { batchSize, tokensPerBatch = Number.POSITIVE_INFINITY, window = 50, random = new Random(0) } = options;
  checkInteger('batchSize', batchSize, 1);
  if (tokensPerBatch !== Number.POSITIVE_INFINITY) checkInteger('tokensPerBatch', tokensPerBatch, 1);
  checkInteger('window', window, 1);
  const texts = options.indices ? random.shuffle(Int32Array.from(options.indices)) : random.permutation(lengths.length);
  let tokens = 0;
  for (let i = 0; i < texts.length; i++) {
    if (!(lengths[texts[i]!]! >= 0)) {
      throw invalidArgument(`indices[${i}]`, `an integer from 0 to ${lengths.length - 1}`, texts[i], 'OUT_OF_RANGE');
    }
    tokens += lengths[texts[i]!]!;
  }
  const rows = Math.min(batchSize, Math.max(1, Math.round(tokensPerBatch / Math.max(1, tokens / texts.length))));
  const span = Math.min(window * rows, texts.length);
  if (window > 1) {
    for (let from = 0; from < texts.length; from += span) sortByLength(texts.subarray(from, from + span), lengths);
  }

  const starts = batchStarts(texts, lengths, batchSize, tokensPerBatch);
  const count = starts.length - 1;
  const order = new Int32Array(texts.length);
  const batchSizes = new Int32Array(count);
  let at = 0;
  for (const [position, batch] of random.permutation(count).entries()) {
    const members = texts.subarray(starts[batch], starts[batch + 1]);
    order.set(members, at);
    at += members.length;
    batchSizes[position] = members.length;
  }
  return { order, batchSizes };
}

/** Where each batch begins, followed by the number of texts. */
function batchStarts(texts: Int32Array, lengths: ArrayLike<number>, batchSize: number, budget: number): number[] {
  const starts = [0];
  let tokens = 0;
  for (let i = 0; i < texts.length; i++) {
    const length = lengths[texts[i]!]!;
    const start = starts[starts.length - 1]!;
    if (i > start && (i - start === batchSize || tokens + length > budget)) {
      starts.push(i);
      tokens = 0;
    }
    tokens += length;
  }
  if (texts.length > 0) starts.push(texts.length);
  return starts;
}

/** Sorts indices by their lengths, longest first; equal lengths keep their order. */
function sortByLength(indices: Int32Array, lengths: ArrayLike<number>): void {
  const size = indices.length;
  // Numbers sort natively, several times faster than with a comparison function, so length and index share one number.
  const keys = Float64Array.from(indices, (index, place) => -lengths[index]! * size + place).sort();
  const before = indices.slice();
  for (let i = 0; i < size; i++) {
    const key = keys[i]!;
    indices[i] = before[key - Math.floor(key / size) * size]!;
  }
}
