import { checkFlag, checkInteger, checkProbability, checkRange } from '../core/checks.js';
import { invalidArgument, ModelFileError, RecurraError } from '../core/errors.js';
import { checkOptionNames } from '../core/options/names.js';
import { byMember, LINEAR_PREFIX } from '../engine/memberNames.js';
import { POOLINGS } from '../engine/network.js';
import { type Certainty, certaintyOf, type PrecisionThreshold, thresholdFor } from '../models/classifier/certainty.js';
import { type ClassifierFields, classifierFile, hasLinear } from '../models/classifier/description.js';
import { cautious, type Prediction, predictionOf } from '../models/classifier/prediction.js';
import {
  checkedScope,
  energyOf,
  entropyOf,
  isOutOfScope,
  type Scope,
  withoutScope,
} from '../models/classifier/scope.js';
import { HUGGING_FACE, type Metadata } from '../models/description.js';
import type { TextExtent, Truncation } from '../text/extent.js';
import { withoutMarks } from '../text/marks.js';
import type { TokenizerName } from '../text/names.js';
import { readWords, shape } from '../text/shape.js';
import type { Vocab } from '../text/vocab.js';
import type { Instance } from './instance.js';
import { giveArrays, networkNumbers } from './network.js';
import { describeOpened, type OpenedFile } from './opened.js';
import type { FileTensor } from './safetensors.js';

/** When a prediction has no label, because the model is not sure enough. If both options are given, the stricter one applies. */
export interface Caution {
  /** Minimum probability of a label, from 0 to 1. Below it, `label` is `null` and `labels` is empty. Default 0. */
  minProbability?: number | undefined;
  /**
   * Share of the assigned labels that should be right, above 0 and at most 1: no label whose probability is below
   * {@link WebClassifier.thresholdFor} is assigned. Default: none.
   */
  precision?: number | undefined;
}

/** Options of {@link WebClassifier.predict} and {@link WebClassifier.predictMany}. */
export interface PredictOptions {
  /** How many labels each prediction lists, from the most probable on. Default: all. */
  topK?: number;
  /**
   * Whether to report for each text if it is unlike the training texts, see {@link Prediction.outOfScope}. The model must have been
   * trained with at least 20 validation rows. It takes about twice the time. Default `false`.
   */
  outOfScope?: boolean;
  /** With it a prediction may have no label: see {@link Caution}. */
  minProbability?: undefined;
  /** With it a prediction may have no label: see {@link Caution}. */
  precision?: undefined;
}

/** {@link PredictOptions} with which a prediction may have no label. */
export type CautiousOptions = Omit<PredictOptions, keyof Caution> & Caution;

/**
 * A text classifier in WebAssembly; {@link load} makes one from a model file of `recurra`. Its answers are those of `TextClassifier`,
 * at once and on the thread that asks.
 */
export class WebClassifier {
  /** What kind of model it is. */
  readonly kind = 'classifier';
  /** The labels, in the order of the model's outputs. */
  readonly labels: readonly string[];
  /** The probability from which on each label is given; undefined for a model with exclusive labels. */
  readonly thresholds: readonly number[] | undefined;
  #instance: Instance | undefined;
  /** Splits a text and looks its tokens up, where the module does not. */
  readonly #read: ((text: string) => Int32Array) | undefined;
  readonly #certainty: Certainty | undefined;
  readonly #scope: Scope | undefined;
  readonly #recurrent: boolean;

  /** @internal */
  constructor(
    instance: Instance,
    { labels, thresholds, certainty, scope, recurrent }: ClassifierFields,
    read?: (text: string) => Int32Array,
  ) {
    this.#certainty = certaintyOf(certainty);
    this.#scope = checkedScope(scope);
    this.#recurrent = recurrent;
    this.labels = Object.freeze([...labels]);
    this.thresholds = thresholds && Object.freeze([...thresholds]);
    this.#instance = instance;
    this.#read = read;
  }

  /**
   * Labels one text. An empty text, and one without a known word, gets a distribution too; see {@link Prediction.knownTokens}.
   *
   * @throws {@link ArgumentError} if `text` is not a string or an option is invalid, or if the model's file lacks what `precision` or
   * `outOfScope` needs.
   * @throws {@link RecurraError} `DISPOSED` after the model was closed; `OUT_OF_MEMORY`, after which the model must be loaded again.
   *
   * @example
   * ```ts
   * const { label, probability } = model.predict('My invoice is wrong');
   * ```
   */
  predict(text: string, options?: PredictOptions): Prediction;
  predict(text: string, options: CautiousOptions): Prediction<string | null>;
  predict(text: string, options: PredictOptions | CautiousOptions = {}): Prediction<string | null> {
    if (typeof text !== 'string') throw invalidArgument('text', 'a string', text);
    return this.#answers(options)(text);
  }

  /**
   * Labels many texts, one after the other; the predictions are in the order of the texts.
   *
   * @throws {@link ArgumentError} if an element is not a string, before any is labelled.
   * @throws {@link RecurraError} as {@link predict}.
   */
  predictMany(texts: readonly string[], options?: PredictOptions): Prediction[];
  predictMany(texts: readonly string[], options: CautiousOptions): Prediction<string | null>[];
  predictMany(texts: readonly string[], options: PredictOptions | CautiousOptions = {}): Prediction<string | null>[] {
    if (!Array.isArray(texts)) throw invalidArgument('texts', 'an array of strings', texts);
    const answer = this.#answers(options);
    for (let i = 0; i < texts.length; i++)
      if (typeof texts[i] !== 'string') throw invalidArgument(`texts[${i}]`, 'a string', texts[i]);
    return texts.map((text: string) => answer(text));
  }

  /**
   * The threshold with which most validation rows of the training had a label, among those that reached a precision.
   *
   * @param precision - Share of the assigned labels that should be right; above 0, at most 1.
   * @throws {@link ArgumentError} `INVALID_ARGUMENT` if the model was trained without validation rows or is a multi-label model;
   * `OUT_OF_RANGE` for a precision that no threshold reached.
   */
  thresholdFor(precision: number): PrecisionThreshold {
    checkRange('precision', precision, { above: 0, to: 1 });
    return thresholdFor(this.#certainty, precision, { multiLabel: this.thresholds !== undefined, compressed: false });
  }

  /**
   * Is not possible here: the package `recurra` explains labels in Node.js (`TextClassifier.explain`), and `recurra serve` over HTTP
   * (`POST /explain`).
   *
   * @throws {@link RecurraError} `INVALID_ARGUMENT`, which says so.
   */
  explain(text: string): never;
  explain(): never {
    throw new RecurraError(
      'INVALID_ARGUMENT',
      'labels are explained by TextClassifier of recurra, and by recurra serve',
    );
  }

  /** Frees the memory. Predictions then throw `DISPOSED`; closing again changes nothing. */
  close(): void {
    this.#instance = undefined;
  }

  /** Checks options, and makes the function that answers with them. */
  #answers(options: PredictOptions | CautiousOptions): (text: string) => Prediction<string | null> {
    checkOptionNames('predict', options, ['topK', 'minProbability', 'precision', 'outOfScope']);
    const { topK = this.labels.length, minProbability = 0, precision, outOfScope = false } = options;
    checkInteger('topK', topK, 1);
    checkProbability('minProbability', minProbability);
    const least = Math.max(minProbability, precision === undefined ? 0 : this.thresholdFor(precision).minProbability);
    const scope = checkFlag('outOfScope', outOfScope) ? this.#scope : undefined;
    if (outOfScope && !scope) throw withoutScope(false);
    const { labels } = this;
    const thresholds = this.thresholds?.map((threshold) => Math.max(threshold, least));
    return (text) => {
      const scores = this.#scores(text);
      const [tokens, known] = [scores[labels.length]!, scores[labels.length + 1]!];
      const prediction = cautious(predictionOf({ labels, thresholds }, scores, 0, topK, tokens, known), least);
      return scope ? Object.assign(prediction, { outOfScope: this.#isOutOf(scope, scores, prediction) }) : prediction;
    };
  }

  /** The probability of each label, the number of tokens, and that of known ones. */
  #scores(text: string): Float32Array {
    const instance = this.#open();
    const numbers = this.labels.length + 2;
    return this.#read ? instance.predictIds(this.#read(text), text, numbers) : instance.predict(text, numbers);
  }

  /** Whether the text that was labelled last is out of scope. */
  #isOutOf(scope: Scope, scores: Float32Array, { tokens, knownTokens }: Prediction<string | null>): boolean {
    const outputs = this.labels.length;
    const several = this.thresholds !== undefined;
    const signals = {
      unknown: Float64Array.of(tokens === 0 ? 1 : (tokens - knownTokens) / tokens),
      entropy: Float64Array.of(entropyOf(scores.subarray(0, outputs), several)),
      energy: this.#recurrent ? Float64Array.of(energyOf(this.#open().rawScores(outputs), several)) : undefined,
    };
    return isOutOfScope(scope, signals, 0);
  }

  #open(): Instance {
    const instance = this.#instance;
    if (!instance) throw new RecurraError('DISPOSED', 'this WebClassifier has been closed');
    return instance;
  }
}

/** Numbers of the tokenizers in the crate's `Settings`; the last one is read by JavaScript. */
const TOKENIZER_NUMBERS: Readonly<Record<TokenizerName, number>> = {
  basic_english: 0,
  characters: 1,
  unicode_words: 2,
};

const TRUNCATION_NUMBERS: Readonly<Record<Truncation, number>> = { head: 0, tail: 1, both: 2 };

/** @throws {@link ModelFileError} for a tokenizer that is not among those with a name. */
function tokenizerIn(path: string, tokenizer: Metadata['tokenizer']): TokenizerName {
  if (tokenizer !== null && tokenizer !== HUGGING_FACE) return tokenizer;
  const what = tokenizer === null ? 'a tokenizer function of its own' : 'a HuggingFace tokenizer';
  const expected = `one of ${Object.keys(TOKENIZER_NUMBERS).join(', ')}`;
  throw new ModelFileError(
    'INVALID_FILE',
    `${path} was trained with ${what}; recurra-web reads texts with ${expected}`,
  );
}

/** What splits texts where JavaScript does: the words of `Intl.Segmenter`. */
function wordReader(extent: TextExtent, vocab: Vocab): (text: string) => Int32Array {
  return (text) => vocab.encode(shape(readWords(withoutMarks(text), extent), extent));
}

const floatBits = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0]!;

/**
 * Checks what a file says of its classifier; the result gives it to an instance.
 *
 * @throws {@link ModelFileError} `INVALID_FILE`, also from the result.
 */
export function classifierIn(file: OpenedFile): (instance: Instance) => WebClassifier {
  const { settings, extent, tokenizer, vocab, own, arrays } = describeOpened(file, classifierFile);
  const name = tokenizerIn(file.path, tokenizer);
  const { linear: mix, recurrent, members } = own;
  const linear = hasLinear(arrays, own);
  const numbers = [
    ...networkNumbers('classifier', settings, own.labels.length, vocab),
    Number(settings.multiLabel),
    POOLINGS.indexOf(settings.pooling),
    recurrent ? members : 0,
    Number(linear),
    floatBits(mix?.network ?? 0),
    floatBits(mix?.sharpness ?? 1),
    TOKENIZER_NUMBERS[name],
    extent.ngrams,
    extent.maxLength,
    TRUNCATION_NUMBERS[extent.truncate],
  ];
  const isLinear = (array: FileTensor) => array.name.startsWith(LINEAR_PREFIX);
  const ofNetworks = recurrent
    ? byMember(
        arrays.filter((array) => !isLinear(array)),
        members,
      )
    : [];
  return (instance) => {
    instance.begin(Uint32Array.from(numbers));
    instance.tokens(vocab.itos);
    for (const [member, own] of ofNetworks.entries()) giveArrays(instance, member, own);
    if (linear) giveArrays(instance, 0, arrays.filter(isLinear));
    instance.finish();
    return new WebClassifier(instance, own, name === 'unicode_words' ? wordReader(extent, vocab) : undefined);
  };
}
