import { zeros } from '../../core/allocate.js';
import type { Engine } from '../../engine/engine.js';
import { rowsPerBlock } from '../blocks.js';
import type { ServedModel } from '../serving/route.js';

/** A label with its probability. */
export interface LabelProbability {
  /** The label, as in the training rows. */
  label: string;
  /** From 0 to 1. */
  probability: number;
}

/**
 * A prediction for one text.
 *
 * Iterating yields the labels from the most probable, so `const [best] = await model.predict(text)` works.
 *
 * @example
 * ```ts
 * const [best, second] = await model.predict('My invoice is wrong');
 * console.log(best, second); // { label: 'billing', probability: 0.93 } { label: 'technical', probability: 0.05 }
 * ```
 */
export class Prediction<L extends string | null = string> implements Iterable<LabelProbability> {
  /**
   * The most probable label; for a `multiLabel` model too, even if it is below its threshold. `null` below
   * `minProbability`.
   */
  readonly label: L;
  /** The largest probability. */
  readonly probability: number;
  /**
   * The assigned labels, the most probable first: for a `multiLabel` model, all whose probability reaches their
   * threshold, possibly none; otherwise only {@link label}. None is below `minProbability`. `topK` does not shorten it.
   */
  readonly labels: readonly string[];
  /** The most probable labels, in descending order; all of them unless `topK` is given. */
  readonly classes: readonly LabelProbability[];
  /** Number of tokens of the text, truncated to the model's `maxLength`, including n-grams; 0 for an empty text. */
  readonly tokens: number;
  /** How many of them are in the vocabulary. If 0, the probabilities say nothing about the text. */
  readonly knownTokens: number;
  /**
   * Whether the text is unlike those of the training, by unknown words, by the entropy of the probabilities and by the energy of the network's scores. One in
   * twenty validation rows of the training was, at most. There only with the option `outOfScope`.
   */
  declare readonly outOfScope?: boolean;

  /** @internal */
  constructor(
    label: L,
    classes: readonly LabelProbability[],
    labels: readonly string[],
    tokens: number,
    knownTokens: number,
  ) {
    this.label = label;
    this.probability = classes[0]!.probability;
    this.labels = labels;
    this.classes = classes;
    this.tokens = tokens;
    this.knownTokens = knownTokens;
  }

  /** The labels, from the most probable. */
  [Symbol.iterator](): Iterator<LabelProbability> {
    return this.classes[Symbol.iterator]();
  }
}

/** For more labels than this, sorting all is faster than inserting each. */
const FEW = 16;

/**
 * The `count` most probable labels in descending order; equal ones keep their order. `values` may contain more than one
 * row.
 */
function largest(labels: readonly string[], values: Float32Array, start: number, count: number): LabelProbability[] {
  if (count > FEW) {
    const sorted = labels.map((label, index) => ({ label, probability: values[start + index]! }));
    return sorted.sort((a, b) => b.probability - a.probability).slice(0, count);
  }
  // An array that grows from nothing has room for 17 elements.
  const best = new Array<LabelProbability>(Math.min(count, labels.length));
  // Sorting thousands of labels to get a few would take longer than the prediction.
  for (let index = 0; index < labels.length; index++) {
    const probability = values[start + index]!;
    let place = Math.min(index, best.length);
    while (place > 0 && probability > best[place - 1]!.probability) place--;
    if (place >= best.length) continue;
    for (let at = Math.min(index, best.length - 1); at > place; at--) best[at] = best[at - 1]!;
    best[place] = { label: labels[index]!, probability };
  }
  return best;
}

/** The labels whose probability reaches their threshold, the most probable first. */
function reached(
  labels: readonly string[],
  values: Float32Array,
  start: number,
  thresholds: readonly number[],
): string[] {
  const indices: number[] = [];
  for (let index = 0; index < labels.length; index++)
    if (values[start + index]! >= thresholds[index]!) indices.push(index);
  indices.sort((a, b) => values[start + b]! - values[start + a]!);
  return indices.map((index) => labels[index]!);
}

/**
 * Sorts the probabilities of a text into a {@link Prediction}: those of `values` from `start` on.
 *
 * @internal
 */
export function predictionOf(
  { labels, thresholds }: Pick<Predictor, 'labels' | 'thresholds'>,
  values: Float32Array,
  start: number,
  topK: number,
  tokens: number,
  known: number,
): Prediction {
  const classes = largest(labels, values, start, topK);
  const given = thresholds ? reached(labels, values, start, thresholds) : [classes[0]!.label];
  return new Prediction(classes[0]!.label, classes, given, tokens, known);
}

/**
 * A prediction that may have no label, if the model is not certain enough.
 *
 * @internal
 */
export function cautious(prediction: Prediction, least: number): Prediction<string | null> {
  const { probability, classes, tokens, knownTokens } = prediction;
  return probability < least ? new Prediction(null, classes, [], tokens, knownTokens) : prediction;
}

/** Rows per call of the engine: enough to keep it busy, few enough to let other calls in between. */
const ROWS_PER_CALL = 1_024;

/**
 * Probabilities of many rows, `[rows, classes]`, in the given order.
 *
 * @internal
 */
export async function predictRows(
  engine: Pick<Engine, 'scores'>,
  tokens: Int32Array,
  lengths: Int32Array,
  classes: number,
): Promise<Float32Array> {
  const result = zeros(lengths.length * classes, 'the probabilities');
  for await (const { row, probabilities } of predictedParts(engine, tokens, lengths, classes))
    result.set(probabilities, row * classes);
  return result;
}

/**
 * Like {@link predictRows}, in blocks: with thousands of labels, all rows may not fit into memory.
 *
 * @internal
 */
export async function* predictedParts(
  engine: Pick<Engine, 'scores'>,
  tokens: Int32Array,
  lengths: Int32Array,
  classes: number,
): AsyncGenerator<{ row: number; probabilities: Float32Array }, void, undefined> {
  const rows = Math.min(ROWS_PER_CALL, rowsPerBlock(classes));
  for (let row = 0, token = 0; row < lengths.length; row += rows) {
    const part = lengths.subarray(row, row + rows);
    const end = part.reduce((sum, length) => sum + length, token);
    yield { row, probabilities: await engine.scores(tokens.subarray(token, end), part) };
    token = end;
  }
}

/** The parts that turn texts into predictions. */
export interface Predictor extends ServedModel {
  labels: readonly string[];
  /** The decision threshold of each label; undefined for a model with exclusive labels. */
  thresholds: readonly number[] | undefined;
}
