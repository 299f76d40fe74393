import { now } from '../core/clock.js';
import type { ExplainingEngine } from '../engine/engine.js';
import { beginning } from './checkpoints/position.js';
import { ALONE } from './distributed/company.js';
import { abortedBefore } from './errors.js';
import { TrainingControl } from './events/control.js';
import { defaultBatchSize } from './options/learning.js';
import type { TrainingParts } from './parts.js';
import type { Rehearsal, Task, TaskTypes, TrainingInput, Watcher } from './task.js';
import { Trainer } from './trainer.js';

const MILLISECONDS_BETWEEN_REPORTS = 250;

/** A listener that may also end the training. */
interface Steered extends Watcher {
  readonly stopSignal: AbortSignal;
}

/** Learning settings of the rehearsed training. */
type Manner<T extends TaskTypes> = Omit<TrainingInput<T>, 'data'> & Pick<TrainingParts<T>, 'epochs' | 'adversarial'>;

/**
 * Trains the network of a rehearsal, which only its task uses.
 *
 * @param build - Builds a network for the data.
 * @returns the task's choice; undefined if the loss became non-finite.
 * @throws TrainingError `ABORTED` if ended by the signal or by `stop()`: there is no model yet.
 */
export async function rehearse<T extends TaskTypes>(
  task: Task<T>,
  { data, choose }: Rehearsal<T>,
  { settings, network, epochs, adversarial }: Manner<T>,
  build: (input: TrainingInput<T>) => Promise<ExplainingEngine>,
  watcher: Steered,
): Promise<T['chosen'] | undefined> {
  const control = new TrainingControl<T['validation'], T['start']>();
  let told = 0;
  control.listen(({ type, samples, totalSamples }) => {
    const time = now();
    if (type !== 'step' || time - told < MILLISECONDS_BETWEEN_REPORTS) return;
    told = time;
    watcher.prepare('mix', samples / Math.max(totalSamples, 1));
  });
  const stop = () => control.stop();
  if (watcher.stopSignal.aborted) stop();
  watcher.stopSignal.addEventListener('abort', stop, { once: true });
  const engine = await build({ data, settings, network });
  try {
    const { failure } = await new Trainer<T>({
      task,
      engine,
      data,
      settings,
      epochs,
      adversarial,
      batchSize: settings.batchSize ?? defaultBatchSize(data.train.length),
      choices: [],
      control,
      position: beginning(settings.seed),
      best: undefined,
      checkpointer: undefined,
      company: ALONE,
      describe: () => ({}),
    }).run();
    if (failure?.code === 'ABORTED') throw abortedBefore(failure.cause);
    if (control.stopped) throw abortedBefore(undefined);
    return failure ? undefined : await choose(engine);
  } finally {
    watcher.stopSignal.removeEventListener('abort', stop);
    engine.close();
  }
}
