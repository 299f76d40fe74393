import type { RandomState } from '../core/random.js';
import type { Chunk, StepOptions } from '../engine/engine.js';

/** The batches of one epoch, and how they are cut into chunks for the engine. */
export interface BatchPlan {
  /** Number of the epoch, from 1. */
  readonly epoch: number;
  /** Rows in each batch, those of other ranks included. */
  readonly batchSizes: Int32Array;
  /** The generator's state behind this epoch: that of the next one. */
  readonly next: RandomState;
  /**
   * Puts batches together until they have enough tokens.
   *
   * @param batch - The first one.
   * @param batches - How many there may be at most.
   * @param tokens - With that many or more, no further batch is added.
   */
  chunk(batch: number, batches: number, tokens: number): Chunk | Promise<Chunk>;
  /** Which states the rows of a batch begin with, where they do not begin with zeros. */
  initial?(batch: number): StepOptions['initial'];
}
