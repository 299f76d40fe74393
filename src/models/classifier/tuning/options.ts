import type { Rows } from '../../../data/readers/rows.js';
import { SEARCH, type TuningOptions } from '../../../tuning/options.js';
import { CLASSIFIER, type TrainOptions } from '../options.js';

/** Options of a training that a search has no use for: it chooses by rows of its own, and trains many models. */
type Unused =
  | 'checkpoint'
  | 'resume'
  | 'tensorboard'
  | 'patience'
  | 'onEvent'
  | 'onProgress'
  | 'recurrent'
  | 'validation'
  | 'signal';

/** Options of {@link TextClassifier.tune}: those of the search, and those of a training, which all settings then have. */
export interface TuneOptions extends TuningOptions, Omit<TrainOptions, Unused> {
  /**
   * The share of the rows that is held out of each training, a fifth by default, so that five trainings together have held out every row once; or rows
   * of their own. The winner is trained on all of them.
   */
  validation?: number | Rows;
  /** Called from time to time while the winner is trained on all rows. */
  onProgress?: TrainOptions['onProgress'];
  /**
   * Ends the search; the promise rejects with a {@link TrainingError} that carries a model of the best settings so far, which was trained on a part of
   * the rows.
   */
  signal?: AbortSignal;
}

const {
  checkpoint: _,
  resume: __,
  tensorboard: ___,
  patience: ____,
  recurrent: _____,
  onEvent: ______,
  ...TRAINING
} = CLASSIFIER;

/** The table of {@link TuneOptions}. */
export const TUNE = {
  ...SEARCH,
  ...TRAINING,
} as const;

/** The share of the rows that is held out where no option says it. */
export const HELD_SHARE = 0.2;
