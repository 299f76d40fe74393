import { invalidArgument } from '../../core/errors.js';

/** What a caller asks about: a text, or its tokens where the model takes these. */
export type Asked = string | readonly string[];

/**
 * Makes a caller's answer of a text's scores: those of `scores` from `start` on. The text has `tokens` tokens, of which
 * `known` are in the vocabulary; `read` is what the route made of it, undefined where the addon read it.
 */
export type Answer<A, T = unknown> = (scores: Float32Array, start: number, tokens: number, known: number, read: T) => A;

/** One call: its texts, how far they are, and whom to tell. A route keeps `T` of each text. */
export interface Call<T, A = unknown> {
  readonly texts: readonly Asked[];
  readonly answer: Answer<A, T>;
  readonly since: number;
  readonly answers: A[];
  /** Texts that were read before their batch: up to the one with the number `read`, without those that were taken. */
  readonly ahead: (T | undefined)[];
  read: number;
  /** Texts that were taken into a batch. */
  taken: number;
  answered: number;
  /** What the call counts for in the queue. */
  weight: number;
  ended: boolean;
  resolve(answers: A[]): void;
  reject(error: unknown): void;
}

/**
 * A text of a call.
 *
 * @throws {@link ArgumentError} naming its place if it is not a string.
 */
export function textAt(texts: readonly Asked[], index: number): string {
  const text = texts[index];
  if (typeof text !== 'string') throw invalidArgument(`texts[${index}]`, 'a string', text);
  return text;
}
