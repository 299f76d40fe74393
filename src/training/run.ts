import { TrainingError } from './errors.js';
import { TrainingControl } from './events/control.js';
import type { EndEvent, TaskEvent, TrainingStart } from './events/events.js';
import { EventQueue } from './events/queue.js';
import type { Validation, ValidationResult } from './progress.js';
import type { TrainedModel } from './task.js';

/**
 * A running training, returned by {@link TextClassifier.start}: its events, its result, and a way to stop it.
 *
 * Each `for await` gets the events from then on, the last of which is `end`. If the training failed, the loop then
 * throws what {@link result} rejects with. Leaving the loop does not end the training. A reader slower than the
 * training misses some events rather than filling the memory: of `prepare`, `step`, `checkpoint` and `warning`, it only
 * gets the latest.
 *
 * @example
 * ```ts
 * const run = TextClassifier.start(rows, { validation: 0.1 });
 * for await (const event of run) {
 *   if (event.type === 'validation' && event.validation.accuracy > 0.95) run.stop();
 * }
 * const model = await run.result;
 * ```
 */
export class TrainingRun<
  M extends TrainedModel = TrainedModel,
  V extends Validation = ValidationResult,
  S extends TrainingStart = TrainingStart,
> implements AsyncIterable<TaskEvent<V, S>>
{
  /** The model, or the error that the training rejects with. */
  readonly result: Promise<M>;
  readonly #control = new TrainingControl<V, S>();
  readonly #queues = new Set<EventQueue<TaskEvent<V, S>>>();
  #end: { event: EndEvent<V>; failure: { error: unknown } | undefined } | undefined;

  /** @internal */
  constructor(work: (control: TrainingControl<V, S>) => Promise<M>) {
    this.result = this.#run(work);
  }

  async #run(work: (control: TrainingControl<V, S>) => Promise<M>): Promise<M> {
    let model: M;
    try {
      model = await work(this.#control);
    } catch (error) {
      const aborted = error instanceof TrainingError && error.code === 'ABORTED';
      this.#finish(aborted ? 'aborted' : 'failed', { error });
      throw error;
    }
    this.#finish(this.#control.stopped ? 'stopped' : 'finished');
    return model;
  }

  #finish(outcome: EndEvent['outcome'], failure?: { error: unknown }): void {
    const event = this.#control.endEvent(outcome, failure);
    this.#end = { event, failure };
    try {
      this.#control.emit(event);
    } finally {
      for (const queue of this.#queues) queue.end(failure);
    }
  }

  /**
   * Stops the training soon: {@link result} then resolves with the model learned so far, or with the weights of the
   * best epoch if there are validation rows. While rows are still being read there is no model yet, and it rejects with
   * `ABORTED`.
   */
  stop(): void {
    this.#control.stop();
  }

  /** The events from now on; after the end, only the last one. */
  [Symbol.asyncIterator](): AsyncIterableIterator<TaskEvent<V, S>> {
    const queue = new EventQueue<TaskEvent<V, S>>(() => {
      this.#queues.delete(queue);
      unlisten();
    });
    const unlisten = this.#control.listen((event) => queue.push(event));
    this.#queues.add(queue);
    this.#control.watched = true;
    // The reader of the events gets the error. It must not count as unhandled if the result is not awaited too.
    this.result.catch(() => {});
    if (this.#end) {
      queue.push(this.#end.event);
      queue.end(this.#end.failure);
    }
    return queue;
  }
}
