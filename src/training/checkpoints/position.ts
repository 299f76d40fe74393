import { Random, type RandomState } from '../../core/random.js';
import type { Progress, Validation, ValidationResult } from '../progress.js';

/** The generator's stream for the order of rows; initial weights and dropout have their own. */
const SHUFFLE_STREAM = 1;

/** The best epoch so far, whose weights are kept, and what was chosen on its validation data. */
export type BestEpoch<V extends Validation, C extends object> = { epoch: number; validation: V } & C;

/**
 * Where a training is, besides the weights and the optimizer's states: plain data that survives JSON. Everything that decides
 * how a training continues belongs here.
 */
export interface TrainingPosition<V extends Validation = ValidationResult, C extends object = object> {
  /** The epoch that is running, from 1; one more than there are epochs after the last one. */
  epoch: number;
  /** Batches of it that are done. */
  batch: number;
  /** State of the generator that shuffles, at the beginning of the epoch. */
  random: RandomState;
  /** Sums over the epoch so far; the answers are the rows in files from before there were others. */
  totals: { loss: number; correct: number; answers?: number; rows: number };
  /** Steps in all epochs. */
  step: number;
  /** Seconds of training, without validation and checkpoints. */
  trainedSeconds: number;
  /** Seconds of everything. */
  seconds: number;
  /** The last report of each finished epoch. */
  history: Progress<V>[];
  best: BestEpoch<V, C> | undefined;
  /** What was chosen before the first epoch, which holds where there is no best one. */
  chosen?: C | undefined;
}

/** Where a training begins; `chosen` is what a rehearsal chose, if there was one. */
export function beginning<V extends Validation, C extends object>(seed: number, chosen?: C): TrainingPosition<V, C> {
  return {
    epoch: 1,
    batch: 0,
    random: new Random(seed, SHUFFLE_STREAM).state,
    totals: { loss: 0, correct: 0, answers: 0, rows: 0 },
    step: 0,
    trainedSeconds: 0,
    seconds: 0,
    history: [],
    best: undefined,
    ...(chosen && { chosen }),
  };
}
