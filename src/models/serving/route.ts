import type { Engine } from '../../engine/engine.js';
import type { Asked, Call } from './call.js';
import type { ModelReading } from './reading.js';

/** Adjusts an engine's scores by the text itself. */
export interface Refiner {
  /** Synchronously and in place; false for a text that would take too long on the calling thread. */
  now(text: string, scores: Float32Array): boolean;
  /** Away from the event loop, in the order of the texts. */
  later(texts: readonly string[], scores: Float32Array): Promise<Float32Array>;
}

/** What serving needs of a model, independent of its answers. */
export interface ServedModel extends ModelReading {
  engine: Pick<Engine, 'scores' | 'scoresNow' | 'scoreTextNow' | 'scoreTexts' | 'workPerToken'>;
  /** Scores that the engine gives for a text. */
  outputs: number;
  /** Adjusts the scores; undefined if the engine's scores are final. */
  refiner?: Refiner | undefined;
}

/** Scores of some texts, in their order. */
export interface Scored {
  /** {@link Route.scoresOf} scores for each text, concatenated. */
  scores: Float32Array;
  /** For each text, its number of tokens and of known tokens. */
  counts: ArrayLike<number>;
}

/**
 * How texts reach the engine: either the addon reads them, or JavaScript encodes them as ids. Each route works
 * synchronously on the JavaScript thread, or with a batch from the queue. `T` is what a batch keeps for a text.
 */
export interface Route<T> {
  /** Maximum concurrent batches. */
  readonly flights: number;
  /** Whether texts are few and short enough to try synchronously. */
  fits(texts: readonly Asked[]): boolean;
  /**
   * Reads the texts of a small call into `ahead`, if JavaScript reads them, until `late` says to stop.
   *
   * @returns whether all are read.
   */
  read(texts: readonly Asked[], ahead: T[], late: () => boolean): boolean;
  /**
   * Computes a small call synchronously; undefined if that would take too long, or if `late` says so after the first
   * text.
   */
  now(texts: readonly Asked[], ahead: readonly T[], late: () => boolean): Scored | undefined;
  /** The next text of a call, or a promise of it; undefined if the call has ended. An error ends the call. */
  next(call: Call<T>): T | Promise<T | undefined>;
  /** Weight of a text in a batch: its number of tokens, or an estimate. */
  tokensOf(text: T): number;
  /** Scores that the engine gives for a text. */
  scoresOf(text: T): number;
  /** Computes a batch, synchronously if it is small. */
  batch(texts: readonly T[], tokens: number): Scored | Promise<Scored>;
}
