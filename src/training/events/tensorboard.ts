import { RecurraError } from '../../core/errors.js';
import { SummaryWriter } from '../../tensorboard/summaryWriter.js';
import type { Validation } from '../progress.js';
import type { AnyTaskEvent, BestResult, TrainingPlace, WarningEvent } from './events.js';

/** The part of a training that {@link TensorboardLog} needs. */
interface Watched {
  listen(listener: (event: AnyTaskEvent) => void): () => void;
  warn(about: WarningEvent['about'], error: RecurraError, place?: TrainingPlace): void;
  /** The best result so far. */
  readonly best: BestResult<Validation> | undefined;
}

/** The measures of a validation under `<name>/<kind>`. */
function scalars(validation: Validation, kind: string): Record<string, number> {
  const { rows: _, ...measures } = validation;
  const named = Object.entries(measures).filter(([, value]) => typeof value === 'number');
  return Object.fromEntries(named.map(([name, value]) => [`${name}/${kind}`, value]));
}

/** Writes a training's events for TensorBoard. */
export class TensorboardLog {
  readonly #folder: string;
  readonly #control: Watched;
  readonly #unlisten: () => void;
  #writer: SummaryWriter | undefined;
  #warned = false;

  constructor(folder: string, control: Watched) {
    this.#folder = folder;
    this.#control = control;
    this.#unlisten = control.listen((event) => this.#take(event));
  }

  #take(event: AnyTaskEvent): void {
    const { type, step } = event;
    if (type === 'start') {
      // After a crash, the steps since the checkpoint are repeated.
      this.#writer = new SummaryWriter(this.#folder, event.resumed ? { purgeStep: step + 1 } : {});
      return;
    }
    if (type === 'step') {
      const { loss, accuracy, learningRate, samplesPerSecond } = event;
      this.#writer?.addScalars(
        {
          'loss/train': loss,
          'accuracy/train': accuracy,
          learning_rate: learningRate,
          samples_per_second: samplesPerSecond,
        },
        step,
      );
    } else if (type === 'validation') {
      const { best } = this.#control;
      // In addition to the epoch's own figures, those of the weights that would be kept if the training ended here.
      const kept = best && { 'epoch/kept': best.epoch, ...scalars(best.validation, 'kept') };
      this.#writer?.addScalars({ ...scalars(event.validation, 'validation'), ...kept }, step);
    } else if (type === 'epoch') {
      this.#writer?.addScalars(
        { epoch: event.epoch, 'loss/epoch': event.loss, 'accuracy/epoch': event.accuracy },
        step,
      );
      this.#writer?.flush().catch((error: unknown) => this.#warn(error, event));
    }
  }

  /** Waits for the file. A write error is a warning. */
  async close(): Promise<void> {
    this.#unlisten();
    try {
      await this.#writer?.close();
    } catch (error) {
      this.#warn(error);
    }
  }

  /** Once, not for every step on a full disk. */
  #warn(error: unknown, place?: TrainingPlace): void {
    if (this.#warned || !(error instanceof RecurraError)) return;
    this.#warned = true;
    this.#control.warn('tensorboard', error, place);
  }
}
