import { Random, type RandomState } from '../core/random.js';
import { bucketBatches } from '../data/sets/bucket.js';
import type { Chunk } from '../engine/engine.js';
import type { BatchPlan } from './plan.js';
import type { CommonSettings } from './task.js';

/** Copies the rows with these indices, in the order given, with what the engine is to learn from them. */
export type Gather = (indices: Int32Array) => Omit<Chunk, 'batchSizes'>;

/** Batches of rows in random order, of similar length where that is asked for. */
export class EpochPlan implements BatchPlan {
  readonly epoch: number;
  readonly batchSizes: Int32Array;
  readonly next: RandomState;
  readonly #gather: Gather;
  readonly #lengths: Int32Array;
  readonly #order: Int32Array;

  /**
   * @param lengths - Tokens of each row.
   * @param state - The generator's state at the beginning of the epoch.
   */
  constructor(
    epoch: number,
    gather: Gather,
    lengths: Int32Array,
    { tokensPerBatch, bucketing }: Pick<CommonSettings, 'tokensPerBatch' | 'bucketing'>,
    batchSize: number,
    state: RandomState,
  ) {
    const random = Random.fromState(state);
    const window = bucketing ? undefined : 1;
    const { order, batchSizes } = bucketBatches(lengths, { batchSize, tokensPerBatch, window, random });
    this.epoch = epoch;
    this.batchSizes = batchSizes;
    this.next = random.state;
    this.#gather = gather;
    this.#lengths = lengths;
    this.#order = order;
  }

  rowsBefore(batch: number): number {
    return this.batchSizes.subarray(0, batch).reduce((sum, size) => sum + size, 0);
  }

  chunk(batch: number, row: number, batches: number, tokens: number): Chunk {
    let end = batch;
    let rows = 0;
    for (let sum = 0; end < batch + batches && sum < tokens; end++) {
      for (const size = rows + this.batchSizes[end]!; rows < size; rows++)
        sum += this.#lengths[this.#order[row + rows]!]!;
    }
    const batchSizes = this.batchSizes.subarray(batch, end);
    return { ...this.#gather(this.#order.subarray(row, row + rows)), batchSizes };
  }
}
