import type { light as lightNamespace } from '../../index.d.js';
import { Turns } from '../core/turns.js';
import { light } from '../native/light.js';
import type { Truncation } from './extent.js';
import type { TokenSettings } from './options.js';
import type { BatchTokenizer, TokenizerLike } from './tokenizer.js';

/**
 * The tokenizers implemented in the addon, for training and prediction, off the event loop and without a string per
 * token.
 *
 * `unicode_words` is the exception. Its words come from the ICU of Node (`Intl.Segmenter`), which finds Chinese,
 * Japanese and Thai words by their frequencies. ICU4X (`icu_segmenter` 2.4) takes the longest match instead and gave
 * different words for a quarter of the Chinese and half of the Japanese sentences compared, for 3.4 MB of data; trained
 * models would read other words than they know. So only JavaScript implements it, through the same interface as a
 * custom function.
 */
export type AddonTokenizer = 'basic_english' | 'characters';

/** Whether the addon reads the texts of a tokenizer. */
export function isAddonTokenizer(tokenizer: TokenizerLike): tokenizer is AddonTokenizer {
  return tokenizer === 'basic_english' || tokenizer === 'characters';
}

/** How a {@link TextReader} reads: a model's text options, for one of the addon's tokenizers. */
export interface ReaderSettings {
  tokenizer: AddonTokenizer;
  ngrams: TokenSettings['ngrams'];
  /** Maximum tokens read of a text, without n-grams; up to 4,294,967,295. */
  maxLength: number;
  truncate: Truncation;
  /**
   * Whether a `<pad>` that a text spells is read as `<unk>`. Models do, since the padding's row stays zero and is never
   * trained; for a tokenizer alone it is a token like any other.
   */
  masksPadding: boolean;
}

/** Maximum characters split on the calling thread: about a millisecond. */
const AT_ONCE = 32_768;
/** Tokens between two checks of the clock. */
const STEP = 4_096;

/** Reads texts in the addon. If JavaScript needs the tokens themselves, it is a tokenizer like others. */
export class TextReader implements BatchTokenizer {
  readonly native: lightNamespace.TextReader;
  /** Maximum tokens read of a text, including n-grams. */
  readonly maxTokens: number;

  constructor(settings: ReaderSettings) {
    this.native = new (light().TextReader)(settings);
    this.maxTokens = settings.maxLength * settings.ngrams;
  }

  /** A reader of all tokens of a text, unchanged. */
  static plain(tokenizer: AddonTokenizer): TextReader {
    return new TextReader({ tokenizer, ngrams: 1, maxLength: 2 ** 32 - 1, truncate: 'head', masksPadding: false });
  }

  tokenize(text: string): string[] {
    return this.native.tokens(text);
  }

  async tokenizeMany(texts: readonly string[]): Promise<string[][]> {
    const characters = texts.reduce((sum, { length }) => sum + length, 0);
    // A thread switch takes longer than a few short texts.
    return characters < AT_ONCE ? texts.map((text) => this.native.tokens(text)) : this.#inBackground(texts);
  }

  /** Splits texts off the event loop, then converts each distinct token once and assembles the lists in turns. */
  async #inBackground(texts: readonly string[]): Promise<string[][]> {
    const counter = new (light().VocabularyBuilder)();
    try {
      const { numbers, tokens } = await counter.read(this.native, texts);
      const built = await counter.build({ minFreq: 1, maxTokens: Infinity, specials: [], specialFirst: true });
      const [vocabulary, indices] = [built.takeVocabulary()!, built.takeIndices()];
      const turns = new Turns();
      const words: string[] = [];
      while (words.length < vocabulary.size) {
        words.push(...vocabulary.tokens(words.length, Math.min(words.length + STEP, vocabulary.size)));
        if (turns.due) await turns.next();
      }
      const lists: string[][] = [];
      let at = 0;
      for (const count of tokens) {
        const list = new Array<string>(count);
        for (let i = 0; i < count; i++) {
          list[i] = words[indices[numbers[at + i]! - 1]!]!;
          if (i % STEP === 0 && turns.due) await turns.next();
        }
        lists.push(list);
        // A text without tokens has a zero instead.
        at += Math.max(count, 1);
      }
      return lists;
    } finally {
      counter.close();
    }
  }
}
