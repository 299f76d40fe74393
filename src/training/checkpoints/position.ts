import { Random, type RandomState } from '../../core/random.js';
import type { Progress, Validation, ValidationResult } from '../progress.js';

/** The generator's stream for the order of rows; initial weights and dropout have their own. */
const SHUFFLE_STREAM = 1;

/** The best epoch so far, whose weights are kept, and the choices made on its validation data. */
export type BestEpoch<V extends Validation, C extends object> = { epoch: number; validation: V } & C;

/**
 * Position of a training, without the weights and the optimizer's states: plain data that survives JSON. Everything
 * that decides how a training continues belongs here.
 */
export interface TrainingPosition<V extends Validation = ValidationResult, C extends object = object> {
  /** The current epoch, from 1; after the last one, the number of epochs plus one. */
  epoch: number;
  /** Finished batches of it. */
  batch: number;
  /** State of the generator that shuffles, at the beginning of the epoch. */
  random: RandomState;
  /** Sums over the epoch so far; in old files, answers are rows. */
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
  /** What was chosen before the first epoch; applies if there is no best epoch. */
  chosen?: C | undefined;
}

/** The initial position; `chosen` is the choice of a rehearsal, if there was one. */
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
