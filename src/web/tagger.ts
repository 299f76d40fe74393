import { constraint, invalidArgument, RecurraError } from '../core/errors.js';
import { DECODERS, TAG_SCORES } from '../engine/network.js';
import { taggerFile } from '../models/tagger/description.js';
import { distinctWords, rowsOf, type SentenceSettings, sentenceSteps } from '../models/tagger/encode.js';
import { tagsHead } from '../models/tagger/head.js';
import { type Tagging, type TextTagging, taggingOf } from '../models/tagger/prediction.js';
import { TagSet } from '../models/tagger/tagSet.js';
import { atOnce, type TaggerTokenizer } from '../models/tagger/tokenizer.js';
import type { TagScheme } from '../text/tags/scheme.js';
import type { Instance } from './instance.js';
import { giveArrays, networkNumbers } from './network.js';
import { describeOpened, type OpenedFile } from './opened.js';

/**
 * A tagger in WebAssembly; {@link load} makes one from a model file of `recurra`. Its answers are those of `TextTagger`, at once and on
 * the thread that asks.
 */
export class WebTagger {
  /** What kind of model it is. */
  readonly kind = 'tagger';
  /** The labels of spans, in code point order; for tags without a scheme the tags. */
  readonly labels: readonly string[];
  /** The scheme of the tags, that of the training rows; undefined for tags without a scheme, such as parts of speech. */
  readonly scheme: TagScheme | undefined;
  /** How texts are split into tokens. */
  readonly tokenizer: TaggerTokenizer;
  readonly #set: TagSet;
  readonly #settings: SentenceSettings;
  #instance: Instance | undefined;

  /** @internal */
  constructor(instance: Instance, set: TagSet, settings: SentenceSettings) {
    this.labels = Object.freeze([...set.labels]);
    this.scheme = set.scheme;
    this.tokenizer = settings.splits;
    this.#set = set;
    this.#settings = settings;
    this.#instance = instance;
  }

  /**
   * Tags a text, or tokens that are there already.
   *
   * The spans of a text point into it: `text.slice(span.start, span.end) === span.text`, in UTF-16 code units, whatever the text. Of
   * tokens the spans say which tokens they are made of. There are always as many tags as tokens.
   *
   * @throws {@link ArgumentError} if `input` is neither a string nor an array of strings, and for any option: there are none.
   * @throws {@link RecurraError} `DISPOSED` after the model was closed; `OUT_OF_MEMORY`, after which the model must be loaded again.
   *
   * @example
   * ```ts
   * const { spans } = tagger.predict('She lives in New York.');
   * const { tags } = tagger.predict(['She', 'lives', 'in', 'New', 'York', '.']); // ['O', 'O', 'O', 'B-LOC', 'I-LOC', 'O']
   * ```
   */
  predict(input: string): TextTagging;
  predict(input: readonly string[]): Tagging;
  predict(input: string | readonly string[]): Tagging | TextTagging;
  predict(input: string | readonly string[], options?: object): Tagging {
    checkNoOptions('predict', options);
    return this.#answer(input, 'input');
  }

  /**
   * Tags many texts, or sentences of tokens, one after the other; the answers are in their order.
   *
   * @throws as {@link predict}.
   */
  predictMany(inputs: readonly string[]): TextTagging[];
  predictMany(inputs: readonly (readonly string[])[]): Tagging[];
  predictMany(inputs: readonly (string | readonly string[])[]): (Tagging | TextTagging)[];
  predictMany(inputs: readonly (string | readonly string[])[], options?: object): Tagging[] {
    checkNoOptions('predictMany', options);
    if (!Array.isArray(inputs)) throw invalidArgument('inputs', 'an array of texts, or of arrays of tokens,', inputs);
    return inputs.map((input, i) => this.#answer(input, `inputs[${i}]`));
  }

  /** Frees the memory. Predictions then throw `DISPOSED`; closing again changes nothing. */
  close(): void {
    this.#instance = undefined;
  }

  #answer(input: unknown, name: string): Tagging {
    const instance = this.#instance;
    if (!instance) throw new RecurraError('DISPOSED', 'this WebTagger has been closed');
    const { maxLength, subwords } = this.#settings;
    const sentence = atOnce(sentenceSteps(input, name, this.#settings));
    let { tokens, lengths } = rowsOf([sentence], maxLength);
    if (subwords) {
      const { words, ids, numbers } = distinctWords([sentence], tokens);
      instance.forms(words, ids);
      tokens = numbers;
    }
    const scores = instance.tag(tokens, lengths, TAG_SCORES * tokens.length);
    return taggingOf({ set: this.#set, maxLength }, sentence, scores, 0);
  }
}

/** Every token has one tag, so there is nothing to choose: an option, such as a classifier's `topK`, is refused. */
function checkNoOptions(where: string, options: object = {}): void {
  const [name] = Object.keys(Object(options));
  if (name !== undefined)
    throw constraint(name, `Unknown option ${JSON.stringify(name)} for ${where}; a WebTagger has no options here`);
}

/** The lower and the upper 32 bits of a float64. */
function doubleBits(value: number): [low: number, high: number] {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return [view.getUint32(4), view.getUint32(0)];
}

/**
 * Checks what a file says of its tagger; the result gives it to an instance.
 *
 * @throws ModelFileError `INVALID_FILE`, also from the result.
 */
export function taggerIn(file: OpenedFile): (instance: Instance) => WebTagger {
  const { settings, extent, vocab, own, arrays } = describeOpened(file, taggerFile);
  const set = new TagSet(own);
  const { forbidden } = tagsHead(set, settings);
  const numbers = [
    ...networkNumbers('tagger', settings, set.tags.length, vocab, settings.subwords),
    DECODERS.indexOf(settings.decoder),
    ...doubleBits((settings.subwords || { shapeShare: 0 }).shapeShare),
  ];
  return (instance) => {
    instance.begin(Uint32Array.from(numbers));
    if (forbidden) instance.forbid(forbidden);
    giveArrays(instance, 0, arrays);
    instance.finish();
    const { splits, lowercase } = own;
    return new WebTagger(instance, set, {
      ...{ vocab, splits, lowercase },
      maxLength: extent.maxLength,
      subwords: settings.subwords,
    });
  };
}
