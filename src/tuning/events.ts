import type { RecurraError } from '../core/errors.js';

/** Tried settings, with their results. */
export interface Trial {
  /** Its position in the order of trials, from 1. */
  trial: number;
  /** The settings in a few words. */
  name: string;
  /** The options that make it differ from the training without options. */
  options: Readonly<Record<string, unknown>>;
  /** Trainings so far, each on different rows or another split. */
  trainings: number;
  /** The metric, on all held-out rows of these trainings together. */
  score: number;
  /** Difference to the score of the defaults on the same rows; 0 for the defaults themselves. */
  difference: number;
  /** The standard error of the difference: below it a difference is mostly chance. */
  error: number;
  /** Mean loss of a held-out row, in nats. */
  loss: number;
  /** Duration of its trainings in seconds, including measuring. */
  seconds: number;
}

/** Position of a search, part of every event. */
export interface TuningPlace {
  /** Seconds since the first trial began. */
  elapsed: number;
  /** Seconds left of the time limit; `null` without one. */
  secondsLeft: number | null;
}

/** The rows have been read, and the first trial comes next. */
export interface TuningStart extends TuningPlace {
  /** Discriminant of the event. */
  type: 'start';
  /** Rows to train on. */
  rows: number;
  /** Separate validation rows; 0 if rows are held out in turn. */
  validationRows: number;
  /** Labels. */
  labels: number;
  /**
   * Trainings that settings have been measured on at the end of each rung; the best third of a rung continues to the
   * next.
   */
  rungs: readonly number[];
}

/** Settings have been measured on a rung. */
export interface TuningTrial extends TuningPlace, Trial {
  /** Discriminant of the event. */
  type: 'trial';
  /** The rung, from 1. */
  rung: number;
  /** All tried settings, ordered by rung reached, then by score. */
  leaderboard: readonly Trial[];
}

/** Settings that cannot be trained on these rows and are skipped. */
export interface TuningFailure extends TuningPlace {
  /** Discriminant of the event. */
  type: 'failure';
  /** The settings in a few words. */
  name: string;
  /** Why. */
  error: RecurraError;
}

/** The search is over, and the best settings are trained on all rows. */
export interface TuningRetraining extends TuningPlace, Trial {
  /** Discriminant of the event. */
  type: 'retrain';
  /** Rows to train on, including validation rows. */
  rows: number;
  /** Estimated duration in seconds, from the trials. */
  estimated: number;
}

/** What happens while settings are searched for, told apart by `type`. */
export type TuningEvent = TuningStart | TuningTrial | TuningFailure | TuningRetraining;

/** Result of a search for settings. */
export interface Tuning<M, O extends object = Record<string, unknown>> {
  /** The model, trained with the best settings on all rows. */
  model: M;
  /** Options that reproduce the model on the same rows: the given ones and the found ones. */
  options: O;
  /** The best settings. */
  winner: Trial;
  /** All tried settings, ordered by rung reached, then by score. */
  leaderboard: Trial[];
  /** Which settings won and by how much, as a sentence. */
  verdict: string;
  /** Total duration in seconds. */
  seconds: number;
}
