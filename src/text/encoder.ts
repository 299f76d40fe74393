import type { light as lightNamespace } from '../../index.d.js';
import { Turns } from '../core/turns.js';
import { light } from '../native/light.js';
import type { TextReader } from './reader.js';
import type { Vocab } from './vocab.js';

/** Tokens passed to the addon per call: less than a millisecond. */
const TOKENS_PER_CALL = 2_048;

/** How the addon turns texts into token ids. */
export interface NativeEncoder {
  native: lightNamespace.TextEncoder;
  /** Maximum tokens read of a text, including n-grams. */
  maxTokens: number;
}

/**
 * Makes the addon's encoder for a vocabulary, which must have a token for unknown ones. Passes the vocabulary's tokens
 * to the addon if needed, yielding to the event loop.
 */
export async function nativeEncoder(reader: TextReader, vocab: Vocab): Promise<NativeEncoder> {
  const words = vocab.native ?? (await given(vocab));
  const native = new (light().TextEncoder)(words, reader.native, vocab.defaultIndex!);
  return { native, maxTokens: reader.maxTokens };
}

/** Passes the tokens of a vocabulary to the addon. */
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
