import type { AnyTaskEvent } from './events.js';

/** For these events, a slow reader only gets the latest. */
const NEWEST_ALONE: readonly AnyTaskEvent['type'][] = ['prepare', 'step', 'checkpoint', 'warning'];

/** A reader waiting for the next event. */
interface Reader<E> {
  resolve(result: IteratorResult<E, undefined>): void;
  reject(error: unknown): void;
}

/**
 * Events for one reader. Unread events do not pile up: of `prepare`, `step`, `checkpoint` and `warning`, only the
 * latest between two others is kept, so there are at most a few per epoch.
 */
export class EventQueue<E extends AnyTaskEvent = AnyTaskEvent> implements AsyncIterableIterator<E, undefined> {
  readonly #events: E[] = [];
  readonly #onReturn: () => void;
  #readers: Reader<E>[] = [];
  #ended = false;
  #error: { error: unknown } | undefined;

  /** @param onReturn - Called when the reader stops. */
  constructor(onReturn: () => void) {
    this.#onReturn = onReturn;
  }

  /** Number of unread events. */
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

  /** Ends the queue; after the last event, the reader gets the error, if there is one. */
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
