import type { light as lightNamespace } from '../../index.d.js';
import { Turns } from '../core/turns.js';
import { light } from '../native/light.js';
import type { TokenSettings } from './options.js';
import { UNKNOWN } from './reading.js';
import type { Vocab } from './vocab.js';

/** Tokens that are given to the addon in one go: less than a millisecond. */
const TOKENS_PER_CALL = 2_048;

/** How the addon turns texts into token ids. */
export interface NativeEncoder {
  native: lightNamespace.TextEncoder;
  /** Most tokens of a text that are read. */
  maxLength: number;
}

/**
 * What lets the addon read texts as {@link modelTokenizer} and the vocabulary would; undefined where only JavaScript can: with
 * another tokenizer than `basic_english`, or with n-grams. Gives way to the event loop.
 */
export async function nativeEncoder(settings: TokenSettings, vocab: Vocab): Promise<NativeEncoder | undefined> {
  const { tokenizer, ngrams, maxLength, truncate } = settings;
  const unknown = vocab.defaultIndex;
  if (tokenizer !== 'basic_english' || ngrams !== 1 || unknown === undefined) return undefined;
  const words = vocab.native ?? (await given(vocab));
  // The padding stands for no word, so that a text that has it reads as `<unk>`.
  const padding = vocab.has(UNKNOWN) ? vocab.get(UNKNOWN) : unknown;
  return { native: new (light().TextEncoder)(words, maxLength, truncate, unknown, padding), maxLength };
}

/** Gives the addon the tokens of a vocabulary. */
async function given(vocab: Vocab): Promise<lightNamespace.NativeVocabulary> {
  const words = new (light().NativeVocabulary)();
  const turns = new Turns();
  const { itos } = vocab;
  for (let start = 0; start < itos.length; start += TOKENS_PER_CALL) {
    words.add(itos.slice(start, start + TOKENS_PER_CALL));
    if (turns.due) await turns.next();
  }
  vocab.attach(words);
  return words;
}

/** `toLowerCase` as a function, for texts whose lower case the addon does not know. */
export const lower = (text: string): string => text.toLowerCase();
