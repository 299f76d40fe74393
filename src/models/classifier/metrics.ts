import { argmaxOf } from '../../measures/probabilities.js';
import type { ValidationResult } from '../../training/progress.js';

const SMALLEST = 2 ** -126;

/**
 * What a training reports of its validation rows.
 *
 * @param probabilities - `[rows, classes]`, row-major.
 * @param truth - the right class, per row.
 * @internal
 */
export function validationResult(probabilities: Float32Array, truth: Int32Array, classes: number): ValidationResult {
  let loss = 0;
  let correct = 0;
  truth.forEach((label, row) => {
    const distribution = probabilities.subarray(row * classes, (row + 1) * classes);
    if (argmaxOf(distribution) === label) correct += 1;
    loss -= Math.log(Math.max(distribution[label]!, SMALLEST));
  });
  return { rows: truth.length, loss: loss / truth.length, accuracy: correct / truth.length };
}
