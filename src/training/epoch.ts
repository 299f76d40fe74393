import { Random, type RandomState } from '../core/random.js';
import { bucketBatches } from '../data/sets/bucket.js';
import type { Chunk } from '../engine/engine.js';
import type { CommonSettings } from './task.js';

/** Copies the rows with these indices, in the order given, with what the engine is to learn from them. */
export type Gather = (indices: Int32Array) => Omit<Chunk, 'batchSizes'>;

/** The batches of one epoch, and how they are cut into chunks for the engine. */
export class EpochPlan {
  /** Number of the epoch, from 1. */
  readonly epoch: number;
  /** Rows in each batch. */
  readonly batchSizes: Int32Array;
  /** The generator's state behind this epoch: that of the next one. */
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

  /** Rows of all batches before one. */
  rowsBefore(batch: number): number {
    return this.batchSizes.subarray(0, batch).reduce((sum, size) => sum + size, 0);
  }

  /**
   * Puts batches together until they have enough tokens.
   *
   * @param batch - The first one, before which there are `row` rows.
   * @param batches - How many there may be at most.
   * @param tokens - With that many or more, no further batch is added.
   */
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
