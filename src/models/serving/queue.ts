import { after, now } from '../../core/clock.js';
import { RecurraError } from '../../core/errors.js';
import { aborted } from '../../core/signals.js';
import type { Answer, Asked, Call } from './call.js';
import { DEFAULTS, type ServingOptions, servingSettings } from './options.js';

/** The calls that wait for a batch, in the order in which their turn comes. */
export class CallQueue<T> {
  /** Calls with texts that were not taken yet; those that ended are dropped when their turn comes. */
  calls: Call<T>[] = [];
  settings = DEFAULTS;
  #waiting = 0;
  #refused = 0;
  /** Ends the pause of the one who waits for a call. */
  #wake: (() => void) | undefined;

  /** Texts that wait, counted as for `maxQueue`. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Calls that were refused. */
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
   * @param ahead - what was read of its texts already.
   * @throws {@link RecurraError} `OVERLOADED` if as many texts as `maxQueue` wait.
   */
  add<A>(texts: readonly Asked[], ahead: T[], answer: Answer<A, T>, signal: AbortSignal | undefined): Promise<A[]> {
    const { maxBatch, maxQueue } = this.settings;
    if (this.#waiting >= maxQueue) {
      this.#refused++;
      throw new RecurraError(
        'OVERLOADED',
        `${this.#waiting} texts are waiting already, and maxQueue is ${maxQueue}; try again later`,
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

  /** Sets what a call counts for. */
  weigh(call: Call<T>, weight: number): void {
    this.#waiting += weight - call.weight;
    call.weight = weight;
  }

  /** Ends the pause of the one who waits. */
  wake(): void {
    this.#wake?.();
  }

  /** Waits until a call comes, {@link wake} is called, or some milliseconds have passed. One at a time may wait. */
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
