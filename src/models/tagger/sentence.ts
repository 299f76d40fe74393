import { invalidArgument } from '../../core/errors.js';
import { Turns } from '../../core/turns.js';
import { TAG_SCORES } from '../../engine/network.js';
import { type FeatureOptions, formsNow, formsOf } from '../../text/forms.js';
import type { Vocab } from '../../text/vocab.js';
import type { Asked } from '../serving/call.js';
import type { EncodedText, FlatTexts, IdReader } from '../serving/ids.js';
import { placed } from './rows.js';
import { atOnce, placedTokens, type TaggerTokenizer } from './tokenizer.js';
import { type WordSettings, wordIds } from './words.js';

/** Characters, or tokens, from which on a sentence is read in turns with others. */
const LONG = 8_192;

/** Tokens that are looked up between two pauses. */
const TOKENS_A_STEP = 2_048;

/** What a tagger reads: a text, or tokens; and what that is to the engine. */
export interface Sentence extends EncodedTokens {
  /** The text, if one was given, and where each token begins in it. */
  text: string | undefined;
  starts: readonly number[] | undefined;
}

/** What a {@link SentenceReader} needs of its model. */
export interface SentenceSettings extends WordSettings {
  vocab: Vocab;
  /** How texts are split. */
  splits: TaggerTokenizer;
  /** Tokens that are read at once. */
  maxLength: number;
  /** What of the characters of a word the network sees; false for nothing. */
  subwords: false | FeatureOptions;
}

/** Tokens with the ids of their words. */
export interface EncodedTokens extends EncodedText {
  tokens: readonly string[];
}

/** Reads what callers ask about, and puts it together for the engine. */
export class SentenceReader implements IdReader<Sentence> {
  readonly #settings: SentenceSettings;

  constructor(settings: SentenceSettings) {
    this.#settings = settings;
  }

  read(asked: readonly Asked[], index: number): Sentence {
    return atOnce(this.#steps(asked, index));
  }

  together(asked: readonly Asked[], from: number): (() => Promise<readonly Sentence[]>) | undefined {
    const given = asked[from];
    // What is no text is refused where it is read.
    if (given == null || !(given.length >= LONG)) return undefined;
    return async () => [await new Turns().run(this.#steps(asked, from))];
  }

  *#steps(asked: readonly Asked[], index: number): Generator<void, Sentence, undefined> {
    const given: unknown = asked[index];
    if (typeof given === 'string') {
      const { tokens, starts } = placed(yield* placedTokens(given, this.#settings.splits));
      return { ...(yield* this.encodeSteps(tokens)), tokens, text: given, starts };
    }
    const name = asked.length === 1 ? 'input' : `inputs[${index}]`;
    if (!Array.isArray(given)) throw invalidArgument(name, 'a text, or an array of tokens,', given);
    const wrong = given.findIndex((token) => typeof token !== 'string');
    if (wrong >= 0) throw invalidArgument(`${name}[${wrong}]`, 'a string', given[wrong]);
    const tokens = [...(given as readonly string[])];
    return { ...(yield* this.encodeSteps(tokens)), tokens, text: undefined, starts: undefined };
  }

  /** Ids of tokens, at least one; pauses now and then. */
  *encodeSteps(tokens: readonly string[]): Generator<void, EncodedText, undefined> {
    const { vocab } = this.#settings;
    if (tokens.length === 0) return { ids: Int32Array.of(vocab.defaultIndex!), count: 0, known: 0 };
    if (tokens.length <= TOKENS_A_STEP) return { ...wordIds(tokens, vocab, this.#settings), count: tokens.length };
    const ids = new Int32Array(tokens.length);
    let known = 0;
    for (let from = 0; from < tokens.length; from += TOKENS_A_STEP) {
      const part = wordIds(tokens.slice(from, from + TOKENS_A_STEP), vocab, this.#settings);
      ids.set(part.ids, from);
      known += part.known;
      yield;
    }
    return { ids, count: tokens.length, known };
  }

  flat(sentences: readonly EncodedTokens[]): FlatTexts {
    const { subwords } = this.#settings;
    const flat = this.#flat(sentences);
    if (!subwords) return flat;
    const { words, ids, numbers } = this.#distinct(sentences, flat.tokens);
    return { tokens: numbers, lengths: flat.lengths, forms: formsNow(words, ids, subwords) };
  }

  flatInTurns(sentences: readonly EncodedTokens[]): Promise<FlatTexts> | undefined {
    const { subwords } = this.#settings;
    if (!subwords) return undefined;
    const count = sentences.reduce((sum, { ids }) => sum + ids.length, 0);
    if (count <= TOKENS_A_STEP) return undefined;
    const flat = this.#flat(sentences);
    const { words, ids, numbers } = this.#distinct(sentences, flat.tokens);
    return formsOf(words, ids, subwords).then((forms) => ({ tokens: numbers, lengths: flat.lengths, forms }));
  }

  /** Each different token with the id of its word, and which of them each token is. */
  #distinct(
    sentences: readonly EncodedTokens[],
    ofTokens: Int32Array,
  ): { words: string[]; ids: Int32Array; numbers: Int32Array } {
    const found = new Map<string, number>();
    const ids: number[] = [];
    const numbers = new Int32Array(ofTokens.length);
    let at = 0;
    for (const { tokens } of sentences) {
      // An empty sentence stands as one word without characters.
      for (const token of tokens.length === 0 ? [''] : tokens) {
        let number = found.get(token);
        if (number === undefined) {
          number = found.size;
          found.set(token, number);
          ids.push(ofTokens[at]!);
        }
        numbers[at++] = number;
      }
    }
    return { words: [...found.keys()], ids: Int32Array.from(ids), numbers };
  }

  #flat(sentences: readonly EncodedText[]): { tokens: Int32Array; lengths: Int32Array } {
    const { maxLength } = this.#settings;
    const lengths: number[] = [];
    let total = 0;
    for (const { ids } of sentences) {
      for (let left = ids.length; left > 0; left -= maxLength) lengths.push(Math.min(left, maxLength));
      total += ids.length;
    }
    if (sentences.length === 1) return { tokens: sentences[0]!.ids, lengths: Int32Array.from(lengths) };
    const tokens = new Int32Array(total);
    let at = 0;
    for (const { ids } of sentences) {
      tokens.set(ids, at);
      at += ids.length;
    }
    return { tokens, lengths: Int32Array.from(lengths) };
  }

  scoresOf({ ids }: EncodedText): number {
    return TAG_SCORES * ids.length;
  }
}
