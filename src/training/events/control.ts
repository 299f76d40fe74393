import type { RecurraError } from '../../core/errors.js';
import type { Validation, ValidationResult } from '../progress.js';
import type {
  BestResult,
  EndEvent,
  PrepareEvent,
  TaskEvent,
  TrainingPlace,
  TrainingStart,
  WarningEvent,
} from './events.js';

const NOWHERE: TrainingPlace = { epoch: 0, epochs: 0, step: 0, steps: 0, samples: 0, totalSamples: 0, seconds: 0 };

/** Only the position of an event. */
function placeOf({ epoch, epochs, step, steps, samples, totalSamples, seconds }: TrainingPlace): TrainingPlace {
  return { epoch, epochs, step, steps, samples, totalSamples, seconds };
}

/** A listener as a method: with it, a training of more special events is also one of more general ones. */
interface Listener<E> {
  hear(event: E): void;
}

/** Connects a training with its listeners and its controls. */
export class TrainingControl<V extends Validation = ValidationResult, S extends TrainingStart = TrainingStart> {
  readonly #listeners = new Set<Listener<TaskEvent<V, S>>>();
  readonly #stop = new AbortController();
  #place = NOWHERE;
  /** The best result so far. */
  best: BestResult<V> | undefined;
  /** Whether warnings are observed: by `onEvent`, or a loop over the events. */
  watched = false;
  /** Whether `stop()` ended the training before its last step. */
  stopped = false;

  /** Aborted by `stop()`. */
  get stopSignal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Asks the training to end with its current weights. */
  stop(): void {
    this.#stop.abort();
  }

  /** Calls a function for every event from now on; returns a function that unsubscribes. */
  listen(listener: (event: TaskEvent<V, S>) => void): () => void {
    const own: Listener<TaskEvent<V, S>> = { hear: listener };
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Sends an event to all listeners. */
  emit(event: TaskEvent<V, S>): void {
    this.#place = placeOf(event);
    for (const listener of this.#listeners) listener.hear(event);
  }

  /** Reports the progress of the work before the first step. */
  prepare(about: PrepareEvent['about'], share: number): void {
    this.emit({ type: 'prepare', ...this.#place, about, share });
  }

  /** Reports a warning; as a process warning if there is no listener. */
  warn(about: WarningEvent['about'], error: RecurraError, place: TrainingPlace = this.#place): void {
    if (!this.watched) process.emitWarning(error.message, { type: 'RecurraWarning', code: error.code });
    this.emit({ type: 'warning', ...placeOf(place), about, error });
  }

  /** The last event. */
  endEvent(outcome: EndEvent['outcome'], failure?: { error: unknown }): EndEvent<V> {
    const best = this.best ? { best: this.best } : {};
    return { type: 'end', ...this.#place, outcome, ...best, ...failure };
  }
}
