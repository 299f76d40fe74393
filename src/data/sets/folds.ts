import { Random } from '../../core/random.js';
import { Units } from './groups.js';

/** Rows that belong together. */
export interface Together {
  /** A number for each row, below the number of rows; equal rows of one class share it. They are in one part, unless a class has few others. */
  same?: Int32Array | undefined;
  /** A number for the group of each row, below the number of rows; a group is in one part. */
  groups?: Int32Array | undefined;
}

/** Of the rows of a class in a part, how many times as many equal rows may be. */
const MOST_SAME = 2;

/**
 * Splits rows into parts for cross-validation, with the rows of each class spread evenly. The same seed gives the same
 * parts on every machine.
 *
 * @param classes - The class of each row; equal keys are one class.
 * @param folds - Number of parts, at least 1; with groups, at most their number.
 * @param seed - Seed of the split.
 * @param together - Rows that belong together; without equal rows the parts are the same as without it.
 * @returns the part of each row, from 0 to `folds - 1`. `[rows]`
 *
 * @internal
 */
export function stratifiedFolds(
  classes: ArrayLike<number | string>,
  folds: number,
  seed: number,
  { same, groups }: Together = {},
): Int32Array {
  const order = new Random(seed).permutation(classes.length);
  if (groups) return foldsOfGroups(classes, folds, order, new Units(groups));
  const units = same && new Units(same);
  const counts = units ? countsOf(classes) : undefined;
  const next = new Map<number | string, number>();
  const fold = new Int32Array(classes.length).fill(-1);
  for (const row of order) {
    if (fold[row]! >= 0) continue;
    const key = classes[row]!;
    const place = next.get(key) ?? 0;
    const size = units?.sizeOf(row) ?? 1;
    const whole = size > 1 && size * folds <= MOST_SAME * counts!.get(key)!;
    for (const each of whole ? units!.textsOf(row) : [row]) fold[each] = place % folds;
    next.set(key, place + 1);
  }
  return fold;
}

function countsOf(classes: ArrayLike<number | string>): Map<number | string, number> {
  const counts = new Map<number | string, number>();
  for (let row = 0; row < classes.length; row++) counts.set(classes[row]!, (counts.get(classes[row]!) ?? 0) + 1);
  return counts;
}

/** Puts each group into the part that has the fewest rows of its classes, and of these the one with the fewest rows. */
function foldsOfGroups(
  classes: ArrayLike<number | string>,
  folds: number,
  order: Int32Array,
  units: Units,
): Int32Array {
  const totals = countsOf(classes);
  const parts = Array.from({ length: folds }, () => ({ rows: 0, counts: new Map<number | string, number>() }));
  const fold = new Int32Array(classes.length).fill(-1);
  for (const row of order) {
    if (fold[row]! >= 0) continue;
    const rows = units.textsOf(row);
    const costOf = ({ counts }: (typeof parts)[number]) =>
      rows.reduce((sum, each) => sum + (counts.get(classes[each]!) ?? 0) / totals.get(classes[each]!)!, 0);
    const costs = parts.map(costOf);
    let best = 0;
    for (let part = 1; part < folds; part++)
      if (costs[part]! < costs[best]! || (costs[part] === costs[best] && parts[part]!.rows < parts[best]!.rows))
        best = part;
    const { counts } = parts[best]!;
    for (const each of rows) {
      fold[each] = best;
      counts.set(classes[each]!, (counts.get(classes[each]!) ?? 0) + 1);
    }
    parts[best]!.rows += rows.length;
  }
  return fold;
}
