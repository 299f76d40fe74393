import { Turns } from '../../core/turns.js';
import { TAG_SCORES } from '../../engine/network.js';
import { formsNow, formsOf } from '../../text/forms.js';
import type { Asked } from '../serving/call.js';
import type { EncodedText, FlatTexts, IdReader } from '../serving/ids.js';
import {
  distinctWords,
  type EncodedTokens,
  encodeSteps,
  rowsOf,
  type Sentence,
  type SentenceSettings,
  sentenceSteps,
  TOKENS_A_STEP,
} from './encode.js';
import { atOnce } from './tokenizer.js';

/** A sentence of this many characters or tokens is read in turns with others. */
const LONG = 8_192;

/** Reads callers' inputs and batches them for the engine. */
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
    // Invalid values are refused when they are read.
    if (given == null || !(given.length >= LONG)) return undefined;
    return async () => [await new Turns().run(this.#steps(asked, from))];
  }

  #steps(asked: readonly Asked[], index: number): Generator<void, Sentence, undefined> {
    return sentenceSteps(asked[index], asked.length === 1 ? 'input' : `inputs[${index}]`, this.#settings);
  }

  /** Ids of tokens, at least one; pauses often. */
  encodeSteps(tokens: readonly string[]): Generator<void, EncodedText, undefined> {
    return encodeSteps(tokens, this.#settings);
  }

  flat(sentences: readonly EncodedTokens[]): FlatTexts {
    const { subwords, maxLength } = this.#settings;
    const flat = rowsOf(sentences, maxLength);
    if (!subwords) return flat;
    const { words, ids, numbers } = distinctWords(sentences, flat.tokens);
    return { tokens: numbers, lengths: flat.lengths, forms: formsNow(words, ids, subwords) };
  }

  flatInTurns(sentences: readonly EncodedTokens[]): Promise<FlatTexts> | undefined {
    const { subwords, maxLength } = this.#settings;
    if (!subwords) return undefined;
    const count = sentences.reduce((sum, { ids }) => sum + ids.length, 0);
    if (count <= TOKENS_A_STEP) return undefined;
    const flat = rowsOf(sentences, maxLength);
    const { words, ids, numbers } = distinctWords(sentences, flat.tokens);
    return formsOf(words, ids, subwords).then((forms) => ({ tokens: numbers, lengths: flat.lengths, forms }));
  }

  scoresOf({ ids }: EncodedText): number {
    return TAG_SCORES * ids.length;
  }
}
