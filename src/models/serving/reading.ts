import { type NativeEncoder, nativeEncoder } from '../../text/encoder.js';
import type { TokenSettings } from '../../text/options.js';
import { TextReader } from '../../text/reader.js';
import { modelTokenizer } from '../../text/reading.js';
import type { BatchTokenizer, Tokenizer } from '../../text/tokenizer.js';
import type { Vocab } from '../../text/vocab.js';

/** How a model reads texts. */
export interface ModelReading {
  /** Where the addon reads the texts, what it needs for that; undefined where JavaScript does. */
  encoder: NativeEncoder | undefined;
  /** Splits texts where there is no `encoder`, and data sets in any case. */
  tokenizer: TextReader | Tokenizer | BatchTokenizer;
  vocab: Vocab;
}

/** Makes what reads texts as the settings say; yields to the event loop while the addon is given the vocabulary. */
export async function modelReading(settings: TokenSettings, vocab: Vocab): Promise<ModelReading> {
  const tokenizer = modelTokenizer(settings);
  const byAddon = tokenizer instanceof TextReader && vocab.defaultIndex !== undefined;
  return { tokenizer, vocab, encoder: byAddon ? await nativeEncoder(tokenizer, vocab) : undefined };
}
