import { type NotTuned, SEARCH, type TuningOptions } from '../../../tuning/options.js';
import { TAGGER, type TaggerTrainOptions } from '../options.js';
import type { TagRows } from '../rows.js';

/** Options of {@link TextTagger.tune}: those of the search, and training options, which apply to all settings. */
export interface TaggerTuneOptions
  extends Omit<TuningOptions, 'maxSize' | 'metric'>,
    Omit<TaggerTrainOptions, NotTuned | 'distributed'> {
  /**
   * Share of the rows held out of each training, by default a fifth, so that five trainings together hold out every row
   * once; or separate rows. The winner is trained on all rows.
   */
  validation?: number | TagRows;
  /** Called regularly while the winner is trained on all rows. */
  onProgress?: TaggerTrainOptions['onProgress'];
  /**
   * Stops the search; the promise rejects with a {@link TrainingError} whose model has the best settings so far and was
   * trained on a part of the rows.
   */
  signal?: AbortSignal;
}

const { maxSize: _, metric: __, ...LIMITS } = SEARCH;
const {
  checkpoint: ___,
  resume: ____,
  tensorboard: _____,
  patience: ______,
  onEvent: _______,
  distributed: ________,
  ...TRAINING
} = TAGGER;

/** The table of {@link TaggerTuneOptions}. */
export const TAGGER_TUNE = { ...LIMITS, ...TRAINING } as const;

/** The limits of a search for a tagger's settings. */
export const TAGGER_SEARCH = LIMITS;
