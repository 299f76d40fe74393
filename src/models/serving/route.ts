import type { Engine } from '../../engine/engine.js';
import type { Asked, Call } from './call.js';
import type { ModelReading } from './reading.js';

/** Changes the scores that an engine gave, by what the text itself says. */
export interface Refiner {
  /** At once and in place; false for a text that would take too long on the calling thread. */
  now(text: string, scores: Float32Array): boolean;
  /** Away from the event loop, in the order of the texts. */
  later(texts: readonly string[], scores: Float32Array): Promise<Float32Array>;
}

/** What serving needs of a model, whatever the model answers. */
export interface ServedModel extends ModelReading {
  engine: Pick<Engine, 'scores' | 'scoresNow' | 'scoreTextNow' | 'scoreTexts' | 'workPerToken'>;
  /** Scores that the engine gives for a text. */
  outputs: number;
  /** Has the last word on them; undefined where the engine's scores are the answer. */
  refiner?: Refiner | undefined;
}

/** Scores of some texts, in their order. */
export interface Scored {
  /** As many for each text as {@link Route.scoresOf} says, text by text. */
  scores: Float32Array;
  /** Of each text its tokens, and how many of them are known. */
  counts: ArrayLike<number>;
}

/**
 * The way of texts to the engine. There are two: the addon reads the texts, or JavaScript makes ids of them. Each can be gone at
 * once, on the thread of JavaScript, or with a batch from the queue. `T` is what a batch keeps of a text.
 */
export interface Route<T> {
  /** Batches that may be under way at a time. */
  readonly flights: number;
  /** Whether few texts may be tried at once. */
  fits(texts: readonly Asked[]): boolean;
  /**
   * Reads the texts of a small call into `ahead` as they come, where JavaScript does that, until `late` says to stop.
   *
   * @returns whether all are read.
   */
  read(texts: readonly Asked[], ahead: T[], late: () => boolean): boolean;
  /** Computes a small call at once; undefined if that would take too long, or if `late` says so after the first text. */
  now(texts: readonly Asked[], ahead: readonly T[], late: () => boolean): Scored | undefined;
  /** The next text of a call, or a promise of it; undefined if the call ended meanwhile. What it throws ends the call. */
  next(call: Call<T>): T | Promise<T | undefined>;
  /** What a text counts for in a batch: its tokens, or where they are not known yet, about as many. */
  tokensOf(text: T): number;
  /** Scores that the engine gives for a text. */
  scoresOf(text: T): number;
  /** Computes a batch of some tokens, at once if it is small. */
  batch(texts: readonly T[], tokens: number): Scored | Promise<Scored>;
}
