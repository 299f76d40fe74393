import type { light as lightNamespace } from '../../../index.d.js';
import { constraint } from '../../core/errors.js';
import { checkNames, settingsOf } from '../../core/options/table.js';
import { throwIfAborted } from '../../core/signals.js';
import type { StateEntry } from '../../engine/engine.js';
import { light } from '../../native/light.js';
import type { Vocab } from '../../text/vocab.js';
import { COMPRESS, type CompressOptions } from './options.js';

/** Properties of a model kind for compression. */
export interface Compressible {
  /** Name of the call, for messages. */
  where: string;
  /** The format version with compressed models. */
  version: number;
  /** The networks' share in the answers, from 0 to 1; the rest is the linear model's. */
  share: number;
  /** Whether words may be dropped; false for models that write words. */
  prunes: boolean;
}

/** A native vocabulary of the same tokens. */
function nativeOf(vocab: Vocab): lightNamespace.NativeVocabulary {
  if (vocab.native) return vocab.native;
  const native = new (light().NativeVocabulary)();
  native.add(vocab.itos);
  return native;
}

/**
 * The metadata of a compressed model: that of the original, without the words, which are stored in a separate array.
 */
function metadataOf(metadata: Record<string, string>, version: number): Record<string, string> {
  const described = JSON.parse(metadata.model!) as { vocab: object };
  const model = { ...described, formatVersion: version, vocab: { ...described.vocab, tokens: [] } };
  return { ...metadata, model: JSON.stringify(model) };
}

/**
 * Makes the file of a compressed model off the event loop.
 *
 * @param parts - The arrays, metadata and words of the model.
 * @throws ArgumentError for an invalid option; `OUT_OF_RANGE` about `maxBytes` for a budget that cannot be met.
 */
export async function compressModel(
  { state, metadata, vocab }: { state: StateEntry[]; metadata: Record<string, string>; vocab: Vocab },
  options: CompressOptions,
  { version, share, prunes }: Compressible,
): Promise<lightNamespace.PackedModel> {
  const { maxBytes, bits, keepWords, signal } = settingsOf(COMPRESS, options);
  const { specials, defaultIndex, padIndex } = vocab;
  const pinned = [defaultIndex, padIndex, ...vocab.lookupIndices(specials)].filter((index) => index !== undefined);
  const work = new (light().Compression)();
  const stop = () => work.abort();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    return await work.run(
      {
        state,
        metadata: metadataOf(metadata, version),
        share,
        pinned,
        ...(prunes && defaultIndex !== undefined && { unknown: defaultIndex }),
        ...(maxBytes !== undefined && { maxBytes }),
        ...(bits !== undefined && { bits }),
        ...(keepWords !== undefined && { keepWords }),
      },
      nativeOf(vocab),
    );
  } catch (error) {
    // The addon does not know the signal's reason.
    throwIfAborted(signal, 'the compression');
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

/** Checks the options of a compression before any work. */
export function checkCompression(options: CompressOptions, { where, prunes }: Compressible): void {
  checkNames(where, options, COMPRESS);
  const { maxBytes, bits, keepWords, signal } = settingsOf(COMPRESS, options);
  if (maxBytes === undefined && bits === undefined && keepWords === undefined)
    throw constraint('maxBytes', 'give at least one of maxBytes, bits and keepWords');
  if (keepWords !== undefined && !prunes)
    throw constraint('keepWords', 'keepWords does not apply to this model: it writes words, so all of them are kept');
  throwIfAborted(signal, 'the compression');
}
