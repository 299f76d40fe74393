import { now } from '../core/clock.js';
import { counted } from '../core/counted.js';
import { RecurraError } from '../core/errors.js';
import { aborted } from '../core/signals.js';
import type { ChunkStats, ExplainingEngine, StateEntry, StepOptions } from '../engine/engine.js';
import { type Checkpointer, FAILURES } from './checkpoints/checkpointer.js';
import type { TrainingPosition } from './checkpoints/position.js';
import { EpochPlan } from './epoch.js';
import type { TrainingControl } from './events/control.js';
import type { EpochEvent, TrainingPlace } from './events/events.js';
import { progressOf } from './events/progress.js';
import type { TrainingFailure, TrainingOutcome, TrainingParts } from './parts.js';
import type { BatchPlan } from './plan.js';
import type { Progress } from './progress.js';
import { type EpochReport, type RecordedCourse, recordedEpoch } from './record.js';
import { learningRate } from './schedule.js';
import type { TaskTypes } from './task.js';

/** Trains an engine for a task; leaves the best weights in it, even if training ends early. */
export class Trainer<T extends TaskTypes> {
  readonly #parts: TrainingParts<T>;
  readonly #engine: ExplainingEngine;
  readonly #settings: T['settings'];
  readonly #control: TrainingControl<T['validation'], T['start']>;
  readonly #checkpointer: Checkpointer | undefined;
  readonly #position: TrainingPosition<T['validation'], T['chosen']>;
  readonly #lengths: Int32Array;
  /** The common options of all steps. */
  readonly #options: Omit<StepOptions, 'learningRates' | 'freezeEmbedding'>;
  readonly #history: Progress<T['validation']>[];
  readonly #began: number;
  #best: StateEntry[] | undefined;
  #plan: BatchPlan | undefined;

  constructor(parts: TrainingParts<T>) {
    const { task, engine, data, settings, adversarial, control, checkpointer, position, best } = parts;
    this.#parts = parts;
    this.#engine = engine;
    this.#settings = settings;
    this.#control = control;
    this.#checkpointer = checkpointer;
    this.#position = structuredClone(position);
    this.#best = best;
    this.#control.best = this.#position.best;
    this.#lengths = data.train.lengths();
    const { clipGradNorm: clipNorm, optimizer, weightDecay, momentum } = settings;
    this.#options = { clipNorm, optimizer, weightDecay, momentum, adversarial, loss: task.loss(data, settings) };
    this.#history = [...this.#position.history];
    this.#began = now() - this.#position.seconds * 1000;
  }

  async run(): Promise<TrainingOutcome<T>> {
    const position = this.#position;
    const { task, data, choices } = this.#parts;
    const { train, validation, vocab } = data;
    const common = {
      type: 'start',
      ...this.#place(),
      rows: train.length,
      validationRows: validation?.length ?? 0,
      vocabulary: vocab.length,
      resumed: position.step > 0,
      chosen: choices,
      rank: this.#parts.company.share.rank,
      ranks: this.#parts.company.share.size,
    } as const;
    this.#control.emit(task.start(common, data));
    let failure: TrainingFailure | undefined;
    while (!this.#done() && !failure && !this.#control.stopped) {
      failure = await this.#epoch();
      const interrupted = failure !== undefined || this.#control.stopped;
      if (position.totals.rows > 0) await this.#endEpoch(interrupted);
      if (!interrupted) failure = await this.#nextEpoch();
    }
    if (this.#best) await this.#engine.loadState(this.#best);
    const { best, chosen } = position;
    return {
      history: this.#history,
      course: this.#course(),
      best,
      chosen: best ?? chosen,
      ...(failure ? { failure } : {}),
    };
  }

  /** The epochs for the record of the current model. */
  #course(): RecordedCourse {
    const { epoch, batch, step, totals, best } = this.#position;
    // All epochs have the same number of steps; a training resumed at its end makes none itself.
    const each = this.#plan?.batchSizes.length ?? (epoch > 1 ? (step - batch) / (epoch - 1) : 0);
    const rateOf = (ended: number) => {
      const last = Math.max(0, Math.min(ended * each, step) - 1);
      return learningRate(this.#settings, last, this.#parts.epochs * each);
    };
    const reports: EpochReport[] = [...this.#history];
    if (totals.rows > 0 && reports.at(-1)?.epoch !== epoch)
      reports.push({ epoch, loss: totals.loss / this.#answers, accuracy: totals.correct / this.#answers });
    const history = reports.map((report) => recordedEpoch(report, rateOf(report.epoch)));
    return { history, keptEpoch: best?.epoch ?? null };
  }

  /** Whether all epochs are done, or patience has run out. */
  #done(): boolean {
    const { epoch, best } = this.#position;
    const { patience = Number.POSITIVE_INFINITY } = this.#settings;
    return epoch > this.#parts.epochs || (best !== undefined && epoch - 1 - best.epoch >= patience);
  }

  /** Whether, and why, the training ends here. */
  #ending(): TrainingFailure | 'stopped' | undefined {
    const { signal } = this.#settings;
    if (signal?.aborted) {
      const { epoch, totals } = this.#position;
      const { message, cause } = aborted(`the training, in epoch ${epoch} after ${counted(totals.rows)},`, signal);
      return { code: 'ABORTED', message, cause };
    }
    return this.#control.stopSignal.aborted ? 'stopped' : undefined;
  }

  /** The batches of the current epoch. */
  #batches(): BatchPlan {
    const { epoch, random } = this.#position;
    if (this.#plan?.epoch === epoch) return this.#plan;
    const { task, data, batchSize, company } = this.#parts;
    const { share } = company;
    const gather = (rows: Int32Array) => task.gather(data.train, rows);
    this.#plan =
      task.plan?.(data, epoch, random, share) ??
      new EpochPlan(epoch, gather, this.#lengths, this.#settings, batchSize, random, share);
    return this.#plan;
  }

  async #epoch(): Promise<TrainingFailure | undefined> {
    const position = this.#position;
    const { epochs, task, company } = this.#parts;
    const sampling = task.sampling?.(this.#settings, position.epoch, epochs);
    const { freezeEmbeddings } = this.#settings;
    const plan = this.#batches();
    const { batchSizes } = plan;
    const steps = epochs * batchSizes.length;
    const freezeEmbedding = position.epoch <= freezeEmbeddings;
    while (position.batch < batchSizes.length) {
      const ending = await company.ending<TrainingFailure>(this.#ending());
      if (ending) return this.#interrupt(ending);
      const { batch } = position;
      const left = batchSizes.length - batch;
      const batches = this.#checkpointer?.stepsUntilDue(position.step, left) ?? left;
      const chunk = await plan.chunk(batch, batches, this.#engine.chunkTokens);
      const end = batch + chunk.batchSizes.length;
      const step = (position.epoch - 1) * batchSizes.length + batch;
      const learningRates = Float64Array.from({ length: end - batch }, (_, i) =>
        learningRate(this.#settings, step + i, steps),
      );
      const began = now();
      const stats = await this.#engine.train(chunk, {
        ...this.#options,
        learningRates,
        freezeEmbedding,
        initial: plan.initial?.(batch),
        sampling,
      });
      position.trainedSeconds += (now() - began) / 1000;
      position.totals.loss += stats.loss;
      position.totals.correct += stats.correct;
      position.totals.answers = this.#answers + stats.answers;
      position.totals.rows += stats.rows;
      if (stats.nonFiniteBatch >= 0) {
        return {
          code: 'NON_FINITE_LOSS',
          message:
            `the loss became NaN or infinite in epoch ${position.epoch}, batch ${batch + stats.nonFiniteBatch + 1} of ${batchSizes.length}; ` +
            `the weights from before that batch are kept. A smaller lr${this.#options.adversarial > 0 ? ' or adversarial' : ''}, or clipGradNorm, usually helps`,
        };
      }
      position.step += end - batch;
      position.batch = end;
      this.#reportSteps(stats, learningRates[learningRates.length - 1]!);
      if (end < batchSizes.length && (await this.#due(false))) {
        const failure = await this.#checkpoint();
        if (failure) return failure;
      }
    }
    return undefined;
  }

  async #interrupt(ending: TrainingFailure | 'stopped'): Promise<TrainingFailure | undefined> {
    if (this.#checkpointer?.stale(this.#position.step)) await this.#checkpoint();
    if (ending !== 'stopped') return ending;
    this.#control.stopped = true;
    return undefined;
  }

  /** Answers in the epoch so far. */
  get #answers(): number {
    const { answers, rows } = this.#position.totals;
    return answers ?? rows;
  }

  #place(): TrainingPlace {
    const { epoch, batch, step, totals } = this.#position;
    const { epochs } = this.#parts;
    const rows = this.#lengths.length;
    const left = epoch > epochs ? 0 : (epochs - epoch + 1) * this.#batches().batchSizes.length - batch;
    return {
      epoch: Math.min(epoch, epochs),
      epochs,
      step,
      steps: step + left,
      samples: (epoch - 1) * rows + totals.rows,
      totalSamples: epochs * rows,
      seconds: (now() - this.#began) / 1000,
    };
  }

  #speed({ samples, totalSamples }: TrainingPlace): { samplesPerSecond: number; secondsLeft: number } {
    const samplesPerSecond = samples / Math.max(this.#position.trainedSeconds, 1e-9);
    return { samplesPerSecond, secondsLeft: (totalSamples - samples) / samplesPerSecond };
  }

  #reportSteps(stats: ChunkStats, rate: number): void {
    const place = this.#place();
    const { totals } = this.#position;
    this.#control.emit({
      type: 'step',
      ...place,
      loss: stats.loss / stats.answers,
      accuracy: stats.correct / stats.answers,
      epochLoss: totals.loss / this.#answers,
      epochAccuracy: totals.correct / this.#answers,
      learningRate: rate,
      ...this.#speed(place),
    });
  }

  async #endEpoch(interrupted: boolean): Promise<void> {
    const { totals } = this.#position;
    const validation = this.#parts.data.validation && !interrupted ? await this.#validate() : undefined;
    const place = this.#place();
    const event: EpochEvent<T['validation']> = {
      type: 'epoch',
      ...place,
      loss: totals.loss / this.#answers,
      accuracy: totals.correct / this.#answers,
      ...(validation ? { validation } : {}),
      ...this.#speed(place),
    };
    this.#history.push(progressOf(event));
    this.#control.emit(event);
  }

  /** Measures the model and keeps what belongs to the best epoch. */
  async #validate(): Promise<T['validation']> {
    const { task, data, company } = this.#parts;
    const { validation, choose } = await task.validate(company.measuring(this.#engine), data);
    const best = this.#isBest(validation);
    if (best) {
      const { epoch } = this.#position;
      this.#control.best = { epoch, validation };
      this.#position.best = { epoch, validation, ...(await choose()) };
      this.#best = await this.#engine.state();
    }
    this.#control.emit({ type: 'validation', ...this.#place(), validation, best });
    return validation;
  }

  #isBest(now: T['validation']): boolean {
    const { task, settings } = this.#parts;
    const score = task.score(now, settings);
    // What is not a number says nothing: neither is it the best, nor is anything compared with it.
    if (Number.isNaN(score) || Number.isNaN(now.loss)) return false;
    const before = this.#position.best?.validation;
    if (!before) return true;
    const gain = score - task.score(before, settings);
    return gain > 0 || (gain === 0 && now.loss < before.loss);
  }

  /** Advances to the next epoch, or past the last one. */
  async #nextEpoch(): Promise<TrainingFailure | undefined> {
    const { epoch, step } = this.#position;
    const begun = { batch: 0, random: this.#batches().next, totals: { loss: 0, correct: 0, answers: 0, rows: 0 } };
    Object.assign(this.#position, { epoch: epoch + 1, ...begun });
    const checkpointer = this.#checkpointer;
    const due = (await this.#due(true)) || (this.#done() && checkpointer?.stale(step));
    return due ? this.#checkpoint() : undefined;
  }

  /** Whether a checkpoint is due, by rank 0's clock. */
  async #due(epochEnded: boolean): Promise<boolean> {
    const checkpointer = this.#checkpointer;
    if (!checkpointer) return false;
    const own = checkpointer.due(this.#position.step, epochEnded);
    return checkpointer.settings.everyMinutes === undefined ? own : this.#parts.company.decided(own);
  }

  /** Makes rank 0 write a checkpoint. */
  async #checkpoint(): Promise<TrainingFailure | undefined> {
    const { company } = this.#parts;
    const training = await company.state(this.#engine, this.#best === undefined);
    if (company.share.rank > 0) this.#checkpointer!.passed(this.#position.step);
    return company.written(async () => (company.share.rank === 0 ? this.#write(training) : undefined));
  }

  /** Writes a checkpoint. A failure is only a warning at first; a training that can never write one is stopped. */
  async #write(training: StateEntry[]): Promise<TrainingFailure | undefined> {
    const checkpointer = this.#checkpointer!;
    const { path } = checkpointer.settings;
    const began = now();
    try {
      const position = { ...this.#position, seconds: this.#place().seconds, history: this.#history };
      const { task, data, describe } = this.#parts;
      const metadata = describe(position.best ?? position.chosen, this.#course());
      const moment = { position, metadata };
      await checkpointer.save({ trainingState: async () => training }, moment, this.#best, await task.beside?.(data));
      const took = (now() - began) / 1000;
      const best = this.#control.best && { best: this.#control.best };
      this.#control.emit({ type: 'checkpoint', ...this.#place(), path, took, ...best });
      return undefined;
    } catch (error) {
      if (!(error instanceof RecurraError)) throw error;
      this.#control.warn('checkpoint', error, this.#place());
      if (checkpointer.failures < FAILURES) return undefined;
      return {
        code: 'IO',
        message: `the training ended because ${FAILURES} checkpoints in a row could not be written: ${error.message}`,
        cause: error,
      };
    }
  }
}
