import { DataError } from '../core/errors.js';
import { HuggingFaceTokenizer } from '../text/huggingFace.js';
import type { TokenizerLike } from '../text/tokenizer.js';
import type { Vocab } from '../text/vocab.js';

/** Bytes that a model file has room for a vocabulary, of the 100 MB that its format allows for all that is not weights. */
const ROOM = 90_000_000;
/** The same beside the description of a HuggingFace tokenizer, which may have 64 MiB. */
const ROOM_BESIDE_TOKENIZER = 30_000_000;

/** Bytes that the file of a model with this tokenizer has room for a vocabulary. */
export function vocabularyRoom(tokenizer: TokenizerLike): number {
  return tokenizer instanceof HuggingFaceTokenizer ? ROOM_BESIDE_TOKENIZER : ROOM;
}

/**
 * Refuses, before hours of training, a vocabulary that no model file could hold. Pauses now and then.
 *
 * @throws DataError `OUT_OF_RANGE`.
 */
export function* checkVocabulary(vocab: Vocab, room: number): Generator<void, void, undefined> {
  // Beside the token itself two quotes, each escaped, and a comma.
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
