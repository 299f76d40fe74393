import { invalidArgument, mismatch } from '../../../core/errors.js';
import { INSPECT, inspected } from '../../../core/inspected.js';
import { type NativeTensor, torch } from '../../../native/torch.js';
import { isTensor, nativeOf, type ToOptions, wrap } from '../../tensor/base.js';
import { shapeText, toInt32Array } from '../../tensor/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';

/** How sequences are packed. */
interface Parts {
  batchSizes: Int32Array;
  sortedIndices: Int32Array | null;
  unsortedIndices: Int32Array | null;
}

// What the library makes itself need not be checked: its constructor gets this in place of batch sizes.
const MADE_HERE = Symbol('recurra.packed');

let getPlan: (sequence: PackedSequence) => NativeTensor | null;

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
  // The handle that knows how the data is packed. Arrays of it are made when someone asks for them: few do, and from then on they
  // may be written to, so that they count, and are checked at every use.
  readonly #plan: NativeTensor | null = null;
  #parts: Parts | null = null;

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
    if ((batchSizes as unknown) === MADE_HERE) {
      this.data = data;
      this.#plan = nativeOf(data);
      return;
    }
    if (!isTensor(data)) throw invalidArgument('data of PackedSequence', 'a Tensor', data);
    if (data.ndim === 0) throw mismatch('data of PackedSequence', 'shape [total, ..]', 'shape []', 'INVALID_SHAPE');
    this.data = data;
    // Copies: a caller's change must not make the parts inconsistent later.
    const sizes = toInt32Array('batchSizes of PackedSequence', batchSizes).slice();
    checkBatchSizes(sizes, data);
    const batch = sizes[0]!;
    const sorted =
      sortedIndices === null ? null : toInt32Array('sortedIndices of PackedSequence', sortedIndices).slice();
    if (sorted === null) {
      if (unsortedIndices !== null)
        throw invalidArgument('unsortedIndices of PackedSequence', 'none without sortedIndices', unsortedIndices);
      this.#parts = { batchSizes: sizes, sortedIndices: null, unsortedIndices: null };
      return;
    }
    const inverse = invertPermutation('sortedIndices of PackedSequence', sorted, batch);
    if (unsortedIndices !== null) {
      const given = toInt32Array('unsortedIndices of PackedSequence', unsortedIndices);
      if (given.length !== batch || given.some((value, i) => value !== inverse[i])) {
        throw mismatch('unsortedIndices of PackedSequence', `the inverse of sortedIndices, [${inverse}]`, `[${given}]`);
      }
    }
    this.#parts = { batchSizes: sizes, sortedIndices: sorted, unsortedIndices: inverse };
  }

  static {
    getPlan = (sequence) => (sequence.#parts === null ? sequence.#plan : null);
  }

  get #seen(): Parts {
    if (this.#parts === null) {
      const { batchSizes, order } = torch().packedRows(this.#plan!)!;
      const sortedIndices = order ?? null;
      this.#parts = {
        batchSizes,
        sortedIndices,
        unsortedIndices: sortedIndices && invertPermutation('sortedIndices', sortedIndices, sortedIndices.length),
      };
    }
    return this.#parts;
  }

  /** How many sequences have a first step, a second, and so on: positive, never growing, their sum is `total`. */
  get batchSizes(): Int32Array {
    return this.#seen.batchSizes;
  }

  /** Which sequence is at each place, longest first; `null` if they were in this order anyway. */
  get sortedIndices(): Int32Array | null {
    return this.#seen.sortedIndices;
  }

  /** At which place each sequence is; the inverse of {@link sortedIndices}. */
  get unsortedIndices(): Int32Array | null {
    return this.#seen.unsortedIndices;
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

  /** The data as {@link Tensor.toString} shows it, and how it is packed. */
  toString(): string {
    const { batchSizes, sortedIndices, unsortedIndices } = this;
    const list = (indices: Int32Array | null) => (indices ? `[${[...indices].join(', ')}]` : 'null');
    return `PackedSequence(data=${this.data}, batchSizes=${list(batchSizes)}, sortedIndices=${list(sortedIndices)}, unsortedIndices=${list(unsortedIndices)})`;
  }

  /** @internal */
  [INSPECT](): object {
    return inspected(this.toString());
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
 * The sequence of a handle that knows how its rows are packed, as packing and recurrent layers return it.
 *
 * @internal
 */
export function packedOf(native: NativeTensor): PackedSequence {
  return new PackedSequence(wrap(native), MADE_HERE as never);
}

/**
 * The handle that knows how a sequence is packed, unless someone has looked at its parts, which count from then on.
 *
 * @internal
 */
export function planOf(sequence: PackedSequence): NativeTensor | null {
  return getPlan(sequence);
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
