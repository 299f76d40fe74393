import { constraint, invalidArgument } from '../core/errors.js';
import { checkOptionNames } from '../core/options/names.js';
import {
  average,
  ExactSum,
  type LabelMeasures,
  measureLabels,
  type PrecisionRecall,
  precisionRecall,
  type UndefinedMeasure,
  undefinedMeasures,
} from './counts.js';
import { checkSameRows, LabelIndex, type LabelOptions } from './labels.js';

/** Rows without any label. In the samples average, their precision or recall is a division by zero and counts as 0. */
export interface RowsWithoutLabel {
  /** Rows without a true label. */
  truth: number;
  /** Rows without a predicted label. */
  predicted: number;
  /** Rows with neither. */
  both: number;
}

/** Measures of predicted sets of labels. */
export interface MultiLabelReport {
  /** Rows measured. */
  rows: number;
  /** The labels. */
  labels: string[];
  /** Share of rows predicted exactly: the subset accuracy, scikit-learn's `accuracy_score`. */
  accuracy: number;
  /** Share of all decisions, one for each row and label, that were wrong. */
  hammingLoss: number;
  /** Measures of each label, in the order of `labels`. */
  perLabel: LabelMeasures[];
  /** Over all decisions together. */
  microAverage: PrecisionRecall;
  /** Mean over the labels, each counting the same. */
  macroAverage: PrecisionRecall;
  /** Mean over the labels, each counting by its support. */
  weightedAverage: PrecisionRecall;
  /** Mean over the rows of precision, recall and F1 of the row's own labels; a row without labels counts 0. */
  samplesAverage: PrecisionRecall;
  /** Number of rows without true or predicted labels. */
  rowsWithoutLabel: RowsWithoutLabel;
  /** What of the labels' measures is a division by zero and was taken as 0. */
  undefinedMeasures: UndefinedMeasure[];
}

/** Sums for a {@link MultiLabelReport}. */
export class MultiLabelCounter {
  readonly #labels: readonly string[];
  #hits: Float64Array;
  #predicted: Float64Array;
  #support: Float64Array;
  readonly #samples = { precision: new ExactSum(), recall: new ExactSum(), f1: new ExactSum() };
  readonly #without = { truth: 0, predicted: 0, both: 0 };
  #rows = 0;
  #exact = 0;

  constructor(labels: readonly string[]) {
    this.#labels = labels;
    this.#hits = new Float64Array(labels.length);
    this.#predicted = new Float64Array(labels.length);
    this.#support = new Float64Array(labels.length);
  }

  /** Makes room for another label, which is in the list of labels by the end. */
  extend(): void {
    const longer = (counts: Float64Array) => {
      const all = new Float64Array(counts.length + 1);
      all.set(counts);
      return all;
    };
    this.#hits = longer(this.#hits);
    this.#predicted = longer(this.#predicted);
    this.#support = longer(this.#support);
  }

  /** Counts a row: the indices of its true and predicted labels, both ascending. */
  add(truth: ArrayLike<number>, predicted: ArrayLike<number>): void {
    let hits = 0;
    for (let i = 0, j = 0; i < truth.length && j < predicted.length; ) {
      const difference = truth[i]! - predicted[j]!;
      if (difference === 0) {
        this.#hits[truth[i]!]! += 1;
        hits++;
      }
      if (difference <= 0) i++;
      if (difference >= 0) j++;
    }
    for (let i = 0; i < truth.length; i++) this.#support[truth[i]!]! += 1;
    for (let i = 0; i < predicted.length; i++) this.#predicted[predicted[i]!]! += 1;
    const row = precisionRecall(hits, predicted.length, truth.length);
    this.#samples.precision.add(row.precision);
    this.#samples.recall.add(row.recall);
    this.#samples.f1.add(row.f1);
    if (truth.length === 0) this.#without.truth++;
    if (predicted.length === 0) this.#without.predicted++;
    if (truth.length + predicted.length === 0) this.#without.both++;
    if (hits === truth.length && hits === predicted.length) this.#exact++;
    this.#rows++;
  }

  finish(): MultiLabelReport {
    const [hits, predicted, support] = [this.#hits, this.#predicted, this.#support].map((counts) =>
      counts.reduce((sum, count) => sum + count, 0),
    ) as [number, number, number];
    const counts = { hits: this.#hits, predicted: this.#predicted, support: this.#support };
    const perLabel = measureLabels(this.#labels, counts);
    const { precision, recall, f1 } = this.#samples;
    return {
      rows: this.#rows,
      labels: [...this.#labels],
      accuracy: this.#exact / this.#rows,
      hammingLoss: (support + predicted - 2 * hits) / (this.#rows * this.#labels.length),
      perLabel,
      microAverage: precisionRecall(hits, predicted, support),
      macroAverage: average(perLabel, () => 1),
      weightedAverage: average(perLabel, (measures) => measures.support),
      samplesAverage: {
        precision: precision.value / this.#rows,
        recall: recall.value / this.#rows,
        f1: f1.value / this.#rows,
      },
      rowsWithoutLabel: { ...this.#without },
      undefinedMeasures: undefinedMeasures(perLabel),
    };
  }
}

/** Distinct indices of a row's labels, ascending. */
function indicesOf(index: LabelIndex, row: unknown, name: string): number[] {
  if (!Array.isArray(row)) throw invalidArgument(name, 'an array of labels', row);
  const indices = new Set(row.map((label, i) => index.of(label, `${name}[${i}]`)));
  return [...indices].sort((a, b) => a - b);
}

/**
 * Measures rows that may have any number of labels, none included: subset accuracy, Hamming loss, and precision, recall and
 * F1 of each label and as micro, macro, weighted and samples average. The definitions are those of scikit-learn's
 * `accuracy_score`, `hamming_loss` and `precision_recall_fscore_support` for label indicators; a division by zero counts as 0.
 *
 * @param yTrue - The correct labels of each row.
 * @param yPred - The predicted labels of each row.
 * @throws {@link ArgumentError} `INVALID_SHAPE`, `EMPTY_DATASET`, `UNKNOWN_LABEL`, or `INVALID_ARGUMENT` if no row has a label
 * and no `labels` are given.
 *
 * @example
 * ```ts
 * const { microAverage } = multiLabelReport([['urgent', 'billing'], []], [['billing'], []]);
 * microAverage.recall; // 0.5
 * ```
 */
export function multiLabelReport(
  yTrue: readonly (readonly string[])[],
  yPred: readonly (readonly string[])[],
  options: LabelOptions = {},
): MultiLabelReport {
  checkOptionNames('multiLabelReport', options, ['labels']);
  checkSameRows(yTrue, yPred);
  const index = new LabelIndex(options.labels, function* () {
    for (const rows of [yTrue, yPred]) for (const row of rows) if (Array.isArray(row)) yield* row as string[];
  });
  if (index.labels.length === 0) throw constraint('labels', 'labels is required here: none of the rows has a label');
  const counter = new MultiLabelCounter(index.labels);
  for (let row = 0; row < yTrue.length; row++) {
    counter.add(indicesOf(index, yTrue[row], `yTrue[${row}]`), indicesOf(index, yPred[row], `yPred[${row}]`));
  }
  return counter.finish();
}
