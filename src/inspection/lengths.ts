/** How long texts are. */
export interface Lengths {
  /** The shortest. */
  min: number;
  /** The median. */
  median: number;
  /** Arithmetic mean. */
  mean: number;
  /** 95 of 100 texts are not longer. */
  p95: number;
  /** 99 of 100 texts are not longer. */
  p99: number;
  /** The longest. */
  max: number;
}

/** Lengths up to this are counted individually. */
const EXACT = 4_096;
/** Number of parts per doubling beyond that, so that a quantile is at most 1.1 % too large. */
const PARTS = 64;

/**
 * Counts lengths in a memory that does not grow with the texts.
 *
 * @internal
 */
export class LengthCounter {
  readonly #counts: number[] = [];
  #texts = 0;
  #sum = 0;
  #min = Number.POSITIVE_INFINITY;
  #max = 0;

  /** Counts a text. */
  add(length: number): void {
    const bin = length <= EXACT ? length : EXACT + Math.ceil(PARTS * Math.log2(length / EXACT));
    this.#counts[bin] = (this.#counts[bin] ?? 0) + 1;
    this.#texts++;
    this.#sum += length;
    this.#min = Math.min(this.#min, length);
    this.#max = Math.max(this.#max, length);
  }

  /** The lengths counted: exact up to 4,096, quantiles beyond at most 1.1 % too large. Zeros without texts. */
  get lengths(): Lengths {
    if (this.#texts === 0) return { min: 0, median: 0, mean: 0, p95: 0, p99: 0, max: 0 };
    const [median, p95, p99] = this.#quantiles([0.5, 0.95, 0.99]) as [number, number, number];
    return { min: this.#min, median, mean: this.#sum / this.#texts, p95, p99, max: this.#max };
  }

  /** For each share, the smallest length that this share of the texts does not exceed; shares are ascending. */
  #quantiles(shares: readonly number[]): number[] {
    const found: number[] = [];
    let below = 0;
    for (let bin = 0; bin < this.#counts.length && found.length < shares.length; bin++) {
      below += this.#counts[bin] ?? 0;
      const length = bin <= EXACT ? bin : Math.floor(EXACT * 2 ** ((bin - EXACT) / PARTS));
      while (found.length < shares.length && below >= shares[found.length]! * this.#texts)
        found.push(Math.min(length, this.#max));
    }
    return found;
  }
}
