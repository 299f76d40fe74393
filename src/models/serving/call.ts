import { invalidArgument } from '../../core/errors.js';

/** A caller's input: a text, or its tokens if the model accepts them. */
export type Asked = string | readonly string[];

/**
 * Makes an answer from a text's scores, which start at `start` in `scores`. The text has `tokens` tokens, of which
 * `known` are in the vocabulary; `read` is the route's encoding of it, undefined if the addon read it.
 */
export type Answer<A, T = unknown> = (scores: Float32Array, start: number, tokens: number, known: number, read: T) => A;

/** One call: its texts, their progress, and its promise. A route keeps `T` for each text. */
export interface Call<T, A = unknown> {
  readonly texts: readonly Asked[];
  readonly answer: Answer<A, T>;
  readonly since: number;
  readonly answers: A[];
  /** Texts read ahead of their batch: up to index `read`, without those already taken. */
  readonly ahead: (T | undefined)[];
  read: number;
  /** Number of texts taken into a batch. */
  taken: number;
  answered: number;
  /** Weight of the call in the queue. */
  weight: number;
  ended: boolean;
  resolve(answers: A[]): void;
  reject(error: unknown): void;
}

/**
 * A text of a call.
 *
 * @throws {@link ArgumentError} naming its index if it is not a string.
 */
export function textAt(texts: readonly Asked[], index: number): string {
  const text = texts[index];
  if (typeof text !== 'string') throw invalidArgument(`texts[${index}]`, 'a string', text);
  return text;
}
