/** How well a classifier does on labelled rows. */
export interface Evaluation {
  /** Rows measured. */
  rows: number;
  /** Mean cross entropy per row, in nats. A probability below 1.2e-38 counts as that, the smallest normal float32. */
  loss: number;
  /** Share of rows whose most probable label is the right one. */
  accuracy: number;
  /** The labels, in the order of the matrix. */
  labels: string[];
  /** Rows of true labels, columns of predicted labels: `confusionMatrix[truth][predicted]` counts rows. */
  confusionMatrix: number[][];
}

const SMALLEST = 2 ** -126;

/** Index of the largest of `length` values from `start`; the first one of equals. */
export function argmax(values: Float32Array, start: number, length: number): number {
  let best = 0;
  for (let index = 1; index < length; index++) if (values[start + index]! > values[start + best]!) best = index;
  return best;
}

/**
 * Measures predicted distributions against true labels.
 *
 * @param probabilities - `[rows, labels.length]`, row-major.
 * @param truth - the right label's index, per row.
 * @internal
 */
export function evaluateProbabilities(
  probabilities: Float32Array,
  truth: Int32Array,
  labels: readonly string[],
): Evaluation {
  const classes = labels.length;
  const confusionMatrix = labels.map(() => new Array<number>(classes).fill(0));
  let loss = 0;
  let correct = 0;
  truth.forEach((label, row) => {
    const predicted = argmax(probabilities, row * classes, classes);
    confusionMatrix[label]![predicted]! += 1;
    if (predicted === label) correct += 1;
    loss -= Math.log(Math.max(probabilities[row * classes + label]!, SMALLEST));
  });
  return {
    rows: truth.length,
    loss: loss / truth.length,
    accuracy: correct / truth.length,
    labels: [...labels],
    confusionMatrix,
  };
}
