import type { Engine } from './engine.js';

/** A label and how probable the model finds it. */
export interface LabelProbability {
  /** The label as it was in the training rows. */
  label: string;
  /** From 0 to 1. */
  probability: number;
}

/**
 * What a model says about one text.
 *
 * Iterating gives the labels from the most probable on, so `const [best] = await model.predict(text)` works.
 */
export class Prediction implements Iterable<LabelProbability> {
  /** The most probable label. */
  readonly label: string;
  /** Its probability. */
  readonly probability: number;
  /** The most probable labels, in falling order; all of them unless `topK` asked for fewer. */
  readonly classes: readonly LabelProbability[];
  /** Tokens of the text, after cutting to the model's `maxLength`; 0 for an empty text. */
  readonly tokens: number;
  /** How many of them are in the vocabulary. With 0 the distribution says nothing about the text. */
  readonly knownTokens: number;

  /** @internal */
  constructor(classes: readonly LabelProbability[], tokens: number, knownTokens: number) {
    this.label = classes[0]!.label;
    this.probability = classes[0]!.probability;
    this.classes = classes;
    this.tokens = tokens;
    this.knownTokens = knownTokens;
  }

  [Symbol.iterator](): Iterator<LabelProbability> {
    return this.classes[Symbol.iterator]();
  }
}

/**
 * Sorts one row of probabilities into a {@link Prediction}.
 *
 * @internal
 */
export function predictionOf(
  labels: readonly string[],
  row: Float32Array,
  topK: number,
  tokens: number,
  knownTokens: number,
): Prediction {
  const classes = labels.map((label, index) => ({ label, probability: row[index]! }));
  classes.sort((a, b) => b.probability - a.probability);
  return new Prediction(classes.slice(0, topK), tokens, knownTokens);
}

/** Rows that go to the engine in one call: enough to keep it busy, few enough to stop and to answer others between. */
const ROWS_PER_CALL = 1_024;

/**
 * Probabilities of many rows, `[rows, classes]`, in the order given. Rows of similar length are computed together.
 *
 * @internal
 */
export async function predictRows(
  engine: Pick<Engine, 'predict'>,
  tokens: Int32Array,
  lengths: Int32Array,
  classes: number,
): Promise<Float32Array> {
  const rows = lengths.length;
  if (rows <= 1) return rows === 0 ? new Float32Array(0) : engine.predict(tokens, lengths);
  const starts = new Uint32Array(rows);
  for (let row = 1; row < rows; row++) starts[row] = starts[row - 1]! + lengths[row - 1]!;
  const order = Uint32Array.from({ length: rows }, (_, row) => row).sort((a, b) => lengths[b]! - lengths[a]!);
  const result = new Float32Array(rows * classes);
  for (let from = 0; from < rows; from += ROWS_PER_CALL) {
    const part = order.subarray(from, from + ROWS_PER_CALL);
    const partLengths = Int32Array.from(part, (row) => lengths[row]!);
    const partTokens = new Int32Array(partLengths.reduce((sum, length) => sum + length, 0));
    let at = 0;
    for (const row of part) {
      partTokens.set(tokens.subarray(starts[row]!, starts[row]! + lengths[row]!), at);
      at += lengths[row]!;
    }
    const probabilities = await engine.predict(partTokens, partLengths);
    for (const [index, row] of part.entries()) {
      result.set(probabilities.subarray(index * classes, (index + 1) * classes), row * classes);
    }
  }
  return result;
}
