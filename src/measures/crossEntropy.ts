/** The smallest normal float32. A probability below it counts as it: a model that rules the truth out costs 87.3 nats, not infinity. */
const SMALLEST = 2 ** -126;

/**
 * Cross entropy of one answer, in nats: `-log(probability)`.
 *
 * @param probability - What the model gave the right answer, from 0 to 1.
 * @internal
 */
export function crossEntropy(probability: number): number {
  return -Math.log(Math.max(probability, SMALLEST));
}

/**
 * Binary cross entropy of one label, in nats.
 *
 * @param probability - What the model gave the label, from 0 to 1.
 * @param present - Whether the row has the label.
 * @internal
 */
export function binaryCrossEntropy(probability: number, present: boolean): number {
  return crossEntropy(present ? probability : 1 - probability);
}
