import { ArgumentError, invalidArgument } from '../core/errors.js';
import { checkSomeRows } from './labels.js';

/** How well scores rank rows with a label before those without. */
export interface RankingMeasures {
  /** Sum over the thresholds of `(recall - recall before) * precision`; 0 if no row has the label. */
  averagePrecision: number;
  /**
   * Area under the ROC curve: how often a row with the label ranks before one without. `null` unless there are both.
   */
  rocAuc: number | null;
}

/** Numbers processed between two pauses: a few milliseconds. */
const STEP = 32_768;

/** Merges the sorted halves of `source` from `from` to `to` into the same places of `target`. */
function* merge(source: Float64Array, target: Float64Array, from: number, middle: number, to: number) {
  let [left, right] = [from, middle];
  for (let at = from; at < to; at++) {
    const takeLeft = left < middle && (right >= to || source[left]! <= source[right]!);
    target[at] = takeLeft ? source[left++]! : source[right++]!;
    if (at % STEP === 0) yield;
  }
}

/** Sorts numbers, some thousand natively at a time, then merging; the result is the array given or another one. */
function* sorted(values: Float64Array): Generator<void, Float64Array, undefined> {
  for (let from = 0; from < values.length; from += STEP) {
    values.subarray(from, from + STEP).sort();
    yield;
  }
  let [source, target] = [values, values.length > STEP ? new Float64Array(values.length) : values];
  for (let width = STEP; width < values.length; width *= 2) {
    for (let from = 0; from < values.length; from += 2 * width) {
      const [middle, to] = [from + width, from + 2 * width].map((end) => Math.min(end, values.length));
      yield* merge(source, target, from, middle!, to!);
    }
    [source, target] = [target, source];
  }
  return source;
}

/**
 * Ranks the numbers of the rows with a label against those without it. Both arrays are consumed.
 *
 * @returns a generator that pauses often.
 */
export function* rankingOf(having: Float64Array, lacking: Float64Array): Generator<void, RankingMeasures, undefined> {
  const positive = yield* sorted(having);
  const negative = yield* sorted(lacking);
  let precisions = 0;
  let area = 0;
  let [p, n] = [positive.length, negative.length];
  for (let steps = 0; p + n > 0; steps++) {
    const value = Math.max(positive[p - 1] ?? Number.NEGATIVE_INFINITY, negative[n - 1] ?? Number.NEGATIVE_INFINITY);
    const hitsBefore = positive.length - p;
    const [right, wrong] = [p, n];
    // Rows of equal numbers have no order: they are treated as one.
    while (p > 0 && positive[p - 1] === value) p--;
    while (n > 0 && negative[n - 1] === value) n--;
    const hits = positive.length - p;
    precisions += ((right - p) * hits) / (hits + negative.length - n);
    area += (wrong - n) * (hitsBefore + (right - p) / 2);
    if (steps % STEP === 0) yield;
  }
  const pairs = positive.length * negative.length;
  return {
    averagePrecision: positive.length === 0 ? 0 : precisions / positive.length,
    rocAuc: pairs === 0 ? null : area / pairs,
  };
}

function ranking(yTrue: readonly boolean[], scores: ArrayLike<number>): RankingMeasures {
  if (!Array.isArray(yTrue)) throw invalidArgument('yTrue', 'an array of booleans', yTrue);
  if (!(Array.isArray(scores) || ArrayBuffer.isView(scores))) throw invalidArgument('scores', 'an array', scores);
  if (scores.length !== yTrue.length) {
    throw new ArgumentError('INVALID_SHAPE', `yTrue has ${yTrue.length} rows but there are ${scores.length} scores`);
  }
  checkSomeRows(yTrue.length);
  const sides: [number[], number[]] = [[], []];
  for (let row = 0; row < yTrue.length; row++) {
    if (typeof yTrue[row] !== 'boolean') throw invalidArgument(`yTrue[${row}]`, 'a boolean', yTrue[row]);
    if (!Number.isFinite(scores[row])) throw invalidArgument(`scores[${row}]`, 'a finite number', scores[row]);
    sides[yTrue[row] ? 0 : 1].push(scores[row]!);
  }
  const steps = rankingOf(Float64Array.from(sides[0]), Float64Array.from(sides[1]));
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/**
 * Average precision of one label, as scikit-learn's `average_precision_score`: the area under the curve of precision over
 * recall, as steps. Better than {@link rocAuc} for a rare label.
 *
 * @param yTrue - Whether each row has the label.
 * @param scores - The score that rows are ranked by, such as the label's probability.
 * @returns from 0 to 1; 0 if no row has the label.
 * @throws {@link ArgumentError} `INVALID_SHAPE`, `EMPTY_DATASET` or `INVALID_ARGUMENT`.
 *
 * @example
 * ```ts
 * averagePrecision([false, true, true], [0.1, 0.9, 0.8]); // 1
 * ```
 */
export function averagePrecision(yTrue: readonly boolean[], scores: ArrayLike<number>): number {
  return ranking(yTrue, scores).averagePrecision;
}

/**
 * Area under the ROC curve of one label, as scikit-learn's `roc_auc_score`: the share of pairs of a row with the label and a
 * row without where the first has the higher score, equal ones counting half.
 *
 * @param yTrue - Whether each row has the label.
 * @param scores - The score that rows are ranked by, such as the label's probability.
 * @returns from 0 to 1; `null` if all rows or none have the label, so that there are no such pairs.
 * @throws as {@link averagePrecision}.
 *
 * @example
 * ```ts
 * rocAuc([false, true, false, true], [0.1, 0.4, 0.35, 0.8]); // 1
 * ```
 */
export function rocAuc(yTrue: readonly boolean[], scores: ArrayLike<number>): number | null {
  return ranking(yTrue, scores).rocAuc;
}
