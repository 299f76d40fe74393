import { ExactSum } from './counts.js';

/** Rows whose highest probability lies between two bounds. */
export interface CalibrationBin {
  /** Lower bound, which itself belongs to the bin before. */
  from: number;
  /** Upper bound. */
  to: number;
  /** Rows in the bin, at least one: empty bins are left out. */
  rows: number;
  /** Mean probability of the label that was given. */
  confidence: number;
  /** Share of the rows that were given the right label. */
  accuracy: number;
}

/** How far the probabilities are from the shares that they promise. */
export interface CalibrationResult {
  /** Expected calibration error: mean over the rows of their bin's `|accuracy - confidence|`. 0 is perfect, 1 the worst. */
  error: number;
  /** The largest `|accuracy - confidence|` of a bin. */
  largestError: number;
  /** The bins that have rows, by rising probability. */
  bins: CalibrationBin[];
}

/** Sums for a {@link CalibrationResult}. */
export class Calibration {
  /** Upper bounds of the bins but the last, computed as numpy's `linspace` does. */
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

  /** Counts a row by the probability of the label that it was given. */
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
