import { Random } from '../../core/random.js';

/**
 * Splits rows into parts for cross-validation, with the rows of each class spread evenly. The same seed gives the same
 * parts on every machine.
 *
 * @param classes - The class of each row; equal keys are one class.
 * @param folds - Number of parts, at least 1.
 * @param seed - Seed of the split.
 * @param units - A number for each row; rows with the same number are in the same part.
 * @returns the part of each row, from 0 to `folds - 1`. `[rows]`
 *
 * @internal
 */
export function stratifiedFolds(
  classes: ArrayLike<number | string>,
  folds: number,
  seed: number,
  units?: Int32Array,
): Int32Array {
  const order = new Random(seed).permutation(classes.length);
  const next = new Map<number | string, number>();
  const fold = new Int32Array(classes.length);
  const ofUnit = new Map<number, number>();
  for (const row of order) {
    const known = units && ofUnit.get(units[row]!);
    if (known !== undefined) {
      fold[row] = known;
      continue;
    }
    const key = classes[row]!;
    const place = next.get(key) ?? 0;
    fold[row] = place % folds;
    if (units) ofUnit.set(units[row]!, place % folds);
    next.set(key, place + 1);
  }
  return fold;
}
