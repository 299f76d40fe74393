import { Turns } from '../data/turns.js';
import { invalidArgument } from '../errors.js';
import type { Tokenizer } from '../text/tokenizer.js';
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

  /** The labels, from the most probable on. */
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
  engine: Pick<Engine, 'predict'>;
  split: Tokenizer;
  vocab: Vocab;
  labels: readonly string[];
}

/** Some texts on their way: as numbers, and what to tell of each. */
interface Block {
  tokens: Int32Array;
  lengths: Int32Array;
  counts: Int32Array;
  known: Int32Array;
}

/** A text's token ids, at least one, and how many tokens it has and how many of them are known. */
function encodeText({ split, vocab }: Predictor, text: string): { ids: Int32Array; count: number; known: number } {
  const words = split(text);
  const unknown = vocab.defaultIndex!;
  if (words.length === 0) return { ids: Int32Array.of(unknown), count: 0, known: 0 };
  const ids = vocab.encode(words);
  let known = 0;
  for (let i = 0; i < ids.length; i++) if (ids[i] !== unknown) known++;
  return { ids, count: words.length, known };
}

/**
 * Labels one text, without what only many texts need.
 *
 * @internal
 */
export function predictText(predictor: Predictor, text: string, topK: number): Prediction | Promise<Prediction> {
  const { engine, labels } = predictor;
  const { ids, count, known } = encodeText(predictor, text);
  const probabilities = engine.predict(ids, Int32Array.of(ids.length));
  if (probabilities instanceof Float32Array) return predictionOf(labels, probabilities, topK, count, known);
  return probabilities.then((row) => predictionOf(labels, row, topK, count, known));
}

async function encodeBlock(predictor: Predictor, texts: readonly string[], from: number, turns: Turns): Promise<Block> {
  const rows = Math.min(ROWS_PER_CALL, texts.length - from);
  const block = { lengths: new Int32Array(rows), counts: new Int32Array(rows), known: new Int32Array(rows) };
  const parts: Int32Array[] = [];
  let total = 0;
  for (let row = 0; row < rows; row++) {
    const text = texts[from + row];
    if (typeof text !== 'string') throw invalidArgument(`texts[${from + row}]`, 'a string', text);
    const { ids, count, known } = encodeText(predictor, text);
    block.counts[row] = count;
    block.lengths[row] = ids.length;
    block.known[row] = known;
    total += ids.length;
    parts.push(ids);
    if (turns.due) await turns.next();
  }
  const tokens = new Int32Array(total);
  let at = 0;
  for (const ids of parts) {
    tokens.set(ids, at);
    at += ids.length;
  }
  return { ...block, tokens };
}

/**
 * Labels texts, in their order. While the engine computes some, the next ones are split and looked up.
 *
 * @internal
 */
export async function predictTexts(
  predictor: Predictor,
  texts: readonly string[],
  topK: number,
): Promise<Prediction[]> {
  const { engine, labels } = predictor;
  const predictions: Prediction[] = [];
  const turns = new Turns();
  const finish = (block: Block, probabilities: Float32Array) => {
    for (let row = 0; row < block.lengths.length; row++) {
      const distribution = probabilities.subarray(row * labels.length, (row + 1) * labels.length);
      predictions.push(predictionOf(labels, distribution, topK, block.counts[row]!, block.known[row]!));
    }
  };
  let block = await encodeBlock(predictor, texts, 0, turns);
  for (let from = ROWS_PER_CALL; ; from += ROWS_PER_CALL) {
    const pending = engine.predict(block.tokens, block.lengths);
    if (pending instanceof Float32Array) {
      finish(block, pending);
      if (from >= texts.length) return predictions;
      block = await encodeBlock(predictor, texts, from, turns);
    } else {
      const [next, probabilities] = await Promise.all([
        from < texts.length ? encodeBlock(predictor, texts, from, turns) : undefined,
        pending,
      ]);
      finish(block, probabilities);
      if (!next) return predictions;
      block = next;
    }
  }
}
