import { checkOptionNames, invalidArgument } from '../errors.js';
import { Random } from './random.js';

/** Options of {@link bucketBatches}. */
export interface BucketOptions {
  /** Texts in a batch. */
  batchSize: number;
  /** Texts to take, as indices in `lengths`; default all. */
  indices?: ArrayLike<number> | undefined;
  /** Number of batches whose texts are sorted by length together. Default 50. 1: the batches are wholly random. */
  window?: number | undefined;
  /** Where the randomness comes from; its state afterwards is that of the next epoch. Default `new Random(0)`. */
  random?: Random | undefined;
}

/** Batches in the order in which they are to be worked off. */
export interface Batches {
  /** The texts of all batches, batch after batch. */
  order: Int32Array;
  /** Number of texts in each batch, one of which may be smaller than the others. */
  batchSizes: Int32Array;
}

/**
 * Puts texts into batches of similar length, in random order: shuffles all, sorts by length within windows of some
 * batches, cuts the windows into batches, and shuffles the batches. Little is padded or done in vain, and still each
 * epoch has other batches.
 *
 * @param lengths - Number of tokens of each text, `[texts]`.
 * @param options - See {@link BucketOptions}.
 * @throws {@link ArgumentError} for options that do not fit or an index beyond `lengths`.
 */
export function bucketBatches(lengths: ArrayLike<number>, options: BucketOptions): Batches {
  checkOptionNames('bucketBatches', options, ['batchSize', 'indices', 'window', 'random']);
  const { batchSize, window = 50, random = new Random(0) } = options;
  if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
    throw invalidArgument('batchSize', 'an integer of at least 1', batchSize);
  }
  if (!Number.isSafeInteger(window) || window < 1) throw invalidArgument('window', 'an integer of at least 1', window);
  const texts = options.indices ? random.shuffle(Int32Array.from(options.indices)) : random.permutation(lengths.length);
  for (let i = 0; i < texts.length; i++) {
    if (!(lengths[texts[i]!]! >= 0)) {
      throw invalidArgument(`indices[${i}]`, `an integer from 0 to ${lengths.length - 1}`, texts[i], 'OUT_OF_RANGE');
    }
  }
  const span = Math.min(window * batchSize, texts.length);
  if (window > 1) {
    for (let from = 0; from < texts.length; from += span) sortByLength(texts.subarray(from, from + span), lengths);
  }

  const count = Math.ceil(texts.length / batchSize);
  const order = new Int32Array(texts.length);
  const batchSizes = new Int32Array(count);
  let at = 0;
  for (const [position, batch] of random.permutation(count).entries()) {
    const members = texts.subarray(batch * batchSize, (batch + 1) * batchSize);
    order.set(members, at);
    at += members.length;
    batchSizes[position] = members.length;
  }
  return { order, batchSizes };
}

/** Sorts indices by their lengths, longest first; those of equal length stay in order. */
function sortByLength(indices: Int32Array, lengths: ArrayLike<number>): void {
  const size = indices.length;
  // Numbers sort natively, several times as fast as with a comparison function: length and place in one.
  const keys = Float64Array.from(indices, (index, place) => -lengths[index]! * size + place).sort();
  const before = indices.slice();
  for (let i = 0; i < size; i++) {
    const key = keys[i]!;
    indices[i] = before[key - Math.floor(key / size) * size]!;
  }
}
