import type { Rows } from '../../../data/readers/rows.js';
import { SEARCH, type TuningOptions } from '../../../tuning/options.js';
import { CLASSIFIER, type TrainOptions } from '../options.js';

/** Training options that do not apply to a search, which holds out rows itself and trains many models. */
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

/** Options of {@link TextClassifier.tune}: those of the search, and training options, which apply to all settings. */
export interface TuneOptions extends TuningOptions, Omit<TrainOptions, Unused> {
  /**
   * Share of the rows held out of each training, by default a fifth, so that five trainings together hold out every row
   * once; or separate rows. The winner is trained on all rows.
   */
  validation?: number | Rows;
  /** Called regularly while the winner is trained on all rows. */
  onProgress?: TrainOptions['onProgress'];
  /**
   * Stops the search; the promise rejects with a {@link TrainingError} whose model has the best settings so far and was
   * trained on a part of the rows.
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
