import { Random, type RandomState } from '../core/random.js';
import { bucketBatches } from '../data/sets/bucket.js';
import type { Chunk } from '../engine/engine.js';
import { type Share, WHOLE } from './distributed/share.js';
import type { BatchPlan } from './plan.js';
import type { CommonSettings } from './task.js';

/** Copies the rows with these indices and their targets, in the given order. */
export type Gather = (indices: Int32Array) => Omit<Chunk, 'batchSizes'>;

/**
 * Batches of rows in random order, optionally of similar length. With other ranks, a batch contains the rows of all.
 */
export class EpochPlan implements BatchPlan {
  readonly epoch: number;
  readonly batchSizes: Int32Array;
  readonly next: RandomState;
  readonly #gather: Gather;
  readonly #lengths: Int32Array;
  readonly #order: Int32Array;
  readonly #share: Share;
  /** Rows of all batches before each. */
  readonly #starts: Int32Array;

  /**
   * @param lengths - Tokens of each row.
   * @param batchSize - Rows of a batch for each rank.
   * @param state - The generator's state at the beginning of the epoch.
   * @param share - Which rows of each batch are gathered.
   */
  constructor(
    epoch: number,
    gather: Gather,
    lengths: Int32Array,
    { tokensPerBatch, bucketing }: Pick<CommonSettings, 'tokensPerBatch' | 'bucketing'>,
    batchSize: number,
    state: RandomState,
    share: Share = WHOLE,
  ) {
    const random = Random.fromState(state);
    const window = bucketing ? undefined : 1;
    const { size } = share;
    const most = tokensPerBatch === undefined ? undefined : tokensPerBatch * size;
    const { order, batchSizes } = bucketBatches(lengths, {
      batchSize: batchSize * size,
      tokensPerBatch: most,
      window,
      random,
    });
    this.epoch = epoch;
    this.batchSizes = batchSizes;
    this.next = random.state;
    this.#gather = gather;
    this.#lengths = lengths;
    this.#order = order;
    this.#share = share;
    let start = 0;
    this.#starts = batchSizes.map((rows) => {
      start += rows;
      return start - rows;
    });
  }

  chunk(batch: number, batches: number, tokens: number): Chunk {
    const row = this.#starts[batch]!;
    let end = batch;
    let rows = 0;
    const { rank, size } = this.#share;
    for (let sum = 0; end < batch + batches && sum < tokens * size; end++) {
      for (const size = rows + this.batchSizes[end]!; rows < size; rows++)
        sum += this.#lengths[this.#order[row + rows]!]!;
    }
    const all = this.batchSizes.subarray(batch, end);
    const members = this.#order.subarray(row, row + rows);
    if (size === 1) return { ...this.#gather(members), batchSizes: all };
    // Every size-th row, since the rows of a batch may be sorted by length.
    const own: number[] = [];
    let start = 0;
    const batchSizes = all.map((count) => {
      const before = own.length;
      for (let place = rank; place < count; place += size) own.push(members[start + place]!);
      start += count;
      return own.length - before;
    });
    return { ...this.#gather(Int32Array.from(own)), batchSizes };
  }
}
