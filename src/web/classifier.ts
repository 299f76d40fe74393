import { checkInteger } from '../core/checks.js';
import { invalidArgument, ModelFileError, RecurraError } from '../core/errors.js';
import { checkOptionNames } from '../core/options/names.js';
import { type Prediction, predictionOf } from '../models/classifier/prediction.js';
import { withoutMarks } from '../text/marks.js';
import { readWords, shape } from '../text/shape.js';
import type { Vocab } from '../text/vocab.js';
import { checksumOf } from './checksum.js';
import { Instance } from './instance.js';
import { type LoadedModel, modelIn } from './model.js';
import { compiled, type ModuleSource } from './module.js';
import { readSafetensors } from './safetensors.js';
import { type ByteSource, bytesOf, isByteSource, nameOf } from './source.js';

/** Options of {@link load}. */
export interface LoadOptions {
  /** Where the WebAssembly module comes from. Default: the file `recurra.wasm` beside the package's JavaScript. */
  module?: ModuleSource;
}

/** Options of {@link WebClassifier.predict} and {@link WebClassifier.predictMany}. */
export interface PredictOptions {
  /** How many labels each prediction lists, from the most probable on. Default: all. */
  topK?: number;
}

/**
 * A text classifier in WebAssembly; {@link load} makes one from a model file of `recurra`. Its answers are those of `TextClassifier`,
 * at once and on the thread that asks.
 */
export class WebClassifier {
  /** The labels, in the order of the model's outputs. */
  readonly labels: readonly string[];
  /** The probability from which on each label is given; undefined for a model with exclusive labels. */
  readonly thresholds: readonly number[] | undefined;
  #instance: Instance | undefined;
  /** Splits a text and looks its tokens up, where the module does not. */
  readonly #read: ((text: string) => Int32Array) | undefined;

  /** @internal */
  constructor(instance: Instance, { labels, thresholds }: LoadedModel, read?: (text: string) => Int32Array) {
    this.labels = Object.freeze([...labels]);
    this.thresholds = thresholds && Object.freeze([...thresholds]);
    this.#instance = instance;
    this.#read = read;
  }

  /**
   * Labels one text. An empty text, and one without a known word, gets a distribution too; see {@link Prediction.knownTokens}.
   *
   * @throws {@link ArgumentError} if `text` is not a string or `topK` is no whole number above 0.
   * @throws {@link RecurraError} `DISPOSED` once the model was closed; `OUT_OF_MEMORY`, after which the model must be loaded again.
   *
   * @example
   * ```ts
   * const { label, probability } = model.predict('My invoice is wrong');
   * ```
   */
  predict(text: string, options: PredictOptions = {}): Prediction {
    if (typeof text !== 'string') throw invalidArgument('text', 'a string', text);
    return this.#answer(text, this.#topK(options));
  }

  /**
   * Labels many texts, one after the other; the predictions are in the order of the texts.
   *
   * @throws {@link ArgumentError} if an element is not a string, before any is labelled.
   * @throws {@link RecurraError} as {@link predict}.
   */
  predictMany(texts: readonly string[], options: PredictOptions = {}): Prediction[] {
    if (!Array.isArray(texts)) throw invalidArgument('texts', 'an array of strings', texts);
    const topK = this.#topK(options);
    for (let i = 0; i < texts.length; i++)
      if (typeof texts[i] !== 'string') throw invalidArgument(`texts[${i}]`, 'a string', texts[i]);
    return texts.map((text: string) => this.#answer(text, topK));
  }

  /** Frees the memory. Predictions then throw `DISPOSED`; closing again changes nothing. */
  close(): void {
    this.#instance = undefined;
  }

  #topK(options: PredictOptions): number {
    checkOptionNames('predict', options, ['topK']);
    const { topK = this.labels.length } = options;
    checkInteger('topK', topK, 1);
    return topK;
  }

  #answer(text: string, topK: number): Prediction {
    const instance = this.#instance;
    if (!instance) throw new RecurraError('DISPOSED', 'this WebClassifier has been closed');
    const outputs = this.labels.length;
    const scores = this.#read
      ? instance.predictIds(this.#read(text), text, outputs + 2)
      : instance.predict(text, outputs + 2);
    return predictionOf(this, scores, 0, topK, scores[outputs]!, scores[outputs + 1]!);
  }
}

/** What splits texts where JavaScript does: the words of `Intl.Segmenter`. */
function wordReader({ extent }: LoadedModel, vocab: Vocab): (text: string) => Int32Array {
  return (text) => vocab.encode(shape(readWords(withoutMarks(text), extent), extent));
}

/**
 * Loads a model file that `recurra` wrote: its address, its bytes, or what brings them.
 *
 * @param source - An address (in pages relative to the page; elsewhere whole, with `file:` in Node), a `Response`, a `Blob` such as a
 * file that the user chose, or the bytes. Nothing refers to the bytes afterwards.
 * @throws {@link ModelFileError} `FILE_NOT_FOUND` or `IO` if the file cannot be had; `INVALID_FILE` if it is damaged, no model, of a
 * newer format, or has a tokenizer that only Node has.
 * @throws {@link RecurraError} `OUT_OF_MEMORY`; `IO` if the module cannot be loaded. {@link ArgumentError} for an option that does not fit.
 *
 * @example
 * ```ts
 * const model = await load('/tickets.safetensors');
 * console.log(model.predict('My invoice is wrong').label);
 * ```
 */
export async function load(source: ByteSource, options: LoadOptions = {}): Promise<WebClassifier> {
  if (!isByteSource(source)) throw invalidArgument('source', 'an address, a Response, a Blob, or bytes', source);
  checkOptionNames('load', options, ['module']);
  const name = nameOf(source);
  // It is compiled while the file comes and is looked at.
  const module = compiled(options.module);
  module.catch(() => {});
  const bytes = await bytesOf(source);
  try {
    const contents = readSafetensors(bytes);
    const model = modelIn(name, contents, await checksumOf(contents));
    const instance = await Instance.create(await module);
    model.give(instance);
    return new WebClassifier(instance, model, model.reads ? undefined : wordReader(model, model.vocab));
  } catch (error) {
    if (error instanceof RangeError)
      throw new RecurraError('OUT_OF_MEMORY', `${name}: ${error.message}`, { cause: error });
    if (!(error instanceof ModelFileError) || error.message.startsWith(name)) throw error;
    throw new ModelFileError(error.code, `${name}: ${error.message}`, { cause: error });
  }
}
