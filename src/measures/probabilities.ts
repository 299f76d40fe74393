import { checkInteger } from '../core/checks.js';
import { ArgumentError, invalidArgument } from '../core/errors.js';
import { checkOptionNames } from '../core/options/names.js';
import { isTyped } from '../core/realms.js';
import { Calibration, type CalibrationResult } from './calibration.js';
import { ExactSum } from './counts.js';
import { checkSomeRows, LabelIndex, type LabelOptions } from './labels.js';

/**
 * A number for each row and label: an array of rows, or one flat array, row after row. The columns are in the order of the
 * labels.
 */
export type Scores = readonly ArrayLike<number>[] | Float32Array | Float64Array;

/**
 * Clipping distance of {@link logLoss} from 0 and 1: the spacing of floating-point numbers at 1 for the input's type,
 * as in scikit-learn. 2^-23 for float32, 2^-52 for float64.
 */
const EPSILON = { single: 2 ** -23, double: 2 ** -52 };

/** Rows of numbers with the true label of each. */
export class LabelledScores {
  readonly labels: readonly string[];
  readonly truth: Int32Array;
  /** 2^-23 if all numbers are float32, otherwise 2^-52. */
  readonly epsilon: number;
  readonly #scores: Scores;

  constructor(yTrue: readonly string[], scores: Scores, given: readonly string[] | undefined, name: string) {
    if (!Array.isArray(yTrue)) throw invalidArgument('yTrue', 'an array of strings', yTrue);
    checkSomeRows(yTrue.length);
    const index = new LabelIndex(given, () => yTrue);
    this.labels = index.labels;
    this.truth = Int32Array.from(yTrue, (label, row) => index.of(label, `yTrue[${row}]`));
    const flat = isTyped('Float32Array', scores) || isTyped('Float64Array', scores);
    if (!flat && !Array.isArray(scores)) {
      throw invalidArgument(name, 'an array of rows, a Float32Array or a Float64Array', scores);
    }
    const rows = flat ? scores.length / this.labels.length : scores.length;
    if (rows !== yTrue.length) {
      throw new ArgumentError(
        'INVALID_SHAPE',
        `yTrue has ${yTrue.length} rows and there are ${this.labels.length} labels, but ${name} has ${scores.length} ${flat ? 'numbers' : 'rows'}`,
      );
    }
    const single = flat ? isTyped('Float32Array', scores) : scores.every((row) => isTyped('Float32Array', row));
    this.epsilon = single ? EPSILON.single : EPSILON.double;
    this.#scores = scores;
    for (let row = 0; row < yTrue.length; row++) this.#check(row, name);
  }

  /** The numbers of a row. */
  row(index: number): ArrayLike<number> {
    const width = this.labels.length;
    const scores = this.#scores;
    return ArrayBuffer.isView(scores) ? scores.subarray(index * width, (index + 1) * width) : scores[index]!;
  }

  #check(index: number, name: string): void {
    const row = this.row(index);
    if (row?.length !== this.labels.length) {
      throw new ArgumentError(
        'INVALID_SHAPE',
        `${name}[${index}] has ${row?.length ?? 'no'} numbers, but there are ${this.labels.length} labels (${this.labels.slice(0, 5).join(', ')}${this.labels.length > 5 ? ', ...' : ''}); with labels that no row has, give the option labels`,
      );
    }
    for (let i = 0; i < row.length; i++) {
      if (!Number.isFinite(row[i])) throw invalidArgument(`${name}[${index}][${i}]`, 'a finite number', row[i]);
    }
  }
}

/** Probabilities may be rounded to few digits; a sum further from 1 is an error. */
const SUM_TOLERANCE = 1e-3;

/** Checks that the rows are probabilities of the labels. */
export function labelledProbabilities(yTrue: readonly string[], scores: Scores, options: LabelOptions): LabelledScores {
  const name = 'probabilities';
  const rows = new LabelledScores(yTrue, scores, options.labels, name);
  for (let index = 0; index < yTrue.length; index++) {
    const row = rows.row(index);
    let sum = 0;
    for (let i = 0; i < row.length; i++) {
      const value = row[i]!;
      if (value < 0 || value > 1) throw invalidArgument(`${name}[${index}][${i}]`, 'a number from 0 to 1', value);
      sum += value;
    }
    if (Math.abs(sum - 1) > SUM_TOLERANCE) {
      throw invalidArgument(`${name}[${index}]`, 'probabilities that add up to 1', `sum ${sum}`);
    }
  }
  return rows;
}

/** Cross entropy of one row; see {@link EPSILON}. */
export function clippedCrossEntropy(probability: number, epsilon: number): number {
  return -Math.log(Math.min(Math.max(probability, epsilon), 1 - epsilon));
}

/** Index of the largest number; the first of equal ones. */
export function argmaxOf(row: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < row.length; i++) if (row[i]! > row[best]!) best = i;
  return best;
}

/**
 * Number of labels before the true one when a row's labels are sorted by descending number. Of equal numbers, the label
 * with the higher index comes first, as in scikit-learn's `top_k_accuracy_score`.
 */
export function rankOf(row: ArrayLike<number>, truth: number): number {
  const own = row[truth]!;
  let before = 0;
  for (let i = 0; i < row.length; i++) if (row[i]! > own || (row[i] === own && i > truth)) before++;
  return before;
}

/**
 * Mean over the rows of `-log(probability of the true label)`, in nats, as scikit-learn's `log_loss`: probabilities are
 * kept at least one rounding step away from 0 and 1 (2^-52; 2^-23 if they are float32), so that a certain mistake costs
 * 36.0 (or 15.9), not infinity.
 *
 * @param yTrue - The correct label of each row.
 * @param probabilities - See {@link Scores}; each row adds up to 1.
 * @param options - `labels`: the label of each column. Default: the labels in `yTrue`, in code point order.
 * @throws {@link ArgumentError} `INVALID_SHAPE`, `EMPTY_DATASET`, `UNKNOWN_LABEL`, or `INVALID_ARGUMENT` for numbers that
 * are not probabilities.
 *
 * @example
 * ```ts
 * logLoss(['ham', 'spam'], [[0.9, 0.1], [0.2, 0.8]]); // 0.164...
 * ```
 */
export function logLoss(yTrue: readonly string[], probabilities: Scores, options: LabelOptions = {}): number {
  checkOptionNames('logLoss', options, ['labels']);
  const rows = labelledProbabilities(yTrue, probabilities, options);
  const sum = new ExactSum();
  rows.truth.forEach((truth, row) => {
    sum.add(clippedCrossEntropy(rows.row(row)[truth]!, rows.epsilon));
  });
  return sum.value / rows.truth.length;
}

/** Options of {@link topKAccuracy}. */
export interface TopKOptions extends LabelOptions {
  /** How many of the highest numbers count. Default 2. */
  k?: number | undefined;
}

/**
 * Share of rows whose true label is among the `k` highest numbers, as scikit-learn's `top_k_accuracy_score`. Of equal
 * numbers, later labels count as higher.
 *
 * @param yTrue - The correct label of each row.
 * @param scores - See {@link Scores}; probabilities or any other numbers.
 * @param options - `labels` as in {@link logLoss}, and `k`.
 * @throws {@link ArgumentError} as {@link logLoss}.
 *
 * @example
 * ```ts
 * topKAccuracy(['a', 'c'], [[0.5, 0.3, 0.2], [0.6, 0.1, 0.3]], { labels: ['a', 'b', 'c'], k: 2 }); // 1
 * ```
 */
export function topKAccuracy(yTrue: readonly string[], scores: Scores, options: TopKOptions = {}): number {
  checkOptionNames('topKAccuracy', options, ['labels', 'k']);
  const { k = 2 } = options;
  checkInteger('k', k, 1);
  const rows = new LabelledScores(yTrue, scores, options.labels, 'scores');
  let hits = 0;
  rows.truth.forEach((truth, row) => {
    if (rankOf(rows.row(row), truth) < k) hits++;
  });
  return hits / rows.truth.length;
}

/** Options of {@link calibration}. */
export interface CalibrationOptions extends LabelOptions {
  /** Number of bins of equal width. Default 15. */
  bins?: number | undefined;
}

/**
 * How reliable probabilities are: compares, in bins of equal width, the mean probability of the most probable label
 * with the share of rows where it is correct.
 *
 * The error is the expected calibration error of Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks"
 * (ICML 2017), with their 15 bins: `(0, 1/15], (1/15, 2/15], ... (14/15, 1]`. The bins are those of scikit-learn's
 * `calibration_curve` with `strategy='uniform'`.
 *
 * @param yTrue - The correct label of each row.
 * @param probabilities - See {@link Scores}; each row adds up to 1.
 * @throws {@link ArgumentError} as {@link logLoss}.
 *
 * @example
 * ```ts
 * calibration(['ham', 'spam'], [[0.9, 0.1], [0.2, 0.8]]).error.toFixed(2); // '0.15'
 * ```
 */
export function calibration(
  yTrue: readonly string[],
  probabilities: Scores,
  options: CalibrationOptions = {},
): CalibrationResult {
  checkOptionNames('calibration', options, ['labels', 'bins']);
  const { bins = 15 } = options;
  checkInteger('bins', bins, 1, 10_000);
  const rows = labelledProbabilities(yTrue, probabilities, options);
  const curve = new Calibration(bins);
  rows.truth.forEach((truth, index) => {
    const row = rows.row(index);
    const best = argmaxOf(row);
    curve.add(row[best]!, best === truth);
  });
  return curve.finish();
}
