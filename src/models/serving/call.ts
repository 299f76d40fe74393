import { invalidArgument } from '../../core/errors.js';
import type { EncodedText, Prediction } from '../classifier/prediction.js';

/** One call: its texts, how far they are, and whom to tell. */
export interface Call {
  readonly texts: readonly string[];
  readonly topK: number;
  readonly since: number;
  readonly predictions: Prediction[];
  /**
   * Texts encoded ahead: the first `encoded` ones; what was taken into a batch is no longer kept. Where the addon reads the
   * texts itself, nothing is.
   */
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

/**
 * A text of a call.
 *
 * @throws {@link ArgumentError} naming its place if it is not a string.
 */
export function textAt(texts: readonly string[], index: number): string {
  const text = texts[index];
  if (typeof text !== 'string') throw invalidArgument(`texts[${index}]`, 'a string', text);
  return text;
}

/** Some texts of a call, one after the other: its elements from `from` to below `to`. */
interface Run {
  call: Call;
  from: number;
  to: number;
}

/** Texts that are computed together. */
export class Batch {
  readonly runs: Run[] = [];
  /** The texts as they are, or as token ids: of one kind all. */
  readonly texts: string[] = [];
  readonly encoded: EncodedText[] = [];
  /** What they count for, in tokens. */
  tokens = 0;

  get rows(): number {
    return this.texts.length + this.encoded.length;
  }

  /** Adds the next text of a call, as what the call has it or as it is encoded. */
  add(call: Call, text: string | EncodedText, tokens: number): void {
    const run = this.runs.at(-1);
    if (run?.call === call) run.to++;
    else this.runs.push({ call, from: call.taken, to: call.taken + 1 });
    if (typeof text === 'string') this.texts.push(text);
    else this.encoded.push(text);
    this.tokens += tokens;
  }
}

/** What a batch gave, in the order of its texts. */
export interface Computed {
  /** Probabilities of the classes, text by text. */
  probabilities: Float32Array;
  /** Of each text its tokens, and how many of them are known. */
  counts: Uint32Array;
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

/** Tokens and known ones of encoded texts. */
export function countsOf(texts: readonly EncodedText[]): Uint32Array {
  const counts = new Uint32Array(2 * texts.length);
  for (let row = 0; row < texts.length; row++) {
    counts[2 * row] = texts[row]!.count;
    counts[2 * row + 1] = texts[row]!.known;
  }
  return counts;
}
