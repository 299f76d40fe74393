import { counted } from '../../core/counted.js';
import { type ArgumentError, constraint, ModelFileError } from '../../core/errors.js';
import type { PrecisionStep } from '../../measures/coverage.js';
import { wilson } from '../../measures/wilson.js';

/** What validation rows told of the probabilities of a model: plain data that its file keeps. */
export interface Certainty {
  /** How many validation rows there were. */
  rows: number;
  /**
   * Thresholds by rising precision, each with the rows that it answered and those of them that were right. The first one answers all
   * rows.
   */
  steps: readonly PrecisionStep[];
}

/** Thresholds that a file keeps at most. */
export const MOST_STEPS = 100;

/** What {@link TextClassifier.thresholdFor} tells of a threshold. */
export interface PrecisionThreshold {
  /** The threshold, for {@link Caution.minProbability}. */
  minProbability: number;
  /** Share of the validation rows that have a label with it. */
  coverage: number;
  /** Share of these rows whose label is right; at least the one that was wanted. */
  precision: number;
  /** Lower bound of the 95 % interval of this precision (Wilson's). */
  precisionLow: number;
  /** Upper bound of that interval. */
  precisionHigh: number;
  /** How many validation rows have a label with it: of few, the precision says little. */
  rows: number;
}

/** Why there is no threshold for a precision, where a model has none. */
export interface WithoutCertainty {
  multiLabel: boolean;
  compressed: boolean;
}

function missing({ multiLabel, compressed }: WithoutCertainty): ArgumentError {
  if (multiLabel) {
    const message =
      'precision does not apply to a model that gives a text several labels: each label has its own threshold (thresholds)';
    return constraint('precision', message);
  }
  const why = compressed
    ? 'this model is compressed, which changes its probabilities, so what was measured on validation rows was left out'
    : 'this model was not measured on validation rows: train it with validation, such as a share of 0.1';
  const instead = compressed ? 'thresholdFor of the whole model' : '"recurra report"';
  return constraint(
    'precision',
    `precision needs thresholds that were measured on validation rows; ${why}; or give minProbability (${instead} shows what it gives)`,
  );
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** What a step of some rows tells. */
function toldOf({ threshold, answered: rows, right }: PrecisionStep, all: number): PrecisionThreshold {
  const { value: precision, low: precisionLow, high: precisionHigh } = wilson(right, rows);
  return { minProbability: threshold, coverage: rows / all, precision, precisionLow, precisionHigh, rows };
}

/** All thresholds, by rising precision. */
export function thresholdsOf({ rows, steps }: Certainty): PrecisionThreshold[] {
  return steps.map((step) => toldOf(step, rows));
}

/**
 * The threshold that answered most validation rows among those that reached a precision.
 *
 * @throws {@link ArgumentError} `INVALID_ARGUMENT` without thresholds, `OUT_OF_RANGE` for a precision that none reached.
 */
export function thresholdFor(
  certainty: Certainty | undefined,
  precision: number,
  without: WithoutCertainty,
): PrecisionThreshold {
  if (!certainty) throw missing(without);
  const { rows: all, steps } = certainty;
  const told = (step: PrecisionStep) => toldOf(step, all);
  const found = steps.find(({ answered, right }) => right / answered >= precision);
  if (found) return told(found);
  const best = told(steps.at(-1)!);
  const reached = `the best was ${percent(best.precision)}, on the ${best.rows} of ${all} rows with the largest probabilities`;
  const message = `no threshold reached a precision of ${percent(precision)} on the validation rows; ${reached}; ask for less`;
  throw constraint('precision', message, 'OUT_OF_RANGE');
}

const isCount = (value: unknown, most: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most;

/** Whether a value is a step of some rows, behind another one. */
function follows(value: unknown, before: PrecisionStep | undefined, rows: number): boolean {
  const { threshold, answered, right } = Object(value) as Partial<Record<keyof PrecisionStep, unknown>>;
  if (!isCount(answered, rows) || answered === 0 || !isCount(right, answered)) return false;
  if (typeof threshold !== 'number' || !(threshold >= 0 && threshold <= 1)) return false;
  return !before || (threshold >= before.threshold && right / answered > before.right / before.answered);
}

/**
 * What a file says of the certainty of its model, checked; undefined for a file that says nothing.
 *
 * @throws {@link ModelFileError} `INVALID_FILE`
 */
export function certaintyOf(value: unknown): Certainty | undefined {
  if (value === undefined) return undefined;
  const { rows, steps } = Object(value) as Partial<Record<keyof Certainty, unknown>>;
  const fits =
    isCount(rows, Number.MAX_SAFE_INTEGER) &&
    Array.isArray(steps) &&
    steps.length > 0 &&
    steps.length <= MOST_STEPS &&
    steps.every((step, at) => follows(step, steps[at - 1] as PrecisionStep | undefined, rows));
  if (!fits)
    throw new ModelFileError('INVALID_FILE', 'what it says about its validation rows is not a list of thresholds');
  return value as Certainty;
}

/** With fewer validation rows above a threshold, its precision is uncertain. */
const FEW_ROWS = 100;

/**
 * What to say of a threshold whose precision rests on few validation rows; undefined if there are enough.
 *
 * @param wanted - The precision that was asked for.
 */
export function restsOnFew(wanted: number, threshold: PrecisionThreshold): string | undefined {
  const { rows, precisionLow, precisionHigh } = threshold;
  if (rows >= FEW_ROWS) return undefined;
  const interval = `${Math.round(100 * precisionLow)} to ${Math.round(100 * precisionHigh)} %`;
  return `the precision ${wanted} rests on ${counted(rows, 'validation row')}: its 95 % interval is ${interval}; check it on other rows with recurra evaluate --precision`;
}
