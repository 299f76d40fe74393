import type { RecurraError } from '../core/errors.js';
import type { Part, Rung } from './rungs.js';
import type { Answers, Scorer } from './score.js';

/** Settings that may be the best. */
export interface Candidate<O extends object> {
  /** Its settings in a few words. */
  name: string;
  /** The options that make it differ from a training without options. */
  options: O;
}

/** What a training of a candidate gave. */
export interface Measured<M> {
  answers: Answers;
  /** Mean loss per row, in nats. */
  loss: number;
  /** The model; whoever measures does not close it. */
  model: M;
}

/** A candidate with what is known of it. */
export interface Entry<O extends object> extends Candidate<O> {
  /** Its place in the order of trials, from 1. */
  trial: number;
  /** The last rung that it was measured on as a whole, from 0; -1 for none. */
  rung: number;
  /** What it gave, by the part. */
  answers: Map<string, Answers>;
  /** Losses, by the part. */
  losses: Map<string, number>;
  /** Its metric on that rung. */
  score: number;
  /** By how much that is more than the score of the preferred baseline, and the standard error of it. */
  difference: number;
  error: number;
  /** Seconds that its trainings took, measuring included. */
  seconds: number;
  /** Rows that they were trained on, all together. */
  rows: number;
}

/** What a search goes by. */
export interface SearchParts<O extends object, M extends { close(): unknown }> {
  /** Measured on every rung, in this order. */
  baselines: readonly Candidate<O>[];
  /** The one of them that is kept unless another one is clearly better; the first that could be trained if this could not. */
  preferred: Candidate<O>;
  /** Further candidates, in the order in which they are tried. */
  candidates: Iterator<Candidate<O>>;
  rungs: readonly Rung[];
  /** Candidates at most, baselines included. */
  trials: number;
  scorer: Scorer;
  /** Rows that answers are numbered by. */
  heldRows: number;
  /** Rows that the winner will be trained on. */
  allRows: number;
  /** Seconds that all may take, the training of the winner included; undefined for no limit. */
  seconds: number | undefined;
  signal: AbortSignal | undefined;
  measure(candidate: Candidate<O>, part: Part, signal: AbortSignal): Promise<Measured<M>>;
  /** Called when a candidate has been measured on a rung. */
  onTrial(entry: Entry<O>, rung: number, board: readonly Entry<O>[]): void;
  /** Called when a candidate cannot be trained. */
  onFailure(candidate: Candidate<O>, error: RecurraError): void;
}

/** What a search found. */
export interface Found<O extends object, M> {
  winner: Entry<O>;
  /** All that were measured, the best first. */
  board: Entry<O>[];
  /** Whether the clock ended the search. */
  timeIsUp: boolean;
  /** Whether the signal did. */
  aborted: boolean;
  /** A model of the winner, or of one that led before, trained on a part of the rows. */
  model: M | undefined;
}

/** Mean loss of a candidate's trainings. */
export function lossOf({ losses }: Pick<Entry<object>, 'losses'>): number {
  let sum = 0;
  for (const loss of losses.values()) sum += loss;
  return sum / losses.size;
}
