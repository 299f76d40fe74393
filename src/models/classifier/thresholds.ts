import { Turns } from '../../core/turns.js';
import type { EncodedDataset } from '../../data/sets/encoded.js';

/** The threshold of a label without validation rows. */
export const DEFAULT_THRESHOLD = 0.5;

/**
 * The threshold with the largest F1 for one label, half-way between two neighbouring probabilities to keep the largest
 * margin. Of several with the same F1, the one closest to 0.5.
 *
 * @param probabilities - Of the label, per row.
 * @param present - Whether the row has the label.
 * @returns a half if no row has the label.
 */
export function bestThreshold(probabilities: Float32Array, present: Uint8Array): number {
  const positives = present.reduce((sum, one) => sum + one, 0);
  if (positives === 0) return DEFAULT_THRESHOLD;
  // Sorted natively: positives and negatives by themselves, then merged from the largest probability on.
  const sides = [0, 1].map((side) => probabilities.filter((_, row) => present[row] === side).sort());
  const [negatives, hits] = sides as [Float32Array, Float32Array];
  let best = { f1: -1, threshold: DEFAULT_THRESHOLD };
  for (let n = negatives.length, h = hits.length; n + h > 0; ) {
    const above = Math.max(negatives[n - 1] ?? -1, hits[h - 1] ?? -1);
    while (n > 0 && negatives[n - 1]! >= above) n--;
    while (h > 0 && hits[h - 1]! >= above) h--;
    const below = Math.max(negatives[n - 1] ?? 0, hits[h - 1] ?? 0);
    const truePositives = hits.length - h;
    const f1 = (2 * truePositives) / (positives + truePositives + negatives.length - n);
    const threshold = (above + below) / 2;
    const nearer = Math.abs(threshold - 0.5) < Math.abs(best.threshold - 0.5);
    if (f1 > best.f1 || (f1 === best.f1 && nearer)) best = { f1, threshold };
  }
  return best.threshold;
}

/** One threshold per class of a multi-label set without validation rows: 0.5 each. */
export function defaultThresholds(classes: number): number[] {
  return new Array<number>(classes).fill(DEFAULT_THRESHOLD);
}

/** One threshold per class of a multi-label set, chosen by the predictions for validation rows. */
export async function chooseThresholds(probabilities: Float32Array, validation: EncodedDataset): Promise<number[]> {
  const classes = validation.classes.length;
  const thresholds = defaultThresholds(classes);
  const turns = new Turns();
  const rows = validation.length;
  const rowsOf: number[][] = thresholds.map(() => []);
  for (let row = 0; row < rows; row++) for (const label of validation.labelsOf(row)) rowsOf[label]!.push(row);
  for (let label = 0; label < classes; label++) {
    const present = new Uint8Array(rows);
    for (const row of rowsOf[label]!) present[row] = 1;
    const own = Float32Array.from({ length: rows }, (_, row) => probabilities[row * classes + label]!);
    thresholds[label] = bestThreshold(own, present);
    if (turns.due) await turns.next();
  }
  return thresholds;
}
