import { checkInteger } from '../core/checks.js';
import { invalidArgument, ModelFileError, RecurraError } from '../core/errors.js';
import { checkOptionNames } from '../core/options/names.js';
import { byMember, LINEAR_PREFIX } from '../engine/memberNames.js';
import { POOLINGS } from '../engine/network.js';
import { type ClassifierFields, classifierFile, hasLinear } from '../models/classifier/description.js';
import { type Prediction, predictionOf } from '../models/classifier/prediction.js';
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
  /** What kind of model it is. */
  readonly kind = 'classifier';
  /** The labels, in the order of the model's outputs. */
  readonly labels: readonly string[];
  /** The probability from which on each label is given; undefined for a model with exclusive labels. */
  readonly thresholds: readonly number[] | undefined;
  #instance: Instance | undefined;
  /** Splits a text and looks its tokens up, where the module does not. */
  readonly #read: ((text: string) => Int32Array) | undefined;

  /** @internal */
  constructor(
    instance: Instance,
    { labels, thresholds }: Pick<ClassifierFields, 'labels' | 'thresholds'>,
    read?: (text: string) => Int32Array,
  ) {
    this.labels = Object.freeze([...labels]);
    this.thresholds = thresholds && Object.freeze([...thresholds]);
    this.#instance = instance;
    this.#read = read;
  }

  /**
   * Labels one text. An empty text, and one without a known word, gets a distribution too; see {@link Prediction.knownTokens}.
   *
   * @throws {@link ArgumentError} if `text` is not a string or `topK` is not a whole number above 0.
   * @throws {@link RecurraError} `DISPOSED` after the model was closed; `OUT_OF_MEMORY`, after which the model must be loaded again.
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
