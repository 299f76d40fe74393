import { invalidArgument } from '../core/errors.js';
import { checkSameRows } from './labels.js';

/** A comparison of two models' labels for the same rows. */
export interface Comparison {
  /** Rows compared. */
  rows: number;
  /** Rows that both label correctly. */
  bothRight: number;
  /** Rows that only the first model labels correctly. */
  onlyFirst: number;
  /** Rows that only the second model labels correctly. */
  onlySecond: number;
  /** Rows that both label incorrectly. */
  bothWrong: number;
  /** Accuracy of the first model. */
  firstAccuracy: number;
  /** Accuracy of the second model. */
  secondAccuracy: number;
  /** Accuracy of the second model minus that of the first. */
  difference: number;
  /** 95 % confidence interval of the difference (Agresti and Min 2005), `[low, high]`. */
  interval: [low: number, high: number];
  /**
   * Probability that models of equal accuracy differ at least this much: the two-sided exact McNemar test. Below 0.05
   * the difference is usually called significant.
   */
  pValue: number;
}

/** The quantile of the normal distribution that leaves 2.5 % above it. */
const Z = 1.959963984540054;

/** Two-sided probability of at most `few` successes, or of at most `few` failures, in `all` tosses of a fair coin. */
function fairCoin(few: number, all: number): number {
  if (all === 0) return 1;
  // Binomial coefficients as logarithms, since they overflow from 1,030 tosses on.
  let logTerm = -all * Math.LN2;
  let sum = Math.exp(logTerm);
  for (let k = 1; k <= few; k++) {
    logTerm += Math.log((all - k + 1) / k);
    sum += Math.exp(logTerm);
  }
  return Math.min(1, 2 * sum);
}

/** Puts counts of rows together. */
export function comparisonOf(bothRight: number, onlyFirst: number, onlySecond: number, bothWrong: number): Comparison {
  const rows = bothRight + onlyFirst + onlySecond + bothWrong;
  // Adding half a row to each cell keeps the interval valid if the models hardly differ.
  const adjusted = rows + 2;
  const centre = (onlySecond - onlyFirst) / adjusted;
  const deviation = Math.sqrt(onlyFirst + onlySecond + 1 - (onlySecond - onlyFirst) ** 2 / adjusted) / adjusted;
  return {
    rows,
    bothRight,
    onlyFirst,
    onlySecond,
    bothWrong,
    firstAccuracy: (bothRight + onlyFirst) / rows,
    secondAccuracy: (bothRight + onlySecond) / rows,
    difference: (onlySecond - onlyFirst) / rows,
    interval: [Math.max(-1, centre - Z * deviation), Math.min(1, centre + Z * deviation)],
    pValue: fairCoin(Math.min(onlyFirst, onlySecond), onlyFirst + onlySecond),
  };
}

/**
 * Compares the labels that two models give to the same rows: is one better, or is it chance?
 *
 * @param yTrue - The correct labels.
 * @param first - The labels by the first model, one for each row.
 * @param second - The labels by the second model, one for each row.
 * @throws {@link ArgumentError} if an argument is not a list, or the lists are empty or differ in length.
 *
 * @example
 * ```ts
 * const { difference, interval, pValue } = comparePredictions(['a', 'b', 'b'], ['a', 'a', 'b'], ['a', 'b', 'b']);
 * ```
 */
export function comparePredictions(
  yTrue: readonly string[],
  first: readonly string[],
  second: readonly string[],
): Comparison {
  checkSameRows(yTrue, first, 'first');
  checkSameRows(yTrue, second, 'second');
  const counts = [0, 0, 0, 0] as [number, number, number, number];
  for (const [row, label] of yTrue.entries()) {
    for (const [name, list] of [
      ['yTrue', yTrue],
      ['first', first],
      ['second', second],
    ] as const)
      if (typeof list[row] !== 'string') throw invalidArgument(`${name}[${row}]`, 'a string', list[row]);
    const right = [first[row] === label, second[row] === label];
    counts[right[0] ? (right[1] ? 0 : 1) : right[1] ? 2 : 3]++;
  }
  return comparisonOf(...counts);
}
