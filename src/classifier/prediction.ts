import type { BatchTokenizer, Tokenizer } from '../text/tokenizer.js';
import type { Vocab } from '../text/vocab.js';
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
  /** The most probable label; of a `multiLabel` model too, also if it is below its threshold. */
  readonly label: string;
  /** Its probability. */
  readonly probability: number;
  /**
   * The labels that the text is given, the most probable one first: of a `multiLabel` model all whose probability reaches
   * their threshold, which may be none; else {@link label} alone. `topK` does not shorten it.
   */
  readonly labels: readonly string[];
  /** The most probable labels, in falling order; all of them unless `topK` asked for fewer. */
  readonly classes: readonly LabelProbability[];
  /** Tokens of the text, after cutting to the model's `maxLength`, n-grams included; 0 for an empty text. */
  readonly tokens: number;
  /** How many of them are in the vocabulary. With 0 the distribution says nothing about the text. */
  readonly knownTokens: number;

  /** @internal */
  constructor(classes: readonly LabelProbability[], labels: readonly string[], tokens: number, knownTokens: number) {
    this.label = classes[0]!.label;
    this.probability = classes[0]!.probability;
    this.labels = labels;
    this.classes = classes;
    this.tokens = tokens;
    this.knownTokens = knownTokens;
  }

  /** The labels, from the most probable on. */
  [Symbol.iterator](): Iterator<LabelProbability> {
    return this.classes[Symbol.iterator]();
  }
}

/** A text as token ids, at least one; how many tokens it has, and how many of them are known. */
export interface EncodedText {
  ids: Int32Array;
  count: number;
  known: number;
}

/** The `count` largest of a row, as indices in falling order; of equal ones the first comes first. */
function largest(row: Float32Array, count: number): number[] {
  const order: number[] = [];
  for (let index = 0; index < row.length; index++) order.push(index);
  if (count >= row.length || count > 16) return order.sort((a, b) => row[b]! - row[a]!).slice(0, count);
  // Sorting thousands of labels for the sake of a few would take longer than the prediction.
  const best: number[] = [];
  for (const index of order) {
    let place = best.length;
    while (place > 0 && row[index]! > row[best[place - 1]!]!) place--;
    if (place < count) {
      best.splice(place, 0, index);
      best.length = Math.min(best.length, count);
    }
  }
  return best;
}

/** The elements of a row that reach their threshold, as indices, the largest first. */
function reached(row: Float32Array, thresholds: readonly number[]): number[] {
  const indices: number[] = [];
  for (let index = 0; index < row.length; index++) if (row[index]! >= thresholds[index]!) indices.push(index);
  return indices.sort((a, b) => row[b]! - row[a]!);
}

/**
 * Sorts one row of probabilities into a {@link Prediction}.
 *
 * @internal
 */
export function predictionOf(
  { labels, thresholds }: Pick<Predictor, 'labels' | 'thresholds'>,
  row: Float32Array,
  topK: number,
  { count, known }: Pick<EncodedText, 'count' | 'known'>,
): Prediction {
  const classes = largest(row, topK).map((index) => ({ label: labels[index]!, probability: row[index]! }));
  const given = thresholds ? reached(row, thresholds).map((index) => labels[index]!) : [classes[0]!.label];
  return new Prediction(classes, given, count, known);
}

/** Rows that go to the engine in one call: enough to keep it busy, few enough to let others in between. */
const ROWS_PER_CALL = 1_024;

/**
 * Probabilities of many rows, `[rows, classes]`, in the order given.
 *
 * @internal
 */
export async function predictRows(
  engine: Pick<Engine, 'predict'>,
  tokens: Int32Array,
  lengths: Int32Array,
  classes: number,
): Promise<Float32Array> {
  const result = new Float32Array(lengths.length * classes);
  for (let row = 0, token = 0; row < lengths.length; row += ROWS_PER_CALL) {
    const part = lengths.subarray(row, row + ROWS_PER_CALL);
    const end = part.reduce((sum, length) => sum + length, token);
    result.set(await engine.predict(tokens.subarray(token, end), part), row * classes);
    token = end;
  }
  return result;
}

/** What turns texts into predictions. */
export interface Predictor {
  engine: Pick<Engine, 'predict' | 'predictNow' | 'workPerToken'>;
  tokenizer: Tokenizer | BatchTokenizer;
  vocab: Vocab;
  labels: readonly string[];
  /** The probability from which on each label is given; of a model with exclusive labels undefined. */
  thresholds: readonly number[] | undefined;
}

/** Looks the tokens of a text up. */
export function encodeTokens({ vocab }: Pick<Predictor, 'vocab'>, tokens: readonly string[]): EncodedText {
  const unknown = vocab.defaultIndex!;
  if (tokens.length === 0) return { ids: Int32Array.of(unknown), count: 0, known: 0 };
  const ids = vocab.encode(tokens);
  let known = 0;
  for (let i = 0; i < ids.length; i++) if (ids[i] !== unknown) known++;
  return { ids, count: tokens.length, known };
}

/** Splits a text and looks its tokens up. */
export function encodeText(predictor: Pick<Predictor, 'tokenizer' | 'vocab'>, text: string): EncodedText {
  const { tokenizer } = predictor;
  return encodeTokens(predictor, typeof tokenizer === 'function' ? tokenizer(text) : tokenizer.tokenize(text));
}

/** Texts that are split in one call away from the event loop, and characters from which a single one is. */
const TEXTS_PER_CALL = 64;
const LONG_TEXT = 8_192;

/**
 * The tokenizer and those of the next texts that are better split together, away from the event loop: several, or a long one.
 * Undefined where the tokenizer cannot do that or it is not worth it.
 */
export function splitTogether(
  { tokenizer }: Pick<Predictor, 'tokenizer'>,
  texts: readonly string[],
  from: number,
): { tokenizer: BatchTokenizer; texts: readonly string[] } | undefined {
  if (typeof tokenizer === 'function') return undefined;
  const next = texts.slice(from, from + TEXTS_PER_CALL);
  const few = next.length < 8 && !next.some((text) => text?.length >= LONG_TEXT);
  return few || next.some((text) => typeof text !== 'string') ? undefined : { tokenizer, texts: next };
}
