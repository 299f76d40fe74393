import type { light as lightNamespace } from '../../index.d.js';
import { light } from '../native/light.js';
import type { HeldWeights, StateEntry } from './engine.js';

/** Texts passed to the addon per call: some tenths of a millisecond. */
const TEXTS_PER_CALL = 256;

/** How the probabilities of a network and of the linear model are combined. */
export interface Mix {
  /** The network's share of the log-probabilities, from 0 to 1; the rest is the linear model's. */
  network: number;
  /** Factor of the sum before it becomes probabilities again: the inverse temperature. */
  sharpness: number;
}

/**
 * The share of a network with pretrained word vectors, if there are no rows to choose it by. Such a network deserves a
 * larger share than one with random vectors, and the largest if the vectors were learned from much text. Measured on
 * rows held out of the training files, with vectors from the other rows' texts, accuracy in percent:
 *
 * | labelled rows, words, seeds | 0.3 | 0.4 | 0.5 | 0.6 | 0.7 |
 * |---|---|---|---|---|---|
 * | 500 of AG News, 50,000, 2 | 87.3 | 88.1 | 88.4 | 88.7 | 88.8 |
 * | 2,000 of AG News, 50,000, 1 | 89.7 | 89.8 | 90.1 | 90.0 | 90.0 |
 * | 1,500 of banking77, 2,500, 2 | 80.1 | 80.2 | 80.1 | 79.4 | 77.7 |
 * | 4,000 of banking77, 2,500, 2 | 88.5 | 88.6 | 88.6 | 88.2 | 87.7 |
 * | 200 of SNIPS, 10,000, 2 | 94.2 | 94.1 | 93.9 | 93.6 | 92.7 |
 * | 1,000 of SNIPS, 10,000, 2 | 97.2 | 97.2 | 97.1 | 97.1 | 97.0 |
 */
const SHARES_WITH_VECTORS = { file: 0.5, fewWords: 0.4, manyWords: 0.6 };

/** A vocabulary of this many words comes from much text. */
const MANY_WORDS = 20_000;

/**
 * The share of an ensemble if there are no rows to choose it by. An ensemble deserves a larger share than one network:
 * on a fifth of the first 2,000 and 8,000 rows of AG News, seeds 0 and 1, the share with the smallest loss was 0.2,
 * 0.2, 0.2 and 0.3 for one network, 0.4, 0.3, 0.4 and 0.4 for three; on banking77 0.5 and 0.5, then 0.5 and 0.6.
 */
const SHARE_OF_SEVERAL = 0.4;

/**
 * The mix if there are no rows to choose it by. Training rows cannot be used: the network has seen them, so its
 * probabilities for them prove nothing.
 *
 * @param vectors - The initial word vectors: from a file, learned from texts, or undefined for random ones.
 * @param words - Words of the vocabulary.
 * @param members - Number of networks in the ensemble.
 */
export function usualMix(vectors: 'file' | 'texts' | undefined, words: number, members: number): Mix {
  const mix = light().usualMix();
  const { file, fewWords, manyWords } = SHARES_WITH_VECTORS;
  if (vectors === 'file') return { ...mix, network: file };
  if (vectors === 'texts') return { ...mix, network: words < MANY_WORDS ? fewWords : manyWords };
  return members > 1 ? { ...mix, network: SHARE_OF_SEVERAL } : mix;
}

/** Labels of rows: one each, or with `ends`, those of each row up to its end. */
export interface LinearLabels {
  labels: Int32Array;
  /** Where the labels of each row end, if rows may have any number. */
  ends?: Uint32Array | undefined;
}

/** How a linear model is trained. */
export interface LinearTraining {
  classes: number;
  /** A weight for each label; empty for 1 each. */
  classWeights: readonly number[];
  threads: number;
  seed: number;
  /** Maximum size of the model in bytes; derived from the number of labels if undefined. */
  maxBytes: number | undefined;
}

/** Predictions for held-out rows, by models that were not trained on them. */
export interface HeldOut {
  /** Indices of the rows. */
  rows: Uint32Array;
  /** Their log-probabilities, `[rows, classes]`. */
  logProbabilities: Float32Array;
  /**
   * The log loss of all held-out rows, relative to that of predicting label frequencies: 0 if the n-grams explain
   * everything, 1 or more if nothing.
   */
  unexplained: number;
}

/** Unsigned numbers, as the addon takes them. */
function unsigned(numbers: Int32Array): Uint32Array {
  return new Uint32Array(numbers.buffer, numbers.byteOffset, numbers.length);
}

/** The texts that a linear model is trained or measured on, stored outside of the JavaScript heap. */
export class LinearTexts {
  readonly #native = new (light().LinearTexts)();
  #waiting: string[] = [];

  /** Appends a text. */
  add(text: string): void {
    this.#waiting.push(text);
    if (this.#waiting.length >= TEXTS_PER_CALL) this.#flush();
  }

  /**
   * Counts the n-grams of some rows, or of all.
   *
   * @throws RecurraError `INVALID_ARGUMENT` if they have none, `ABORTED` after {@link abort}.
   */
  async count(rows: Int32Array | undefined, threads: number): Promise<LinearRows> {
    this.#flush();
    return new LinearRows(await this.#native.count(rows && unsigned(rows), threads));
  }

  /** A model's log-probabilities for some or all rows: `[rows, classes]`. */
  logProbabilities(model: LinearModel, rows: Int32Array | undefined, threads: number): Promise<Float32Array> {
    this.#flush();
    return this.#native.logProbabilities(model.native, rows && unsigned(rows), threads);
  }

  /** Progress of counting and training, from 0 to 1. */
  get progress(): number {
    return this.#native.progress;
  }

  /** Stops counting and training on these texts. */
  abort(): void {
    this.#native.abort();
  }

  /** Frees the memory. */
  close(): void {
    this.#native.close();
  }

  #flush(): void {
    if (this.#waiting.length > 0) this.#native.add(this.#waiting);
    this.#waiting = [];
  }
}

/** Rows whose n-grams were counted. */
class LinearRows {
  readonly #native: lightNamespace.LinearRows;

  constructor(native: lightNamespace.LinearRows) {
    this.#native = native;
  }

  /** Why no model with this number of labels can be trained on these rows; undefined if it can. */
  refusal(classes: number): string | undefined {
    return this.#native.refusal(classes) ?? undefined;
  }

  /**
   * Trains a model; the same rows, labels, weights and seed give the same one.
   *
   * @throws RecurraError `ABORTED` after {@link LinearTexts.abort}.
   */
  async train({ labels, ends }: LinearLabels, { maxBytes, ...options }: LinearTraining): Promise<LinearModel> {
    const given = {
      ...options,
      classWeights: [...options.classWeights],
      ...(maxBytes === undefined ? {} : { maxBytes }),
    };
    return new LinearModel(await this.#native.train(unsigned(labels), ends, given));
  }

  /** Frees the memory. */
  close(): void {
    this.#native.close();
  }
}

/** A linear model of n-grams: log-probabilities for texts. */
export class LinearModel {
  /** @internal */
  readonly native: lightNamespace.LinearExpert;

  constructor(native: lightNamespace.LinearExpert) {
    this.native = native;
  }

  /**
   * Takes the arrays of the model out of a file.
   *
   * @throws RecurraError `INVALID_FILE` if some are missing or damaged.
   */
  static async held({ file }: HeldWeights): Promise<LinearModel> {
    return new LinearModel(await light().takeLinear(file));
  }

  /** Number of labels. */
  get classes(): number {
    return this.native.classes;
  }

  /** Whether a text may have several labels. */
  get multiLabel(): boolean {
    return this.native.multiLabel;
  }

  /**
   * The training's predictions for held-out rows, at most `most` of them, evenly spread; undefined for a model from a
   * file, and on a second call.
   */
  takeHeldOut(most: number): HeldOut | undefined {
    return this.native.takeHeldOut(most) ?? undefined;
  }

  /** Mixes a network's probabilities for a text with this model's, in place; false for a long text. */
  mixNow(text: string, probabilities: Float32Array, mix: Mix): boolean {
    return this.native.mixNow(text, probabilities, mix);
  }

  /** The same for many texts, off the event loop. */
  mix(texts: readonly string[], probabilities: Float32Array, mix: Mix, threads: number): Promise<Float32Array> {
    return this.native.mix(texts, probabilities, mix, threads);
  }

  /** The model as arrays. */
  state(): Promise<StateEntry[]> {
    return this.native.state();
  }

  /** Frees the memory. */
  close(): void {
    this.native.close();
  }
}

/**
 * Chooses a mix on rows that neither model was trained on: the smallest log loss among the shares whose accuracy is at
 * least that of the better model, within noise.
 *
 * @param network - Probabilities of the network, `[rows, classes]`.
 * @param linear - Log-probabilities of the linear model, as many.
 * @returns the mix, and its probabilities for those rows.
 */
export async function chooseMix(
  network: Float32Array,
  linear: Float32Array,
  classes: number,
  { labels, ends }: LinearLabels,
): Promise<{ mix: Mix; probabilities: Float32Array }> {
  const { mix, probabilities } = await light().chooseMix(network, linear, classes, unsigned(labels), ends);
  return { mix, probabilities };
}
