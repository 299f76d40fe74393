import { constraint } from '../core/errors.js';
import { checkOptionNames } from '../core/options/names.js';
import {
  average,
  type LabelMeasures,
  measureLabels,
  type PrecisionRecall,
  ratio,
  type UndefinedMeasure,
  undefinedMeasures,
} from './counts.js';
import { checkSameRows, LabelIndex, type LabelOptions } from './labels.js';

/** Counts of true and predicted labels. */
export interface ConfusionMatrix {
  /** The labels, in the order of the matrix. */
  labels: string[];
  /** Rows of true labels, columns of predicted labels: `confusionMatrix[truth][predicted]` counts rows. */
  confusionMatrix: number[][];
}

/** A label that was predicted as another. */
export interface Confusion {
  /** The correct label. */
  truth: string;
  /** The predicted label. */
  predicted: string;
  /** Rows. */
  rows: number;
  /** Share of the rows with the correct label `truth`. */
  share: number;
}

/** Measures of predicted labels, without probabilities; for exclusive labels. */
export interface ClassificationReport {
  /** Rows measured. */
  rows: number;
  /** Share of rows predicted correctly. */
  accuracy: number;
  /** The labels, in the order of `perLabel` and of the matrix. */
  labels: string[];
  /**
   * Rows of true labels, columns of predicted labels: `confusionMatrix[truth][predicted]` counts rows. `null` with more
   * than 1,000 labels, where it would fill the memory with zeros; {@link confusions} lists the non-zero entries.
   */
  confusionMatrix: number[][] | null;
  /** Confused labels, the most frequent first; at most 10,000 pairs. */
  confusions: Confusion[];
  /** Measures of each label, in the order of `labels`. */
  perLabel: LabelMeasures[];
  /** Mean over the labels, each counting the same. */
  macroAverage: PrecisionRecall;
  /** Mean over the labels, each counting by its support. */
  weightedAverage: PrecisionRecall;
  /** Measures that are a division by zero and count as 0. */
  undefinedMeasures: UndefinedMeasure[];
}

/** Maximum labels of a useful matrix; 8 MB as numbers. */
export const MATRIX_LABELS = 1_000;
/** Maximum pairs of labels in a report. */
const MOST_CONFUSIONS = 10_000;

/** Larger than any number of labels: the distance between two true labels in a cell's number. */
const STRIDE = 2 ** 26;

/** Counts pairs of true and predicted labels; only pairs that occur take memory. */
export class PairCounter {
  readonly #labels: readonly string[];
  readonly #cells = new Map<number, number>();

  constructor(labels: readonly string[]) {
    this.#labels = labels;
  }

  /** Counts a row, by the indices of its labels. */
  add(truth: number, predicted: number): void {
    const cell = truth * STRIDE + predicted;
    this.#cells.set(cell, (this.#cells.get(cell) ?? 0) + 1);
  }

  /** The counts, in the order of the matrix. */
  *cells(): Generator<{ truth: number; predicted: number; rows: number }, void, undefined> {
    const places = Float64Array.from(this.#cells.keys()).sort();
    for (const cell of places)
      yield { truth: Math.floor(cell / STRIDE), predicted: cell % STRIDE, rows: this.#cells.get(cell)! };
  }

  /** As a matrix, with its zeros. */
  matrix(): number[][] {
    const size = this.#labels.length;
    const matrix = Array.from({ length: size }, () => new Array<number>(size).fill(0));
    for (const { truth, predicted, rows } of this.cells()) matrix[truth]![predicted] = rows;
    return matrix;
  }
}

/** The pairs of different labels, the most frequent first. */
export function sortedConfusions(
  labels: readonly string[],
  cells: Iterable<{ truth: number; predicted: number; rows: number }>,
  support: ArrayLike<number>,
  most: number,
): Confusion[] {
  const all: Confusion[] = [];
  for (const { truth, predicted, rows } of cells) {
    if (truth === predicted) continue;
    all.push({ truth: labels[truth]!, predicted: labels[predicted]!, rows, share: rows / support[truth]! });
  }
  return all.sort((a, b) => b.rows - a.rows || b.share - a.share).slice(0, most);
}

/** The report of counted rows. `averaged` are the labels to average over; default all. */
export function reportOf(
  labels: readonly string[],
  pairs: PairCounter,
  averaged: (measures: LabelMeasures) => boolean = () => true,
): ClassificationReport {
  const [hits, support, predicted] = [0, 1, 2].map(() => new Float64Array(labels.length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (const { truth, predicted: given, rows } of pairs.cells()) {
    if (truth === given) hits[truth]! += rows;
    support[truth]! += rows;
    predicted[given]! += rows;
  }
  const total = (counts: Float64Array) => counts.reduce((sum, count) => sum + count, 0);
  const perLabel = measureLabels(labels, { hits, predicted, support });
  const counted = perLabel.filter(averaged);
  return {
    rows: total(support),
    accuracy: ratio(total(hits), total(support)),
    labels: [...labels],
    confusionMatrix: labels.length > MATRIX_LABELS ? null : pairs.matrix(),
    confusions: sortedConfusions(labels, pairs.cells(), support, MOST_CONFUSIONS),
    perLabel,
    macroAverage: average(counted, () => 1),
    weightedAverage: average(counted, (measures) => measures.support),
    undefinedMeasures: undefinedMeasures(perLabel),
  };
}

/** Counts labels given as strings. */
function countPairs(
  yTrue: readonly string[],
  yPred: readonly string[],
  options: LabelOptions,
): { labels: readonly string[]; pairs: PairCounter } {
  checkSameRows(yTrue, yPred);
  const index = new LabelIndex(options.labels, function* () {
    yield* yTrue;
    yield* yPred;
  });
  const pairs = new PairCounter(index.labels);
  for (let row = 0; row < yTrue.length; row++)
    pairs.add(index.of(yTrue[row], `yTrue[${row}]`), index.of(yPred[row], `yPred[${row}]`));
  return { labels: index.labels, pairs };
}

/**
 * Counts pairs of true and predicted labels, as scikit-learn's `confusion_matrix`.
 *
 * @param yTrue - The correct label of each row.
 * @param yPred - The predicted label of each row.
 * @returns counts, true labels down and predicted labels across; {@link formatConfusionMatrix} formats them.
 * @throws {@link ArgumentError} `INVALID_SHAPE` if there is not one of each for every row, `EMPTY_DATASET` without rows,
 * `UNKNOWN_LABEL` for a label that is not among the `labels`, `OUT_OF_RANGE` for more than 1,000 labels.
 *
 * @example
 * ```ts
 * confusionMatrix(['a', 'b', 'b'], ['a', 'a', 'b']); // { labels: ['a', 'b'], confusionMatrix: [[1, 0], [1, 1]] }
 * ```
 */
export function confusionMatrix(
  yTrue: readonly string[],
  yPred: readonly string[],
  options: LabelOptions = {},
): ConfusionMatrix {
  checkOptionNames('confusionMatrix', options, ['labels']);
  const { labels, pairs } = countPairs(yTrue, yPred, options);
  if (labels.length > MATRIX_LABELS) {
    throw constraint(
      'labels',
      `a confusion matrix of ${labels.length} labels would fill the memory with zeros; use classificationReport, whose confusions list the non-zero entries`,
      'OUT_OF_RANGE',
    );
  }
  return { labels: [...labels], confusionMatrix: pairs.matrix() };
}

/**
 * Accuracy, and precision, recall and F1 of each label and on average, as scikit-learn's `classification_report`. A measure
 * that would be a division by zero counts as 0, and `undefinedMeasures` names it.
 *
 * @param yTrue - The correct label of each row.
 * @param yPred - The predicted label of each row.
 * @param options - With `labels`, each of them counts in the macro average, even if it never occurs.
 * @throws as {@link confusionMatrix}.
 *
 * @example
 * ```ts
 * const report = classificationReport(['spam', 'ham', 'ham'], ['spam', 'spam', 'ham']);
 * report.macroAverage.f1; // 0.666...
 * console.log(formatClassificationReport(report));
 * ```
 */
export function classificationReport(
  yTrue: readonly string[],
  yPred: readonly string[],
  options: LabelOptions = {},
): ClassificationReport {
  checkOptionNames('classificationReport', options, ['labels']);
  const { labels, pairs } = countPairs(yTrue, yPred, options);
  return reportOf(labels, pairs);
}
