import type { EncodedText, Prediction } from '../prediction.js';

/** One call: its texts, how far they are, and whom to tell. */
export interface Call {
  readonly texts: readonly string[];
  readonly topK: number;
  readonly since: number;
  readonly predictions: Prediction[];
  /** Texts encoded ahead: the first `encoded` ones; what was taken into a batch is no longer kept. */
  readonly ahead: (EncodedText | undefined)[];
  encoded: number;
  taken: number;
  answered: number;
  /** What the call counts for in the queue. */
  weight: number;
  ended: boolean;
  resolve(predictions: Prediction[]): void;
  reject(error: unknown): void;
}

/** Texts that are computed together. */
export interface Batch {
  rows: { call: Call; index: number; text: EncodedText }[];
  tokens: number;
}

/** Probabilities of one row out of many. */
export function rowOf(probabilities: Float32Array, row: number, classes: number): Float32Array {
  return probabilities.subarray(row * classes, (row + 1) * classes);
}

/** Token ids one text after the other, as the engine takes them. */
export function flat(texts: readonly EncodedText[]): { tokens: Int32Array; lengths: Int32Array } {
  if (texts.length === 1) return { tokens: texts[0]!.ids, lengths: Int32Array.of(texts[0]!.ids.length) };
  const lengths = new Int32Array(texts.length);
  let total = 0;
  for (let row = 0; row < texts.length; row++) {
    lengths[row] = texts[row]!.ids.length;
    total += lengths[row]!;
  }
  const tokens = new Int32Array(total);
  let at = 0;
  for (const { ids } of texts) {
    tokens.set(ids, at);
    at += ids.length;
  }
  return { tokens, lengths };
}
