import type { RandomState } from '../core/random.js';
import type { Chunk, StepOptions } from '../engine/engine.js';

/** The batches of one epoch, and how they are cut into chunks for the engine. */
export interface BatchPlan {
  /** Number of the epoch, from 1. */
  readonly epoch: number;
  /** Rows in each batch, including those of other ranks. */
  readonly batchSizes: Int32Array;
  /** The generator's state after this epoch. */
  readonly next: RandomState;
  /**
   * Groups batches until they have enough tokens.
   *
   * @param batch - The first one.
   * @param batches - Maximum number of batches.
   * @param tokens - Number of tokens from which on no further batch is added.
   */
  chunk(batch: number, batches: number, tokens: number): Chunk | Promise<Chunk>;
  /** Initial states of a batch, if not zeros. */
  initial?(batch: number): StepOptions['initial'];
}
