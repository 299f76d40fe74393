import type { RecurraError } from '../core/errors.js';

/** Settings that were tried, with what they gave. */
export interface Trial {
  /** Its place in the order of trials, from 1. */
  trial: number;
  /** The settings in a few words. */
  name: string;
  /** The options that make it differ from the training without options. */
  options: Readonly<Record<string, unknown>>;
  /** Trainings that it was measured on so far, each on other rows or another draw of them. */
  trainings: number;
  /** The metric, on all rows that were held out of these trainings together. */
  score: number;
  /** By how much the score is more than that of the defaults on the same rows; 0 for the defaults themselves. */
  difference: number;
  /** The standard error of the difference: below it a difference is mostly chance. */
  error: number;
  /** Mean loss of a held-out row, in nats. */
  loss: number;
  /** Seconds of its trainings, measuring included. */
  seconds: number;
}

/** Where a search is; every event has it. */
export interface TuningPlace {
  /** Seconds since the first trial began. */
  elapsed: number;
  /** Seconds left of the time that was given; `null` without a limit. */
  secondsLeft: number | null;
}

/** The rows have been read, and the first trial comes next. */
export interface TuningStart extends TuningPlace {
  /** Discriminant of the event. */
  type: 'start';
  /** Rows to train on. */
  rows: number;
  /** Validation rows of their own; 0 where rows are held out in turn. */
  validationRows: number;
  /** Labels. */
  labels: number;
  /** Trainings that settings have been measured on at the end of each rung; of those of a rung, the best third comes to the next. */
  rungs: readonly number[];
}

/** Settings have been measured on a rung. */
export interface TuningTrial extends TuningPlace, Trial {
  /** Discriminant of the event. */
  type: 'trial';
  /** The rung, from 1. */
  rung: number;
  /** All settings that were tried, those that came furthest first, and among them the best. */
  leaderboard: readonly Trial[];
}

/** Settings cannot be trained on these rows and are left out. */
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
  /** Rows to train on, those of the validation included. */
  rows: number;
  /** Seconds that it will take, by what the trials took. */
  estimated: number;
}

/** What happens while settings are searched for, told apart by `type`. */
export type TuningEvent = TuningStart | TuningTrial | TuningFailure | TuningRetraining;

/** What a search for settings gives. */
export interface Tuning<M, O extends object = Record<string, unknown>> {
  /** The model, trained with the best settings on all rows. */
  model: M;
  /** Options that give the same model when it is trained with them on the same rows: those that were given, and those that were found. */
  options: O;
  /** The best settings. */
  winner: Trial;
  /** All settings that were tried, those that came furthest first, and among them the best. */
  leaderboard: Trial[];
  /** Which settings won and by how much, as a sentence. */
  verdict: string;
  /** Seconds that everything took. */
  seconds: number;
}
