import type { EncodedDataset } from '../../data/sets/encoded.js';
import { precisionSteps } from '../../measures/coverage.js';
import { binaryCrossEntropy, crossEntropy } from '../../measures/crossEntropy.js';
import { Numbers } from '../../measures/numbers.js';
import { argmaxOf } from '../../measures/probabilities.js';
import type { ValidationResult } from '../../training/progress.js';
import { type Certainty, MOST_STEPS } from './certainty.js';
import { entropyOf } from './scope.js';

/** Sums a training's validation figures for rows with one label each, in blocks of rows. */
export class ExclusiveResult {
  readonly #classes: number;
  #loss = 0;
  #correct = 0;
  #rows = 0;
  readonly #right = new Numbers();
  readonly #wrong = new Numbers();
  readonly #entropies = new Numbers();

  constructor(classes: number) {
    this.#classes = classes;
  }

  /**
   * Counts rows.
   *
   * @param probabilities - `[rows, classes]`, row-major.
   * @param truth - The correct class of each row.
   */
  add(probabilities: Float32Array, truth: Int32Array): this {
    const classes = this.#classes;
    truth.forEach((label, row) => {
      const distribution = probabilities.subarray(row * classes, (row + 1) * classes);
      const best = argmaxOf(distribution);
      if (best === label) this.#correct += 1;
      this.#entropies.push(entropyOf(distribution, false));
      (best === label ? this.#right : this.#wrong).push(distribution[best]!);
      this.#loss += crossEntropy(distribution[label]!);
    });
    this.#rows += truth.length;
    return this;
  }

  finish(): ValidationResult {
    return { rows: this.#rows, loss: this.#loss / this.#rows, accuracy: this.#correct / this.#rows };
  }

  /** Entropies of the rows' probabilities, in their order; can be asked once. */
  entropies(): Float64Array {
    return this.#entropies.take();
  }

  /** What the rows tell of the model's probabilities; can be asked once. */
  certainty(): Certainty {
    return { rows: this.#rows, steps: precisionSteps(this.#right.take(), this.#wrong.take(), MOST_STEPS) };
  }
}

/**
 * Validation figures of a multi-label set: mean binary cross entropy over rows and classes, and the share of rows whose
 * classes are exactly those with a probability above 0.5 (scikit-learn's subset accuracy).
 *
 * @param probabilities - `[rows, classes]`, row-major.
 */
export function multiLabelResult(probabilities: Float32Array, dataset: EncodedDataset): ValidationResult {
  const classes = dataset.classes.length;
  let loss = 0;
  let exact = 0;
  for (let row = 0; row < dataset.length; row++) {
    const given = probabilities.subarray(row * classes, (row + 1) * classes);
    const labels = dataset.labelsOf(row);
    let next = 0;
    let same = true;
    for (let label = 0; label < classes; label++) {
      const present = labels[next] === label;
      if (present) next++;
      const probability = given[label]!;
      loss += binaryCrossEntropy(probability, present);
      if (probability > 0.5 !== present) same = false;
    }
    if (same) exact++;
  }
  return { rows: dataset.length, loss: loss / (dataset.length * classes), accuracy: exact / dataset.length };
}
