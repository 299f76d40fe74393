import { DataError } from '../core/errors.js';
import { HuggingFaceTokenizer } from '../text/huggingFace.js';
import type { TokenizerLike } from '../text/tokenizer.js';
import type { Vocab } from '../text/vocab.js';

/** Bytes for the vocabulary in a model file, of the 100 MB that its format allows for everything but weights. */
const ROOM = 90_000_000;
/** The same with the description of a Hugging Face tokenizer, which may have 64 MiB. */
const ROOM_BESIDE_TOKENIZER = 30_000_000;

/** Bytes for the vocabulary in the file of a model with this tokenizer. */
export function vocabularyRoom(tokenizer: TokenizerLike): number {
  return tokenizer instanceof HuggingFaceTokenizer ? ROOM_BESIDE_TOKENIZER : ROOM;
}

/**
 * Refuses, before hours of training, a vocabulary too large for a model file. Pauses often.
 *
 * @throws {@link DataError} `OUT_OF_RANGE`.
 */
export function* checkVocabulary(vocab: Vocab, room: number): Generator<void, void, undefined> {
  // Besides the token itself: two escaped quotes and a comma.
  let bytes = 5 * vocab.size;
  if (vocab.native) bytes += vocab.native.textBytes;
  else {
    for (const [index, token] of vocab.itos.entries()) {
      bytes += Buffer.byteLength(token);
      if (index % 8192 === 8191) yield;
    }
  }
  if (bytes <= room) return;
  const message =
    `the vocabulary has ${vocab.size} tokens of ${Math.ceil(bytes / 1e6)} MB in all, but a model file has room for ` +
    `${room / 1e6} MB; set maxTokens, or a larger minFreq`;
  throw new DataError('OUT_OF_RANGE', message);
}
