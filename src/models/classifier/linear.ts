import { availableParallelism } from 'node:os';
import { constraint, ModelFileError, RecurraError } from '../../core/errors.js';
import { aborted, throwIfAborted } from '../../core/signals.js';
import { type GivenRow, type Rows, withOrigin } from '../../data/readers/rows.js';
import type { EncodedDataset } from '../../data/sets/encoded.js';
import type { HeldWeights, StateEntry } from '../../engine/engine.js';
import {
  chooseMix,
  type HeldOut,
  type LinearLabels,
  LinearModel,
  type LinearTexts,
  type Mix,
} from '../../engine/linear.js';
import type { Span } from '../../text/locate.js';
import type { Watcher } from '../../training/task.js';
import type { ModelPart } from '../model.js';
import type { Refiner } from '../serving/route.js';
import { type Certainty, certaintyOf } from './certainty.js';
import { classWeightsOf } from './classWeights.js';
import { type ClassifierFields, hasLinear } from './description.js';
import type { TrainSettings } from './options.js';
import { checkedScope, type Scope } from './scope.js';

/** The linear model without a network. */
export const ALONE: Mix = { network: 0, sharpness: 1 };

const MILLISECONDS_BETWEEN_REPORTS = 250;

/** Maximum rows to choose a mix by. */
const MOST_HELD_OUT = 2_000;

/** The largest label weight that the linear model accepts. */
const LARGEST_WEIGHT = 1e6;

/** A trained linear model, before its mix with the network is chosen. */
export interface TrainedExpert {
  model: LinearModel;
  /** Log-probabilities of the validation rows; undefined without validation rows. */
  validation: Float32Array | undefined;
  /** Its predictions for held-out rows; undefined if there are validation rows. */
  heldOut: HeldOut | undefined;
  threads: number;
  /** The arrays of {@link model}. */
  state(): Promise<StateEntry[]>;
}

/** Texts of a source, and the rows of a part of it; undefined for all. */
export interface ExpertPart {
  texts: LinearTexts;
  rows: Int32Array | undefined;
}

/** The same rows, with their texts also added to `texts`. Invalid rows are left to the reader. */
export function tapped(rows: Rows, texts: { add(text: string, row: GivenRow): unknown }): Rows {
  const take = (row: GivenRow): GivenRow => {
    if (typeof row?.text === 'string') texts.add(row.text, row);
    return row;
  };
  const source = rows as Partial<Iterable<GivenRow> & AsyncIterable<GivenRow>> | null | undefined;
  if (typeof rows === 'string' || !source) return rows;
  if (source[Symbol.asyncIterator]) {
    const read = async function* () {
      for await (const row of source as AsyncIterable<GivenRow>) yield take(row);
    };
    return withOrigin(read(), rows);
  }
  if (!source[Symbol.iterator]) return rows;
  const read = function* () {
    for (const row of source as Iterable<GivenRow>) yield take(row);
  };
  return withOrigin(read(), rows);
}

/** The labels of a data set. */
function labelsOf({ labels, labelOffsets }: EncodedDataset): LinearLabels {
  return { labels, ends: labelOffsets?.slice(1) };
}

/**
 * Trains the linear model, which chooses its loss, cost and temperature on rows that it holds out itself.
 *
 * @param watcher - Receives progress, and a warning if there will be no linear model: too many labels for the rows, or
 * texts without n-grams.
 * @returns the model, or undefined without one.
 * @throws {@link RecurraError} `ABORTED`; ArgumentError if there is no network either.
 */
export async function trainExpert(
  train: EncodedDataset,
  part: ExpertPart,
  validation: ExpertPart | undefined,
  { classWeights, recurrent, seed, maxLinearBytes: maxBytes, threads = availableParallelism() }: TrainSettings,
  signal: AbortSignal,
  watcher: Watcher,
): Promise<TrainedExpert | undefined> {
  throwIfAborted(signal, 'the training');
  const warn = (error: RecurraError) => {
    if (recurrent === false) throw constraint('recurrent', `a network is required, since ${error.message}`);
    watcher.warn('linear', error);
  };
  const { unlessAborted, giveUp, release } = abortable(signal, () => part.texts.abort());
  const tell = () => watcher.prepare('linear', part.texts.progress);
  const told = setInterval(() => {
    try {
      tell();
    } catch (error) {
      // A user callback failed; this must end the training, not the process.
      giveUp(error);
    }
  }, MILLISECONDS_BETWEEN_REPORTS);
  try {
    const classes = train.classes.length;
    const rows = await unlessAborted(counted(part, threads, warn));
    if (!rows) return undefined;
    tell();
    try {
      const refusal = rows.refusal(classes);
      if (refusal !== undefined) {
        warn(new RecurraError('OUT_OF_RANGE', `training without a linear model: ${refusal}`));
        return undefined;
      }
      // Beyond that, a label outweighs all others anyway.
      const weights = classWeightsOf(classWeights, train).map((weight) => Math.min(weight, LARGEST_WEIGHT));
      const options = { classes, classWeights: weights, threads, seed, maxBytes };
      const model = await unlessAborted(rows.train(labelsOf(train), options));
      tell();
      const logs =
        validation && (await unlessAborted(validation.texts.logProbabilities(model, validation.rows, threads)));
      const held = model.takeHeldOut(Math.min(MOST_HELD_OUT, Math.floor(train.length / 10)));
      let state: Promise<StateEntry[]> | undefined;
      return {
        model,
        validation: logs,
        heldOut: logs ? undefined : held,
        threads,
        state: () => {
          state ??= model.state();
          return state;
        },
      };
    } finally {
      rows.close();
    }
  } catch (error) {
    // The addon does not know the signal's reason.
    throwIfAborted(signal, 'the training');
    throw error;
  } finally {
    clearInterval(told);
    release();
    part.texts.close();
    validation?.texts.close();
  }
}

/** Makes work of the addon abortable at once. The work ends a little later, and its result is discarded. */
function abortable(signal: AbortSignal, abort: () => void) {
  let giveUp: (error: unknown) => void = () => {};
  const given = new Promise<never>((_, reject) => {
    giveUp = (error) => {
      abort();
      reject(error);
    };
  });
  // It is not awaited between two pieces of work.
  given.catch(() => {});
  const listener = () => giveUp(aborted('the training', signal));
  signal.addEventListener('abort', listener, { once: true });
  return {
    unlessAborted: <T>(work: Promise<T>) => Promise.race([work, given]),
    giveUp,
    release: () => signal.removeEventListener('abort', listener),
  };
}

/** Counts the n-grams of a part's texts; undefined, with a warning, if they have none. */
async function counted({ texts, rows }: ExpertPart, threads: number, warn: (error: RecurraError) => void) {
  try {
    return await texts.count(rows, threads);
  } catch (error) {
    if (!(error instanceof RecurraError) || error.code !== 'INVALID_ARGUMENT') throw error;
    warn(new RecurraError(error.code, `training without a linear model: ${error.message}`, { cause: error }));
    return undefined;
  }
}

/**
 * Chooses the mix on rows that neither model was trained on, and returns its probabilities for them.
 *
 * @param linear - The linear model's log-probabilities of the rows, `[rows, classes]`.
 * @param network - The network's probabilities, `[rows, classes]`.
 */
export function mixOf(
  linear: Float32Array,
  network: Float32Array,
  dataset: EncodedDataset,
): Promise<{ mix: Mix; probabilities: Float32Array }> {
  return chooseMix(network, linear, dataset.classes.length, labelsOf(dataset));
}

/** The linear model of a classifier: mixes the network's probabilities with its own. */
export class Expert implements ModelPart, Refiner {
  readonly mix: Mix;
  readonly #model: LinearModel;
  readonly #threads: number;

  constructor(model: LinearModel, mix: Mix, threads: number = availableParallelism()) {
    this.mix = mix;
    this.#model = model;
    this.#threads = threads;
  }

  now(text: string, scores: Float32Array): boolean {
    return this.#model.mixNow(text, scores, this.mix);
  }

  /**
   * The contributions of parts of a text to the linear model's score of a label, each given by start and end in UTF-16
   * code units; and the score.
   */
  explain(
    text: string,
    label: number,
    spans: readonly Span[],
  ): Promise<{ score: number; contributions: Float32Array }> {
    const flat = Uint32Array.from(spans.flatMap((span) => span ?? [0, 0]));
    return this.#model.native.explain(text, label, flat);
  }

  later(texts: readonly string[], scores: Float32Array): Promise<Float32Array> {
    return this.#model.mix(texts, scores, this.mix, this.#threads);
  }

  state(): Promise<StateEntry[]> {
    return this.#model.state();
  }

  close(): void {
    this.#model.close();
  }
}

/**
 * Takes the linear model out of a file, and checks what the file tells of validation rows.
 *
 * @throws {@link ModelFileError} for what it tells of them if that is damaged; for a linear model that does not fit the labels, or is there without its mix or the other way round.
 */
export async function heldExpert(
  weights: HeldWeights,
  { labels, thresholds, linear: mix, recurrent, certainty, scope }: ClassifierFields,
  threads?: number,
): Promise<{ expert: Expert | undefined; certainty: Certainty | undefined; scope: Scope | undefined }> {
  const told = { certainty: certaintyOf(certainty), scope: checkedScope(scope) };
  if (!hasLinear(weights.file.tensors, { linear: mix, recurrent })) return { expert: undefined, ...told };
  const model = await LinearModel.held(weights);
  if (model.classes === labels.length && model.multiLabel === (thresholds !== undefined))
    return { expert: new Expert(model, mix!, threads), ...told };
  const message = `its linear model has ${model.classes} labels, the network ${labels.length}`;
  model.close();
  throw new ModelFileError('INVALID_FILE', message);
}
