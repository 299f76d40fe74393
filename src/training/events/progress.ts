import { now } from '../../core/clock.js';
import type { Progress, Validation } from '../progress.js';
import type { EpochEvent, StepEvent, TaskEvent, TrainingStart } from './events.js';

const MILLISECONDS_BETWEEN_REPORTS = 100;

/** Forwards a training's events to `onProgress`, at most as often as it allows. */
export function progressListener<V extends Validation>(
  onProgress: (progress: Progress<V>) => void,
): (event: TaskEvent<V, TrainingStart>) => void {
  let last = 0;
  return (event) => {
    if (event.type !== 'step' && event.type !== 'epoch') return;
    if (event.type === 'step') {
      const time = now();
      if (time - last < MILLISECONDS_BETWEEN_REPORTS) return;
      last = time;
    }
    onProgress(progressOf(event));
  };
}

/** An event in the form of a {@link Progress}. */
export function progressOf<V extends Validation>(event: StepEvent | EpochEvent<V>): Progress<V> {
  const { type: kind, epoch, epochs, samples, totalSamples, samplesPerSecond, secondsLeft } = event;
  const [loss, accuracy] =
    event.type === 'step' ? [event.epochLoss, event.epochAccuracy] : [event.loss, event.accuracy];
  const validation = event.type === 'epoch' && event.validation ? { validation: event.validation } : {};
  return {
    kind,
    epoch,
    epochs,
    samples,
    totalSamples,
    loss,
    accuracy,
    samplesPerSecond,
    secondsLeft,
    ...validation,
  };
}
