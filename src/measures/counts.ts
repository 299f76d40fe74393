/** Precision, recall and F1, of one label or averaged. A division by zero counts as 0. */
export interface PrecisionRecall {
  /** Share of the rows predicted as this label that have it. */
  precision: number;
  /** Share of the rows with this label that were predicted as it. */
  recall: number;
  /** Harmonic mean of both, `2 tp / (2 tp + fp + fn)`. */
  f1: number;
}

/** Measures of one label. */
export interface LabelMeasures extends PrecisionRecall {
  /** The label. */
  label: string;
  /** Rows that have it. */
  support: number;
  /** Rows predicted as it, correctly or not. */
  predicted: number;
}

/** A measure that is a division by zero and counts as 0, as with scikit-learn's default `zero_division`. */
export interface UndefinedMeasure {
  /** The label. */
  label: string;
  /** The measure: precision without a prediction of the label, recall without a row of it, F1 without either. */
  measure: 'precision' | 'recall' | 'f1';
}

/** Counts of each label, in the order of the labels. */
export interface Counts {
  /** Rows with the label that were predicted as it. */
  hits: ArrayLike<number>;
  /** Rows predicted as it. */
  predicted: ArrayLike<number>;
  /** Rows that have it. */
  support: ArrayLike<number>;
}

/** A ratio; 0 if the denominator is 0. */
export function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

/** Precision, recall and F1 from counts. */
export function precisionRecall(hits: number, predicted: number, support: number): PrecisionRecall {
  return {
    precision: ratio(hits, predicted),
    recall: ratio(hits, support),
    f1: ratio(2 * hits, predicted + support),
  };
}

/** Measures of each label. */
export function measureLabels(labels: readonly string[], { hits, predicted, support }: Counts): LabelMeasures[] {
  return labels.map((label, i) => ({
    label,
    ...precisionRecall(hits[i]!, predicted[i]!, support[i]!),
    support: support[i]!,
    predicted: predicted[i]!,
  }));
}

/** The measures of these labels that are divisions by zero. */
export function undefinedMeasures(perLabel: readonly LabelMeasures[]): UndefinedMeasure[] {
  return perLabel.flatMap(({ label, predicted, support }) => {
    const list: UndefinedMeasure[] = [];
    if (predicted === 0) list.push({ label, measure: 'precision' });
    if (support === 0) list.push({ label, measure: 'recall' });
    if (predicted + support === 0) list.push({ label, measure: 'f1' });
    return list;
  });
}

/** Weighted mean over labels; 0 if all weights are 0. */
export function average(
  perLabel: readonly LabelMeasures[],
  weight: (measures: LabelMeasures) => number,
): PrecisionRecall {
  const sums = { precision: 0, recall: 0, f1: 0 };
  let weights = 0;
  for (const measures of perLabel) {
    const share = weight(measures);
    weights += share;
    sums.precision += share * measures.precision;
    sums.recall += share * measures.recall;
    sums.f1 += share * measures.f1;
  }
  return {
    precision: ratio(sums.precision, weights),
    recall: ratio(sums.recall, weights),
    f1: ratio(sums.f1, weights),
  };
}

/** A sum with Neumaier's compensation of rounding errors. */
export class ExactSum {
  #sum = 0;
  #lost = 0;

  add(value: number): void {
    const sum = this.#sum + value;
    this.#lost += Math.abs(this.#sum) >= Math.abs(value) ? this.#sum - sum + value : value - sum + this.#sum;
    this.#sum = sum;
  }

  get value(): number {
    return this.#sum + this.#lost;
  }
}
