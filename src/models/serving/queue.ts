import { after, now } from '../../core/clock.js';
import { counted } from '../../core/counted.js';
import { RecurraError } from '../../core/errors.js';
import { aborted } from '../../core/signals.js';
import type { Answer, Asked, Call } from './call.js';
import { DEFAULTS, type ServingOptions, servingSettings } from './options.js';

/** The calls that wait for a batch, in order of their turn. */
export class CallQueue<T> {
  /** Calls with remaining texts; finished calls are dropped when their turn comes. */
  calls: Call<T>[] = [];
  settings = DEFAULTS;
  #waiting = 0;
  #refused = 0;
  /** Wakes the loop that waits for a call. */
  #wake: (() => void) | undefined;

  /** Texts waiting, counted as for `maxQueue`. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Number of refused calls. */
  get refused(): number {
    return this.#refused;
  }

  get empty(): boolean {
    return this.calls.length === 0;
  }

  set(options: ServingOptions): void {
    this.settings = servingSettings(options, this.settings);
    this.wake();
  }

  /**
   * Adds a call.
   *
   * @param ahead - Its texts read so far.
   * @throws {@link RecurraError} `OVERLOADED` if `maxQueue` texts are waiting.
   */
  add<A>(texts: readonly Asked[], ahead: T[], answer: Answer<A, T>, signal: AbortSignal | undefined): Promise<A[]> {
    const { maxBatch, maxQueue } = this.settings;
    if (this.#waiting >= maxQueue) {
      this.#refused++;
      throw new RecurraError(
        'OVERLOADED',
        `${counted(this.#waiting, 'text')} ${this.#waiting === 1 ? 'is' : 'are'} already waiting, and maxQueue is ${maxQueue}; try again later`,
      );
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => this.fail(call, aborted('the prediction', signal));
      const call: Call<T, A> = {
        texts,
        answer,
        ahead,
        read: ahead.length,
        since: now(),
        answers: new Array<A>(texts.length),
        taken: 0,
        answered: 0,
        weight: Math.min(texts.length, maxBatch),
        ended: false,
        resolve: (answers) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(answers);
        },
        reject: (error) => {
          signal?.removeEventListener('abort', onAbort);
          reject(error);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.calls.push(call as unknown as Call<T>);
      this.#waiting += call.weight;
      this.wake();
    });
  }

  /** Ends a call with an error. */
  fail(call: Call<T>, error: unknown): void {
    if (call.ended) return;
    call.ended = true;
    this.weigh(call, 0);
    call.ahead.length = 0;
    call.reject(error);
  }

  /** Sets a call's weight. */
  weigh(call: Call<T>, weight: number): void {
    this.#waiting += weight - call.weight;
    call.weight = weight;
  }

  /** Wakes the waiting loop. */
  wake(): void {
    this.#wake?.();
  }

  /**
   * Waits until a call arrives, {@link wake} is called, or some milliseconds have passed. Only one waiter at a time.
   */
  async woken(milliseconds?: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const callOff = milliseconds === undefined ? undefined : after(milliseconds, resolve);
      this.#wake = () => {
        callOff?.();
        resolve();
      };
    });
    this.#wake = undefined;
  }

  /** Waits for more texts, for as long as `maxWait` allows. */
  async pause(): Promise<void> {
    for (;;) {
      const { maxWait, maxBatch } = this.settings;
      const [oldest] = this.calls;
      if (maxWait === 0 || !oldest || this.#waiting >= maxBatch) return;
      const left = oldest.since + maxWait - now();
      if (left <= 0) return;
      await this.woken(Math.ceil(left));
    }
  }
}
