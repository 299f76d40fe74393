/** The effect of answering only if the probability reaches a threshold. */
export interface CoveragePoint {
  /** Minimum probability of an answered row. */
  threshold: number;
  /** Share of all rows that are answered. */
  coverage: number;
  /** Share of the answered rows that are correct. */
  precision: number;
}

/** The largest coverage at a required precision. */
export interface CoverageAt {
  /** The required precision. */
  wanted: number;
  /** The threshold with the largest coverage whose precision reaches it; null if none does. */
  point: CoveragePoint | null;
}

/** Precision against threshold and coverage. */
export interface CoverageCurve {
  /** Points by descending threshold, from the most certain rows to all. */
  points: CoveragePoint[];
  /** The coverage at each requested precision. */
  at: CoverageAt[];
}

/** What is answered from a threshold on. */
interface Answered {
  threshold: number;
  /** The largest probability below the threshold; 0 where there is none. */
  below: number;
  answered: number;
  right: number;
}

/**
 * What is answered from each threshold on, by falling threshold. Rows of the same probability are answered together.
 *
 * @param right - Probabilities of the answers that are right; sorted in place.
 * @param wrong - Those of the others; sorted in place.
 */
function* answeredFrom(right: Float64Array, wrong: Float64Array): Generator<Answered, void, undefined> {
  right.sort();
  wrong.sort();
  let [hits, misses] = [0, 0];
  const largestLeft = () => Math.max(right[right.length - 1 - hits] ?? 0, wrong[wrong.length - 1 - misses] ?? 0);
  while (hits + misses < right.length + wrong.length) {
    const threshold = largestLeft();
    while (hits < right.length && right[right.length - 1 - hits]! >= threshold) hits++;
    while (misses < wrong.length && wrong[wrong.length - 1 - misses]! >= threshold) misses++;
    yield { threshold, below: largestLeft(), answered: hits + misses, right: hits };
  }
}

/**
 * Precision against the share of rows that is answered, for every threshold. Rows of the same probability are answered together.
 *
 * @param right - Probabilities of the correct answers; sorted in place.
 * @param wrong - Those of the others; sorted in place.
 * @param wanted - The requested precisions.
 * @param most - Maximum number of points, spread evenly over the coverage.
 */
export function coverageCurve(
  right: Float64Array,
  wrong: Float64Array,
  wanted: readonly number[],
  most: number,
): CoverageCurve {
  const rows = right.length + wrong.length;
  const points: CoveragePoint[] = [];
  const at: CoverageAt[] = wanted.map((precision) => ({ wanted: precision, point: null }));
  let next = 0;
  for (const { threshold, answered, right: hits } of answeredFrom(right, wrong)) {
    const point = { threshold, coverage: answered / rows, precision: hits / answered };
    for (const each of at) if (point.precision >= each.wanted) each.point = point;
    if (answered < next && answered < rows) continue;
    points.push(point);
    next = answered + rows / most;
  }
  return { points, at };
}

/** A threshold that answers more rows than any other of at least its precision. */
export interface PrecisionStep {
  /** Half-way between the least probable row that is answered and the next one; 0 where all are answered. */
  threshold: number;
  /** Rows that are answered. */
  answered: number;
  /** How many of them are right. */
  right: number;
}

/** Digits of a threshold between two probabilities. */
const DIGITS = 6;

/** A short number between two others, the larger one included. */
function between({ threshold, below }: Answered): number {
  const middle = Number(((threshold + below) / 2).toPrecision(DIGITS));
  return middle > below && middle <= threshold ? middle : threshold;
}

/**
 * For every precision the threshold that answers the most rows, by rising precision, each above the one before: the points of
 * {@link CoverageAt} for all precisions that could be wanted. The first one answers all rows.
 *
 * @param right - Probabilities of the answers that are right; sorted in place.
 * @param wrong - Those of the others; sorted in place.
 * @param most - Steps that are given, at most; of more, some are left out evenly, and the first and the last stay.
 */
export function precisionSteps(right: Float64Array, wrong: Float64Array, most: number): PrecisionStep[] {
  const steps: PrecisionStep[] = [];
  let best = -1;
  for (const step of [...answeredFrom(right, wrong)].reverse()) {
    const { answered, right: hits } = step;
    if (hits / answered <= best) continue;
    best = hits / answered;
    steps.push({ threshold: steps.length === 0 ? 0 : between(step), answered, right: hits });
  }
  if (steps.length <= most) return steps;
  return Array.from({ length: most }, (_, at) => steps[Math.round((at * (steps.length - 1)) / (most - 1))]!);
}
