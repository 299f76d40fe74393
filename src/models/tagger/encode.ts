// Encodes callers' inputs as numbers. Nothing here needs a file system or an addon, since recurra-web reads sentences
// too.

import { invalidArgument } from '../../core/errors.js';
import type { FeatureOptions } from '../../text/forms.js';
import type { Vocab } from '../../text/vocab.js';
import type { EncodedText } from '../serving/ids.js';
import { placed, placedTokens, type TaggerTokenizer } from './tokenizer.js';
import { type WordSettings, wordIds } from './words.js';

/** Tokens looked up between two pauses. */
export const TOKENS_A_STEP = 2_048;

/** Tokens with the ids of their words. */
export interface EncodedTokens extends EncodedText {
  tokens: readonly string[];
}

/** A tagger's input, a text or tokens, and its encoding for the engine. */
export interface Sentence extends EncodedTokens {
  /** The text, if given, and where each token begins in it. */
  text: string | undefined;
  starts: readonly number[] | undefined;
}

/** Model settings for reading sentences. */
export interface SentenceSettings extends WordSettings {
  vocab: Vocab;
  /** How texts are split. */
  splits: TaggerTokenizer;
  /** Tokens that are read at once. */
  maxLength: number;
  /** Character features that the network reads; false for none. */
  subwords: false | FeatureOptions;
}

/** How words are looked up. */
type Words = Pick<SentenceSettings, 'vocab' | 'lowercase'>;

/**
 * Reads a text or tokens; pauses often.
 *
 * @param name - Its name in messages.
 * @throws ArgumentError naming it if it is neither a string nor an array of strings.
 */
export function* sentenceSteps(
  given: unknown,
  name: string,
  settings: Words & Pick<SentenceSettings, 'splits'>,
): Generator<void, Sentence, undefined> {
  if (typeof given === 'string') {
    const { tokens, starts } = placed(yield* placedTokens(given, settings.splits));
    return { ...(yield* encodeSteps(tokens, settings)), tokens, text: given, starts };
  }
  if (!Array.isArray(given)) throw invalidArgument(name, 'a text, or an array of tokens,', given);
  const wrong = given.findIndex((token) => typeof token !== 'string');
  if (wrong >= 0) throw invalidArgument(`${name}[${wrong}]`, 'a string', given[wrong]);
  const tokens = [...(given as readonly string[])];
  return { ...(yield* encodeSteps(tokens, settings)), tokens, text: undefined, starts: undefined };
}

/** Ids of tokens, at least one; pauses often. */
export function* encodeSteps(tokens: readonly string[], settings: Words): Generator<void, EncodedText, undefined> {
  const { vocab } = settings;
  if (tokens.length === 0) return { ids: Int32Array.of(vocab.defaultIndex!), count: 0, known: 0 };
  if (tokens.length <= TOKENS_A_STEP) return { ...wordIds(tokens, vocab, settings), count: tokens.length };
  const ids = new Int32Array(tokens.length);
  let known = 0;
  for (let from = 0; from < tokens.length; from += TOKENS_A_STEP) {
    const part = wordIds(tokens.slice(from, from + TOKENS_A_STEP), vocab, settings);
    ids.set(part.ids, from);
    known += part.known;
    yield;
  }
  return { ids, count: tokens.length, known };
}

/** The concatenated ids of sentences, in rows of at most `maxLength`. */
export function rowsOf(
  sentences: readonly EncodedText[],
  maxLength: number,
): { tokens: Int32Array; lengths: Int32Array } {
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

/** The distinct tokens with the ids of their words, and the index of each token among them. */
export function distinctWords(
  sentences: readonly EncodedTokens[],
  ofTokens: Int32Array,
): { words: string[]; ids: Int32Array; numbers: Int32Array } {
  const found = new Map<string, number>();
  const ids: number[] = [];
  const numbers = new Int32Array(ofTokens.length);
  let at = 0;
  for (const { tokens } of sentences) {
    // An empty sentence is represented by one word without characters.
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
