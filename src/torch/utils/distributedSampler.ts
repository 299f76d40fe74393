import { checkFlag, checkInteger, checkOptions } from '../../core/checks.js';
import { invalidArgument } from '../../core/errors.js';
import { getRank, getWorldSize } from '../distributed/group.js';
import { randomPermutation } from './mersenne.js';

/** Options of {@link DistributedSampler}. */
export interface DistributedSamplerOptions {
  /** Number of shares. Default: the processes of the group. */
  numReplicas?: number | undefined;
  /** Which share, from 0. Default: the rank of this process. */
  rank?: number | undefined;
  /** Whether each epoch has another order. Default true. */
  shuffle?: boolean | undefined;
  /** Seed of the orders, the same on all ranks. Default 0. */
  seed?: number | undefined;
  /** Whether rows at the end are left out until all shares are equal; else rows at the beginning are given twice. Default false. */
  dropLast?: boolean | undefined;
}

/**
 * A rank's share of the rows of a data set, as indices: those of PyTorch's `DistributedSampler`, number for number. All shares have the same
 * length. Call {@link setEpoch} before each epoch, else all have the order of the first.
 *
 * @example
 * ```ts
 * const sampler = new utils.data.DistributedSampler(rows);
 * sampler.setEpoch(1);
 * const loader = new DataLoader(rows, { batchSize: 32, indices: sampler.indices() });
 * ```
 */
export class DistributedSampler implements Iterable<number> {
  /** Number of shares. */
  readonly numReplicas: number;
  /** Which share, from 0. */
  readonly rank: number;
  readonly #rows: number;
  readonly #shuffle: boolean;
  readonly #seed: number;
  readonly #dropLast: boolean;
  #epoch = 0;

  /**
   * @param dataset - An array, or an object with `length`.
   * @throws `ArgumentError` for invalid options, and without `numReplicas` and `rank` where there is no group.
   */
  constructor(dataset: { readonly length: number }, options?: DistributedSamplerOptions) {
    const checked = checkOptions('DistributedSampler', options, ['numReplicas', 'rank', 'shuffle', 'seed', 'dropLast']);
    if (!(Number.isSafeInteger(dataset?.length) && dataset.length >= 0 && dataset.length < 2 ** 31))
      throw invalidArgument('dataset', 'an array or an object with length', dataset);
    const { shuffle = true, seed = 0, dropLast = false } = checked;
    this.numReplicas = checkInteger('numReplicas', checked.numReplicas ?? getWorldSize(), 1);
    this.rank = checkInteger('rank', checked.rank ?? getRank(), 0, this.numReplicas - 1);
    this.#rows = dataset.length;
    this.#shuffle = checkFlag('shuffle', shuffle);
    this.#seed = checkInteger('seed', seed, 0);
    this.#dropLast = checkFlag('dropLast', dropLast);
  }

  /** Rows in this share. */
  get length(): number {
    const share = this.#rows / this.numReplicas;
    return this.#dropLast ? Math.floor(share) : Math.ceil(share);
  }

  /** Sets the number of the epoch, from 0, by which the order differs. */
  setEpoch(epoch: number): void {
    this.#epoch = checkInteger('epoch', epoch, 0);
  }

  /** The indices of this share, in the order of the epoch. */
  indices(): Int32Array {
    const order = this.#shuffle
      ? randomPermutation(this.#rows, this.#seed + this.#epoch)
      : Int32Array.from({ length: this.#rows }, (_, i) => i);
    // Behind the last row the first ones follow again.
    return Int32Array.from({ length: this.length }, (_, i) => order[(this.rank + i * this.numReplicas) % this.#rows]!);
  }

  /** The indices of this share. */
  [Symbol.iterator](): Iterator<number> {
    return this.indices()[Symbol.iterator]();
  }
}
