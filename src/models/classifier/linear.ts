import { availableParallelism } from 'node:os';
import { constraint, ModelFileError, RecurraError } from '../../core/errors.js';
import { throwIfAborted } from '../../core/signals.js';
import type { Row, Rows } from '../../data/readers/rows.js';
import type { EncodedDataset } from '../../data/sets/encoded.js';
import type { HeldWeights, StateEntry } from '../../engine/engine.js';
import {
  chooseMix,
  LINEAR_PREFIX,
  type LinearLabels,
  LinearModel,
  type LinearTexts,
  type Mix,
} from '../../engine/linear.js';
import type { Span } from '../../text/locate.js';
import type { ModelPart } from '../model.js';
import type { Refiner } from '../serving/route.js';
import { classWeightsOf } from './classWeights.js';
import type { ClassifierFields } from './file.js';
import type { TrainSettings } from './options.js';

/** The linear model without a network. */
export const ALONE: Mix = { network: 0, sharpness: 1 };

/** The largest weight of a label that the linear model takes. */
const LARGEST_WEIGHT = 1e6;

/** A trained linear model, before it is known how it is mixed with the network. */
export interface TrainedExpert {
  model: LinearModel;
  /** Log-probabilities of the validation rows; undefined without such. */
  validation: Float32Array | undefined;
  threads: number;
  /** The arrays of {@link model}. */
  state(): Promise<StateEntry[]>;
}

/** Texts as a source gives them, and which of its rows belong to a part; undefined for all. */
export interface ExpertPart {
  texts: LinearTexts;
  rows: Int32Array | undefined;
}

/** The same rows, whose texts are also put into `texts`. What is no row is left to whoever reads them. */
export function tapped(rows: Rows, texts: LinearTexts): Rows {
  const take = (row: Row): Row => {
    if (typeof row?.text === 'string') texts.add(row.text);
    return row;
  };
  const source = rows as Partial<Iterable<Row> & AsyncIterable<Row>> | null | undefined;
  if (typeof rows === 'string' || !source) return rows;
  const file = rows.file;
  if (source[Symbol.asyncIterator]) {
    const read = async function* () {
      for await (const row of source as AsyncIterable<Row>) yield take(row);
    };
    return Object.assign(read(), { file });
  }
  if (!source[Symbol.iterator]) return rows;
  const read = function* () {
    for (const row of source as Iterable<Row>) yield take(row);
  };
  return Object.assign(read(), { file });
}

/** The labels of a data set. */
function labelsOf({ labels, labelOffsets }: EncodedDataset): LinearLabels {
  return { labels, ends: labelOffsets?.slice(1) };
}

/**
 * Trains a linear model beside the network; it chooses its loss, cost and temperature by rows that it holds out itself.
 *
 * @param tell - Told why there will be no linear model: too many labels for the rows, or texts without n-grams.
 * @returns the model, or undefined without one.
 * @throws RecurraError `ABORTED`; ArgumentError where there is no network either.
 */
export async function trainExpert(
  train: EncodedDataset,
  part: ExpertPart,
  validation: ExpertPart | undefined,
  { classWeights, recurrent, seed, threads = availableParallelism() }: TrainSettings,
  signal: AbortSignal,
  tell: (error: RecurraError) => void,
): Promise<TrainedExpert | undefined> {
  throwIfAborted(signal, 'the training');
  const warn = (error: RecurraError) => {
    if (recurrent === false) throw constraint('recurrent', `there must be a network, since ${error.message}`);
    tell(error);
  };
  const abort = () => part.texts.abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    const classes = train.classes.length;
    const rows = await counted(part, threads, warn);
    if (!rows) return undefined;
    try {
      const refusal = rows.refusal(classes);
      if (refusal !== undefined) {
        warn(new RecurraError('OUT_OF_RANGE', `no linear model is trained: ${refusal}`));
        return undefined;
      }
      // Beyond that a label outweighs all others in any case.
      const weights = classWeightsOf(classWeights, train).map((weight) => Math.min(weight, LARGEST_WEIGHT));
      const model = await rows.train(labelsOf(train), { classes, classWeights: weights, threads, seed });
      const logs = await validation?.texts.logProbabilities(model, validation.rows, threads);
      let state: Promise<StateEntry[]> | undefined;
      return {
        model,
        validation: logs,
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
    signal.removeEventListener('abort', abort);
    part.texts.close();
    validation?.texts.close();
  }
}

/** Counts the n-grams of a part's texts; undefined, with a warning, if they have none. */
async function counted({ texts, rows }: ExpertPart, threads: number, warn: (error: RecurraError) => void) {
  try {
    return await texts.count(rows, threads);
  } catch (error) {
    if (!(error instanceof RecurraError) || error.code !== 'INVALID_ARGUMENT') throw error;
    warn(new RecurraError(error.code, `no linear model is trained: ${error.message}`, { cause: error }));
    return undefined;
  }
}

/** Chooses the mix by the network's probabilities of the validation rows, and says what it makes of them. */
export function mixOf(
  { validation }: TrainedExpert,
  probabilities: Float32Array,
  dataset: EncodedDataset,
): Promise<{ mix: Mix; probabilities: Float32Array }> {
  return chooseMix(probabilities, validation!, dataset.classes.length, labelsOf(dataset));
}

/** The linear model of a classifier: makes the network's probabilities those of both. */
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
   * What parts of a text add to the linear model's score of a label, each given by where it begins and ends in UTF-16 code units;
   * and the score.
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
 * Takes the linear model out of a file.
 *
 * @throws ModelFileError for one that does not fit the labels, or is there without its mix or the other way round.
 */
export async function heldExpert(
  weights: HeldWeights,
  { labels, thresholds, linear: mix, recurrent }: ClassifierFields,
  threads?: number,
): Promise<{ expert: Expert | undefined }> {
  const there = weights.file.tensors.some(({ name }) => name.startsWith(LINEAR_PREFIX));
  if (!mix && !there && recurrent) return { expert: undefined };
  if (!mix || !there) {
    const message = there ? 'it has a linear model, but not its mix' : 'it has a mix, but no linear model';
    throw new ModelFileError('INVALID_FILE', message);
  }
  const model = await LinearModel.held(weights);
  if (model.classes === labels.length && model.multiLabel === (thresholds !== undefined))
    return { expert: new Expert(model, mix, threads) };
  const message = `its linear model has ${model.classes} labels, the network ${labels.length}`;
  model.close();
  throw new ModelFileError('INVALID_FILE', message);
}
