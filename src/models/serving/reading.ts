import { type NativeEncoder, nativeEncoder } from '../../text/encoder.js';
import type { TokenSettings } from '../../text/options.js';
import { TextReader } from '../../text/reader.js';
import { modelTokenizer } from '../../text/reading.js';
import type { BatchTokenizer, Tokenizer } from '../../text/tokenizer.js';
import type { Vocab } from '../../text/vocab.js';

/** How a model reads texts. */
export interface ModelReading {
  /** The addon's encoder, if the addon reads the texts; undefined if JavaScript does. */
  encoder: NativeEncoder | undefined;
  /** Splits texts if there is no `encoder`, and data sets in any case. */
  tokenizer: TextReader | Tokenizer | BatchTokenizer;
  vocab: Vocab;
}

/** Makes the reader for the settings; yields to the event loop while the vocabulary is passed to the addon. */
export async function modelReading(settings: TokenSettings, vocab: Vocab): Promise<ModelReading> {
  const tokenizer = modelTokenizer(settings);
  const byAddon = tokenizer instanceof TextReader && vocab.defaultIndex !== undefined;
  return { tokenizer, vocab, encoder: byAddon ? await nativeEncoder(tokenizer, vocab) : undefined };
}
