import type { Rows } from '../../../data/readers/rows.js';
import { type NotTuned, SEARCH, type TuningOptions } from '../../../tuning/options.js';
import { CLASSIFIER, type TrainOptions } from '../options.js';

/** Options of {@link TextClassifier.tune}: those of the search, and training options, which apply to all settings. */
export interface TuneOptions extends TuningOptions, Omit<TrainOptions, NotTuned | 'recurrent'> {
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
