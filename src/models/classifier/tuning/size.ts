import { recurrentWeights } from '../../../engine/network.js';
import { SUBWORDS } from '../network.js';
import { defaultSubwords, type TrainOptions, trainSettings } from '../options.js';
import type { RowsKnown, Searched } from './space.js';

/** What the size of a model depends on besides its options. */
export interface SizeKnown extends RowsKnown {
  /** Words of all rows. */
  words: number;
  /** Bytes that these words take in the description of a file. */
  wordBytes: number;
}

/** Bytes of a file besides arrays and words: names, shapes, options. */
const DESCRIPTION = 12_000;
/** With fewer words, a network is not worth its size. */
const FEWEST_WORDS = 500;
/** With fewer bytes, a linear model is not worth its size. */
const FEWEST_LINEAR_BYTES = 20_000;
/** The linear model's share of the file if both do not fit completely. */
const LINEAR_SHARE = 0.4;

/** Bytes that the name, the shape and the place of an array take in a file, at most. */
const BYTES_OF_A_NAME = 160;

/** Contents of a file. */
export interface FileContents {
  metadata: Record<string, string>;
  state: readonly { data: Uint8Array }[];
}

/** Size of a model file in bytes, with an allowance for the names of its arrays. */
export function fileBytes({ metadata, state }: FileContents): number {
  const arrays = state.reduce((sum, { data }) => sum + data.byteLength + BYTES_OF_A_NAME, 0);
  return arrays + Buffer.byteLength(JSON.stringify(metadata));
}

/** The most bytes of the linear model where no option says it; `default_bytes` of the crate `linear`. */
function linearBytes(labels: number): number {
  return Math.min(16_000_000, 1_500_000 + 84_000 * labels);
}

/**
 * Settings for a model file of at most `most` bytes, computed from the shapes of its arrays: if not everything fits,
 * with fewer words and n-grams.
 *
 * @returns undefined if too little would be left.
 */
export function fitted(
  options: Searched,
  fixed: TrainOptions,
  { words, wordBytes, rows, labels }: SizeKnown,
  most: number,
): Searched | undefined {
  const {
    model,
    text,
    subwords,
    choosesSubwords,
    linear,
    recurrent,
    members = 1,
    maxLinearBytes,
    encoder,
  } = trainSettings({
    ...fixed,
    ...options,
  });
  const usual = Math.min(maxLinearBytes ?? Number.POSITIVE_INFINITY, linearBytes(labels));
  const room = most - DESCRIPTION - labels * 40;
  if (recurrent === false) {
    const left = room - wordBytes;
    if (left < FEWEST_LINEAR_BYTES) return undefined;
    return left >= usual ? options : { ...options, maxLinearBytes: Math.floor(left) };
  }
  const { hiddenSize, bidirectional, numLayers, pooling, embeddingDim } = model;
  const characters =
    subwords ??
    (choosesSubwords && !encoder && defaultSubwords(rows, labels) ? { dim: SUBWORDS.dim.default } : undefined);
  const dim = embeddingDim + (characters?.dim ?? 0);
  const features = hiddenSize * (bidirectional ? 2 : 1);
  const layers = recurrentWeights({ ...model, embeddingDim: dim }) + numLayers * features * 8;
  const attention = pooling === 'attention' ? features * (features + 2) : 0;
  const network = 4 * members * (layers + attention + (features + 1) * labels);
  const word = 4 * members * dim + wordBytes / Math.max(1, words);
  const known = Math.min(words + 2, text.maxTokens);
  if (network + known * word + (linear ? usual : 0) <= room) return options;
  const ofLinear = linear
    ? Math.max(Math.min(usual, room - network - known * word), Math.min(usual, LINEAR_SHARE * room))
    : 0;
  const maxTokens = Math.min(known, Math.floor((room - network - ofLinear) / word));
  if (maxTokens < Math.min(FEWEST_WORDS, known) || (linear && ofLinear < FEWEST_LINEAR_BYTES)) return undefined;
  return {
    ...options,
    ...(maxTokens < known && { maxTokens }),
    ...(linear && ofLinear < usual && { maxLinearBytes: Math.floor(ofLinear) }),
  };
}
