/**
 * The smallest normal float32. Probabilities are clipped to it: a model that gives the truth probability 0 costs 87.3
 * nats, not infinity.
 */
const SMALLEST = 2 ** -126;

/**
 * Cross entropy of one answer, in nats: `-log(probability)`.
 *
 * @param probability - Probability of the correct answer, from 0 to 1.
 * @internal
 */
export function crossEntropy(probability: number): number {
  return -Math.log(Math.max(probability, SMALLEST));
}

/**
 * Binary cross entropy of one label, in nats.
 *
 * @param probability - Probability of the label, from 0 to 1.
 * @param present - Whether the row has the label.
 * @internal
 */
export function binaryCrossEntropy(probability: number, present: boolean): number {
  return crossEntropy(present ? probability : 1 - probability);
}
