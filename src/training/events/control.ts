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

/** Where an event happened, alone. */
function placeOf({ epoch, epochs, step, steps, samples, totalSamples, seconds }: TrainingPlace): TrainingPlace {
  return { epoch, epochs, step, steps, samples, totalSamples, seconds };
}

/** A listener as a method: with it, a training of more special events is also one of more general ones. */
interface Listener<E> {
  hear(event: E): void;
}

/** What connects a training with those who watch and steer it. */
export class TrainingControl<V extends Validation = ValidationResult, S extends TrainingStart = TrainingStart> {
  readonly #listeners = new Set<Listener<TaskEvent<V, S>>>();
  readonly #stop = new AbortController();
  #place = NOWHERE;
  /** The best result so far. */
  best: BestResult<V> | undefined;
  /** Whether somebody hears of warnings: `onEvent`, or a loop over the events. */
  watched = false;
  /** Whether `stop()` ended the training before its last step. */
  stopped = false;

  /** Aborted by `stop()`. */
  get stopSignal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Asks the training to end with what it has learned. */
  stop(): void {
    this.#stop.abort();
  }

  /** Calls a function for every event from now on; returns what ends that. */
  listen(listener: (event: TaskEvent<V, S>) => void): () => void {
    const own: Listener<TaskEvent<V, S>> = { hear: listener };
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Tells an event to everybody. */
  emit(event: TaskEvent<V, S>): void {
    this.#place = placeOf(event);
    for (const listener of this.#listeners) listener.hear(event);
  }

  /** Tells how far the work before the first step is. */
  prepare(about: PrepareEvent['about'], share: number): void {
    this.emit({ type: 'prepare', ...this.#place, about, share });
  }

  /** Tells of something that does not end the training; to the process, if nobody listens. */
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
