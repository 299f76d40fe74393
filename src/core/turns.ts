import { nextTurn, now } from './clock.js';
import { throwIfAborted } from './signals.js';

/** Longest stretch of work between two turns of the event loop, in milliseconds. */
const TURN = 6;

/**
 * Shares the event loop: long work asks {@link due} after each small piece and, when it is, awaits {@link next}. Timers
 * and requests of the same process then wait a few milliseconds, not for all of the work.
 *
 * @internal
 */
export class Turns {
  readonly #signal: AbortSignal | undefined;
  readonly #onTurn: (() => void) | undefined;
  readonly #what: string;
  #end: number;

  /**
   * @param signal - Aborting it makes {@link next} throw.
   * @param onTurn - Called before each yield, so at most every few milliseconds.
   * @param what - What the signal aborts, as the subject of the error's sentence.
   */
  constructor(signal?: AbortSignal, onTurn?: () => void, what = 'the work') {
    this.#signal = signal;
    this.#onTurn = onTurn;
    this.#what = what;
    throwIfAborted(signal, what);
    this.#end = now() + TURN;
  }

  /** Whether the current turn has lasted long enough. */
  get due(): boolean {
    return now() >= this.#end;
  }

  /** Waits for one turn of the event loop. */
  async next(): Promise<void> {
    this.#onTurn?.();
    await nextTurn();
    throwIfAborted(this.#signal, this.#what);
    this.#end = now() + TURN;
  }

  /** Starts a new turn, after the caller yielded to the event loop in another way. */
  restart(): void {
    this.#end = now() + TURN;
  }

  /** Runs a generator that pauses often to its end and returns its result. */
  async run<T>(steps: Generator<void, T, undefined>): Promise<T> {
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
      if (this.due) await this.next();
    }
  }
}
