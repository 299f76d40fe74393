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

/** Which label is taken for which. */
export interface ConfusionMatrix {
  /** The labels, in the order of the matrix. */
  labels: string[];
  /** Rows of true labels, columns of predicted labels: `confusionMatrix[truth][predicted]` counts rows. */
  confusionMatrix: number[][];
}

/** What the labels given to rows say, without their probabilities; for exclusive labels. */
export interface ClassificationReport extends ConfusionMatrix {
  /** Rows measured. */
  rows: number;
  /** Share of rows that were given the right label. */
  accuracy: number;
  /** Measures of each label, in the order of `labels`. */
  perLabel: LabelMeasures[];
  /** Mean over the labels, each counting the same. */
  macroAverage: PrecisionRecall;
  /** Mean over the labels, each counting by its support. */
  weightedAverage: PrecisionRecall;
  /** What is a division by zero and was taken as 0. */
  undefinedMeasures: UndefinedMeasure[];
}

/** The report of a matrix of counts. `averaged` says which labels the averages are over; default all. */
export function reportOf(
  labels: readonly string[],
  confusionMatrix: number[][],
  averaged: (measures: LabelMeasures) => boolean = () => true,
): ClassificationReport {
  const hits = labels.map((_, i) => confusionMatrix[i]![i]!);
  const support = confusionMatrix.map((row) => row.reduce((sum, count) => sum + count, 0));
  const predicted = new Array<number>(labels.length).fill(0);
  for (const row of confusionMatrix) for (let i = 0; i < row.length; i++) predicted[i]! += row[i]!;
  const rows = support.reduce((sum, count) => sum + count, 0);
  const perLabel = measureLabels(labels, { hits, predicted, support });
  const counted = perLabel.filter(averaged);
  return {
    rows,
    accuracy: ratio(
      hits.reduce((sum, count) => sum + count, 0),
      rows,
    ),
    labels: [...labels],
    confusionMatrix,
    perLabel,
    macroAverage: average(counted, () => 1),
    weightedAverage: average(counted, (measures) => measures.support),
    undefinedMeasures: undefinedMeasures(perLabel),
  };
}

/** A matrix of zeros. */
export function emptyMatrix(size: number): number[][] {
  return Array.from({ length: size }, () => new Array<number>(size).fill(0));
}

/**
 * Counts which label was given to the rows of which label, as scikit-learn's `confusion_matrix`.
 *
 * @param yTrue - the right label of each row.
 * @param yPred - the label that was given to it.
 * @returns counts, true labels down and given labels across; {@link formatConfusionMatrix} lays them out.
 * @throws {@link ArgumentError} `INVALID_SHAPE` if there is not one of each for every row, `EMPTY_DATASET` without rows,
 * `UNKNOWN_LABEL` for a label that is not among the `labels`.
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
  checkSameRows(yTrue, yPred);
  const index = new LabelIndex(options.labels, function* () {
    yield* yTrue;
    yield* yPred;
  });
  const matrix = emptyMatrix(index.labels.length);
  for (let row = 0; row < yTrue.length; row++) {
    matrix[index.of(yTrue[row], `yTrue[${row}]`)]![index.of(yPred[row], `yPred[${row}]`)]! += 1;
  }
  return { labels: [...index.labels], confusionMatrix: matrix };
}

/**
 * Accuracy, and precision, recall and F1 of each label and on average, as scikit-learn's `classification_report`. A measure
 * that would be a division by zero counts as 0, and `undefinedMeasures` names it.
 *
 * @param yTrue - the right label of each row.
 * @param yPred - the label that was given to it.
 * @param options - with `labels`, each of them counts in the macro average, also one that occurs nowhere.
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
  const { labels, confusionMatrix: matrix } = confusionMatrix(yTrue, yPred, options);
  return reportOf(labels, matrix);
}
