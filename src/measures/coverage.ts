/** What comes of answering only where the probability reaches a threshold. */
export interface CoveragePoint {
  /** Probability from which on a row is answered. */
  threshold: number;
  /** Share of all rows that are answered. */
  coverage: number;
  /** Share of the answered rows that are right. */
  precision: number;
}

/** The largest share of rows that can be answered at a precision. */
export interface CoverageAt {
  /** The precision wanted. */
  wanted: number;
  /** The threshold with the largest coverage whose precision reaches it; null if none does. */
  point: CoveragePoint | null;
}

/** Precision against threshold and coverage. */
export interface CoverageCurve {
  /** Points by falling threshold, from the most certain rows to all rows. */
  points: CoveragePoint[];
  /** What can be answered at each precision that was asked for. */
  at: CoverageAt[];
}

/**
 * Precision against the share of rows that is answered, for every threshold. Rows of the same probability are answered together.
 *
 * @param right - Probabilities of the answers that are right; sorted in place.
 * @param wrong - Those of the others; sorted in place.
 * @param wanted - Precisions for which the largest coverage is looked for.
 * @param most - Points that are given, at most; they are spread evenly over the coverage.
 */
export function coverageCurve(
  right: Float64Array,
  wrong: Float64Array,
  wanted: readonly number[],
  most: number,
): CoverageCurve {
  right.sort();
  wrong.sort();
  const rows = right.length + wrong.length;
  const points: CoveragePoint[] = [];
  const at: CoverageAt[] = wanted.map((precision) => ({ wanted: precision, point: null }));
  let [hits, misses] = [0, 0];
  let next = 0;
  while (hits + misses < rows) {
    const threshold = Math.max(right[right.length - 1 - hits] ?? 0, wrong[wrong.length - 1 - misses] ?? 0);
    while (hits < right.length && right[right.length - 1 - hits]! >= threshold) hits++;
    while (misses < wrong.length && wrong[wrong.length - 1 - misses]! >= threshold) misses++;
    const answered = hits + misses;
    const point = { threshold, coverage: answered / rows, precision: hits / answered };
    for (const each of at) if (point.precision >= each.wanted) each.point = point;
    if (answered < next && answered < rows) continue;
    points.push(point);
    next = answered + rows / most;
  }
  return { points, at };
}
