import type { RecurraError } from '../core/errors.js';
import type { Part, Rung } from './rungs.js';
import type { AnswerScorer, Answers } from './score.js';

/** Settings that may be the best. */
export interface Candidate<O extends object> {
  /** Its settings in a few words. */
  name: string;
  /** The options that make it differ from a training without options. */
  options: O;
}

/** Result of training a candidate. */
export interface Measured<M, A = Answers> {
  answers: A;
  /** Mean loss per row, in nats. */
  loss: number;
  /** The model, still open. */
  model: M;
}

/** A candidate with its results. */
export interface Entry<O extends object, A = Answers> extends Candidate<O> {
  /** Its position in the order of trials, from 1. */
  trial: number;
  /** The last rung that it was measured on as a whole, from 0; -1 for none. */
  rung: number;
  /** Its answers, by part. */
  answers: Map<string, A>;
  /** Losses, by the part. */
  losses: Map<string, number>;
  /** Its metric on that rung. */
  score: number;
  /** Difference to the score of the preferred baseline, and its standard error. */
  difference: number;
  error: number;
  /** Duration of its trainings in seconds, including measuring. */
  seconds: number;
  /** Rows that they were trained on, all together. */
  rows: number;
}

/** The parts of a search. */
export interface SearchParts<O extends object, M extends { close(): unknown }, A = Answers> {
  /** Measured on every rung, in this order. */
  baselines: readonly Candidate<O>[];
  /** The baseline that wins unless another candidate is clearly better; if it cannot be trained, the first that can. */
  preferred: Candidate<O>;
  /** Further candidates, in the order in which they are tried. */
  candidates: Iterator<Candidate<O>>;
  rungs: readonly Rung[];
  /** Maximum number of candidates, including baselines. */
  trials: number;
  scorer: AnswerScorer<A>;
  /** Rows that answers are numbered by. */
  heldRows: number;
  /** Rows that the winner will be trained on. */
  allRows: number;
  /** Time limit in seconds, including the training of the winner; undefined for none. */
  seconds: number | undefined;
  signal: AbortSignal | undefined;
  measure(candidate: Candidate<O>, part: Part, signal: AbortSignal): Promise<Measured<M, A>>;
  /** Called when a candidate has been measured on a rung. */
  onTrial(entry: Entry<O, A>, rung: number, board: readonly Entry<O, A>[]): void;
  /** Called when a candidate cannot be trained. */
  onFailure(candidate: Candidate<O>, error: RecurraError): void;
}

/** Result of a search. */
export interface Found<O extends object, M, A = Answers> {
  winner: Entry<O, A>;
  /** All measured candidates, the best first. */
  board: Entry<O, A>[];
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
