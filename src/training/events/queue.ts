import type { AnyTaskEvent } from './events.js';

/** Of these a reader that is behind gets the newest alone. */
const NEWEST_ALONE: readonly AnyTaskEvent['type'][] = ['prepare', 'step', 'checkpoint', 'warning'];

/** Who waits for the next event. */
interface Reader<E> {
  resolve(result: IteratorResult<E, undefined>): void;
  reject(error: unknown): void;
}

/**
 * Events for one reader. What a slow reader has not taken does not pile up: of `prepare`, `step`, `checkpoint` and `warning` the newest
 * one between two others is kept, so there are some for each epoch at most.
 */
export class EventQueue<E extends AnyTaskEvent = AnyTaskEvent> implements AsyncIterableIterator<E, undefined> {
  readonly #events: E[] = [];
  readonly #onReturn: () => void;
  #readers: Reader<E>[] = [];
  #ended = false;
  #error: { error: unknown } | undefined;

  /** @param onReturn - Called when the reader has had enough. */
  constructor(onReturn: () => void) {
    this.#onReturn = onReturn;
  }

  /** How many events wait for the reader. */
  get length(): number {
    return this.#events.length;
  }

  /** Adds an event. */
  push(event: E): void {
    const reader = this.#readers.shift();
    if (reader) {
      reader.resolve({ done: false, value: event });
      return;
    }
    if (NEWEST_ALONE.includes(event.type)) {
      for (let at = this.#events.length - 1; at >= 0 && NEWEST_ALONE.includes(this.#events[at]!.type); at--) {
        if (this.#events[at]!.type === event.type) {
          this.#events.splice(at, 1);
          break;
        }
      }
    }
    this.#events.push(event);
  }

  /** Nothing more will come; behind the last event the reader gets the error, if there is one. */
  end(failure?: { error: unknown }): void {
    this.#ended = true;
    this.#error = failure;
    const readers = this.#readers;
    this.#readers = [];
    for (const { resolve, reject } of readers) this.#finish(resolve, reject);
  }

  #finish(resolve: (result: IteratorResult<E, undefined>) => void, reject: (error: unknown) => void): void {
    const failure = this.#error;
    this.#error = undefined;
    if (failure) reject(failure.error);
    else resolve({ done: true, value: undefined });
  }

  next(): Promise<IteratorResult<E, undefined>> {
    return new Promise((resolve, reject) => {
      const event = this.#events.shift();
      if (event) resolve({ done: false, value: event });
      else if (this.#ended) this.#finish(resolve, reject);
      else this.#readers.push({ resolve, reject });
    });
  }

  async return(): Promise<IteratorResult<E, undefined>> {
    this.#events.length = 0;
    this.end();
    this.#onReturn();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
