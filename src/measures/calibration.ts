import { ExactSum } from './counts.js';

/** Rows whose highest probability lies between two bounds. */
export interface CalibrationBin {
  /** Lower bound (exclusive). */
  from: number;
  /** Upper bound (inclusive). */
  to: number;
  /** Rows in the bin, at least one: empty bins are skipped. */
  rows: number;
  /** Mean probability of the predicted label. */
  confidence: number;
  /** Share of the rows predicted correctly. */
  accuracy: number;
}

/** How far probabilities deviate from the observed accuracy. */
export interface CalibrationResult {
  /** Expected calibration error: mean over the rows of their bin's `|accuracy - confidence|`. 0 is perfect, 1 the worst. */
  error: number;
  /** The largest `|accuracy - confidence|` of a bin. */
  largestError: number;
  /** The non-empty bins, by ascending probability. */
  bins: CalibrationBin[];
}

/** Sums for a {@link CalibrationResult}. */
export class Calibration {
  /** Upper bounds of all bins but the last, computed as in numpy's `linspace`. */
  readonly #bounds: Float64Array;
  readonly #confidence: ExactSum[];
  readonly #rows: Float64Array;
  readonly #right: Float64Array;

  constructor(bins: number) {
    this.#bounds = Float64Array.from({ length: bins - 1 }, (_, i) => (i + 1) * (1 / bins));
    this.#confidence = Array.from({ length: bins }, () => new ExactSum());
    this.#rows = new Float64Array(bins);
    this.#right = new Float64Array(bins);
  }

  /** Counts a row by the probability of its predicted label. */
  add(probability: number, right: boolean): void {
    // The first bound that is not below the probability.
    let low = 0;
    let high = this.#bounds.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#bounds[middle]! < probability) low = middle + 1;
      else high = middle;
    }
    this.#confidence[low]!.add(probability);
    this.#rows[low]! += 1;
    if (right) this.#right[low]! += 1;
  }

  finish(): CalibrationResult {
    const bins: CalibrationBin[] = [];
    const sum = new ExactSum();
    let largestError = 0;
    let all = 0;
    for (const [i, rows] of this.#rows.entries()) {
      if (rows === 0) continue;
      const confidence = this.#confidence[i]!.value / rows;
      const accuracy = this.#right[i]! / rows;
      bins.push({ from: i === 0 ? 0 : this.#bounds[i - 1]!, to: this.#bounds[i] ?? 1, rows, confidence, accuracy });
      const distance = Math.abs(accuracy - confidence);
      sum.add(rows * distance);
      largestError = Math.max(largestError, distance);
      all += rows;
    }
    return { error: all === 0 ? 0 : sum.value / all, largestError, bins };
  }
}
