import { RecurraError } from '../../core/errors.js';
import { SummaryWriter } from '../../tensorboard/summaryWriter.js';
import type { AnyTaskEvent, TrainingPlace, WarningEvent } from './events.js';

/** What {@link TensorboardLog} needs of a training. */
interface Watched {
  listen(listener: (event: AnyTaskEvent) => void): () => void;
  warn(about: WarningEvent['about'], error: RecurraError, place?: TrainingPlace): void;
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
      // After a crash the steps since the checkpoint are made again.
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
      const { rows: _, ...measures } = event.validation;
      const named = Object.entries(measures).filter(([, value]) => typeof value === 'number');
      this.#writer?.addScalars(Object.fromEntries(named.map(([name, value]) => [`${name}/validation`, value])), step);
    } else if (type === 'epoch') {
      this.#writer?.addScalars(
        { epoch: event.epoch, 'loss/epoch': event.loss, 'accuracy/epoch': event.accuracy },
        step,
      );
      this.#writer?.flush().catch((error: unknown) => this.#warn(error, event));
    }
  }

  /** Waits for the file. That it could not be written is a warning. */
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
