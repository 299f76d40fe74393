import { bucketBatches } from '../data/bucket.js';
import type { EncodedDataset } from '../data/encoded.js';
import { Random } from '../data/random.js';
import { classWeightsOf } from './classWeights.js';
import { chunkOf, type Engine, type StateEntry, type StepOptions } from './engine.js';
import { type Evaluation, evaluateProbabilities } from './metrics.js';
import type { TrainSettings } from './options/index.js';
import { predictRows } from './prediction.js';
import { EpochTotals, type Progress, type ValidationResult } from './progress.js';
import { learningRate } from './schedule.js';
import { multiLabelResult } from './thresholds.js';

/** Tokens that a chunk of batches has at the most: some tens of milliseconds of work, so that stopping is prompt. */
const CHUNK_TOKENS = 16_384;
const MILLISECONDS_BETWEEN_REPORTS = 100;
/** The generator's stream for the order of rows; initial weights and dropout have their own. */
const SHUFFLE_STREAM = 1;

/** How a training ended. */
export interface TrainingOutcome {
  /** The last report of each finished epoch, and of the one that was interrupted. */
  history: Progress[];
  /** Rows of the training set. */
  rows: number;
  /** Set when training ended early: why, and a sentence about it. */
  failure?: { code: 'ABORTED' | 'NON_FINITE_LOSS'; message: string; cause?: unknown };
}

/** Measures the engine, as it is now, on a data set of exclusive classes. */
export async function measure(engine: Engine, dataset: EncodedDataset): Promise<Evaluation> {
  const probabilities = await predictRows(engine, dataset.tokens, dataset.lengths(), dataset.classes.length);
  return evaluateProbabilities(probabilities, dataset.labels, dataset.classes);
}

/** Trains an engine; leaves the best weights in it, also when training ends early. */
export class Training {
  readonly #engine: Engine;
  readonly #train: EncodedDataset;
  readonly #validation: EncodedDataset | undefined;
  readonly #settings: TrainSettings;
  readonly #lengths: Int32Array;
  /** What all steps have in common. */
  readonly #options: Omit<StepOptions, 'learningRates' | 'freezeEmbedding'>;
  readonly #history: Progress[] = [];
  #trainedSeconds = 0;
  #lastReport = 0;
  #best: { epoch: number; accuracy: number; loss: number; state: StateEntry[] } | undefined;

  constructor(engine: Engine, train: EncodedDataset, validation: EncodedDataset | undefined, settings: TrainSettings) {
    this.#engine = engine;
    this.#train = train;
    this.#validation = validation;
    this.#settings = settings;
    this.#lengths = train.lengths();
    const { clipGradNorm: clipNorm, optimizer, weightDecay, momentum, labelSmoothing } = settings;
    const classWeights = classWeightsOf(settings.classWeights, train);
    this.#options = { clipNorm, optimizer, weightDecay, momentum, labelSmoothing, classWeights };
  }

  async run(): Promise<TrainingOutcome> {
    const random = new Random(this.#settings.seed, SHUFFLE_STREAM);
    const outcome: TrainingOutcome = { history: this.#history, rows: this.#train.length };
    for (let epoch = 1; epoch <= this.#settings.epochs && !outcome.failure; epoch++) {
      const totals = new EpochTotals();
      const failure = await this.#epoch(epoch, totals, random);
      if (failure) outcome.failure = failure;
      if (totals.rows > 0) await this.#endEpoch(epoch, totals, failure !== undefined);
      if (epoch - (this.#best?.epoch ?? epoch) >= (this.#settings.patience ?? Number.POSITIVE_INFINITY)) break;
    }
    if (this.#best) await this.#engine.loadState(this.#best.state);
    return outcome;
  }

  async #epoch(epoch: number, totals: EpochTotals, random: Random): Promise<TrainingOutcome['failure']> {
    const { batchSize, tokensPerBatch, bucketing, signal, epochs, freezeEmbeddings } = this.#settings;
    const window = bucketing ? undefined : 1;
    const { order, batchSizes } = bucketBatches(this.#lengths, { batchSize, tokensPerBatch, window, random });
    const steps = epochs * batchSizes.length;
    const freezeEmbedding = epoch <= freezeEmbeddings;
    let batch = 0;
    let row = 0;
    while (batch < batchSizes.length) {
      if (signal?.aborted) {
        return {
          code: 'ABORTED',
          message: `training was stopped in epoch ${epoch} after ${totals.rows} rows`,
          cause: signal.reason,
        };
      }
      const { end, rows } = this.#chunkEnd(order, batchSizes, batch, row);
      const step = (epoch - 1) * batchSizes.length + batch;
      const learningRates = Float64Array.from({ length: end - batch }, (_, i) =>
        learningRate(this.#settings, step + i, steps),
      );
      const chunk = chunkOf(this.#train, order, row, batchSizes.subarray(batch, end));
      const began = performance.now();
      const stats = await this.#engine.train(chunk, { ...this.#options, learningRates, freezeEmbedding });
      this.#trainedSeconds += (performance.now() - began) / 1000;
      totals.add(stats);
      if (stats.nonFiniteBatch >= 0) {
        return {
          code: 'NON_FINITE_LOSS',
          message:
            `the loss became NaN or infinite in epoch ${epoch}, batch ${batch + stats.nonFiniteBatch + 1} of ${batchSizes.length}; ` +
            'the weights from before that batch are kept. A smaller lr, or clipGradNorm, usually helps',
        };
      }
      batch = end;
      row += rows;
      if (batch < batchSizes.length) this.#reportStep(epoch, totals);
    }
    return undefined;
  }

  #chunkEnd(order: Int32Array, batchSizes: Int32Array, batch: number, row: number): { end: number; rows: number } {
    let end = batch;
    let rows = 0;
    for (let tokens = 0; end < batchSizes.length && tokens < CHUNK_TOKENS; end++) {
      for (const size = rows + batchSizes[end]!; rows < size; rows++) tokens += this.#lengths[order[row + rows]!]!;
    }
    return { end, rows };
  }

  #progress(kind: Progress['kind'], epoch: number, totals: EpochTotals): Progress {
    const samples = (epoch - 1) * this.#train.length + totals.rows;
    const totalSamples = this.#settings.epochs * this.#train.length;
    const samplesPerSecond = samples / Math.max(this.#trainedSeconds, 1e-9);
    return {
      kind,
      epoch,
      epochs: this.#settings.epochs,
      samples,
      totalSamples,
      loss: totals.loss / totals.rows,
      accuracy: totals.correct / totals.rows,
      samplesPerSecond,
      secondsLeft: (totalSamples - samples) / samplesPerSecond,
    };
  }

  #reportStep(epoch: number, totals: EpochTotals): void {
    const now = performance.now();
    if (now - this.#lastReport < MILLISECONDS_BETWEEN_REPORTS) return;
    this.#lastReport = now;
    this.#settings.onProgress?.(this.#progress('step', epoch, totals));
  }

  async #validate(dataset: EncodedDataset): Promise<ValidationResult> {
    if (!dataset.multiLabel) {
      const { rows, loss, accuracy } = await measure(this.#engine, dataset);
      return { rows, loss, accuracy };
    }
    const lengths = dataset.lengths();
    return multiLabelResult(await predictRows(this.#engine, dataset.tokens, lengths, dataset.classes.length), dataset);
  }

  async #endEpoch(epoch: number, totals: EpochTotals, interrupted: boolean): Promise<void> {
    const progress = this.#progress('epoch', epoch, totals);
    if (this.#validation && !interrupted) {
      progress.validation = await this.#validate(this.#validation);
      const { loss, accuracy } = progress.validation;
      const best = this.#best;
      // With several labels a row counts as right only if all are, which for long may be none: there the loss decides.
      const decided = this.#settings.model.multiLabel ? 0 : accuracy - (best?.accuracy ?? 0);
      if (!best || decided > 0 || (decided === 0 && loss < best.loss)) {
        this.#best = { epoch, accuracy, loss, state: await this.#engine.state() };
      }
    }
    this.#history.push(progress);
    this.#settings.onProgress?.(progress);
  }
}
