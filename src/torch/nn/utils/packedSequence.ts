import { invalidArgument, mismatch } from '../../../core/errors.js';
import { isTensor, type ToOptions } from '../../tensor/base.js';
import { shapeText, toInt32Array } from '../../tensor/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';

/**
 * Sequences of different lengths without their padding: first the first step of all, then the second step of all that
 * have one, and so on, longest sequence first. Made by `packPaddedSequence` or `packSequence`; a recurrent layer takes
 * it and returns one.
 *
 * Everything but the data lives on the CPU, by type.
 */
export class PackedSequence {
  /** The steps, `[total, ..features]`. */
  readonly data: Tensor;
  /** How many sequences have a first step, a second, and so on: positive, never growing, their sum is `total`. */
  readonly batchSizes: Int32Array;
  /** Which sequence is at each place, longest first; `null` if they were in this order anyway. */
  readonly sortedIndices: Int32Array | null;
  /** At which place each sequence is; the inverse of {@link sortedIndices}. */
  readonly unsortedIndices: Int32Array | null;

  /**
   * @param unsortedIndices - Computed of `sortedIndices` by default.
   * @throws `INVALID_ARGUMENT`, `INVALID_SHAPE` or `OUT_OF_RANGE` if the parts do not fit together.
   */
  constructor(
    data: Tensor,
    batchSizes: Int32Array | readonly number[],
    sortedIndices: Int32Array | readonly number[] | null = null,
    unsortedIndices: Int32Array | readonly number[] | null = null,
  ) {
    if (!isTensor(data)) throw invalidArgument('data of PackedSequence', 'a Tensor', data);
    if (data.ndim === 0) throw mismatch('data of PackedSequence', 'shape [total, ..]', 'shape []', 'INVALID_SHAPE');
    this.data = data;
    // Copies: a caller's change must not make the parts inconsistent later.
    this.batchSizes = toInt32Array('batchSizes of PackedSequence', batchSizes).slice();
    checkBatchSizes(this.batchSizes, data);
    const batch = this.batchSizes[0]!;
    this.sortedIndices =
      sortedIndices === null ? null : toInt32Array('sortedIndices of PackedSequence', sortedIndices).slice();
    if (this.sortedIndices === null) {
      if (unsortedIndices !== null)
        throw invalidArgument('unsortedIndices of PackedSequence', 'none without sortedIndices', unsortedIndices);
      this.unsortedIndices = null;
      return;
    }
    const inverse = invertPermutation('sortedIndices of PackedSequence', this.sortedIndices, batch);
    this.unsortedIndices = inverse;
    if (unsortedIndices !== null) {
      const given = toInt32Array('unsortedIndices of PackedSequence', unsortedIndices);
      if (given.length !== batch || given.some((value, i) => value !== inverse[i])) {
        throw mismatch('unsortedIndices of PackedSequence', `the inverse of sortedIndices, [${inverse}]`, `[${given}]`);
      }
    }
  }

  /** Number of sequences. */
  get batchSize(): number {
    return this.batchSizes[0]!;
  }

  /** The lengths of the sequences, in their original order. */
  lengths(): Int32Array {
    const sorted = sortedLengths(this.batchSizes);
    const { unsortedIndices } = this;
    return unsortedIndices ? Int32Array.from(unsortedIndices, (place) => sorted[place]!) : sorted;
  }

  /** The same sequences with the data in another dtype or on another device. */
  to(options: ToOptions): PackedSequence {
    return new PackedSequence(this.data.to(options), this.batchSizes, this.sortedIndices, this.unsortedIndices);
  }

  /** Gives the memory of the data back. */
  dispose(): void {
    this.data.dispose();
  }

  /** `using packed = packSequence(...)` disposes the data at the end of the block. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/**
 * Lengths, longest first, of batch sizes.
 *
 * @internal
 */
export function sortedLengths(batchSizes: Int32Array): Int32Array {
  const lengths = new Int32Array(batchSizes[0]!);
  for (const size of batchSizes) for (let i = 0; i < size; i++) lengths[i]!++;
  return lengths;
}

/**
 * Inverse of a permutation of `0 .. size - 1`.
 *
 * @internal
 */
export function invertPermutation(name: string, permutation: Int32Array, size: number): Int32Array {
  if (permutation.length !== size) throw mismatch(name, `${size} integers`, `${permutation.length}`, 'INVALID_SHAPE');
  const inverse = new Int32Array(size).fill(-1);
  permutation.forEach((value, i) => {
    if (value < 0 || value >= size || inverse[value] !== -1) {
      throw mismatch(name, `each integer from 0 to ${size - 1} once`, `[${permutation}]`, 'OUT_OF_RANGE');
    }
    inverse[value] = i;
  });
  return inverse;
}

function checkBatchSizes(batchSizes: Int32Array, data: Tensor): void {
  if (batchSizes.length === 0)
    throw mismatch('batchSizes of PackedSequence', 'at least one batch size', 'none', 'INVALID_SHAPE');
  let total = 0;
  let before = Number.MAX_SAFE_INTEGER;
  batchSizes.forEach((size, i) => {
    if (size < 1 || size > before) {
      throw mismatch(
        `batchSizes[${i}] of PackedSequence`,
        i === 0 ? 'a positive integer' : `an integer from 1 to ${before}`,
        `${size}`,
        'OUT_OF_RANGE',
      );
    }
    before = size;
    total += size;
  });
  if (total !== data.shape[0]) {
    throw mismatch(
      'batchSizes of PackedSequence',
      `a sum of ${data.shape[0]}, the rows of data of shape ${shapeText(data.shape)}`,
      `a sum of ${total}`,
      'INVALID_SHAPE',
    );
  }
}
