import { ModelFileError } from '../core/errors.js';
import type { Cell, NetworkSettings } from '../engine/network.js';
import type { FeatureOptions } from '../text/forms.js';
import type { Vocab } from '../text/vocab.js';
import type { Instance } from './instance.js';
import type { FileTensor } from './safetensors.js';

/** Numbers of the kinds of models in the crate's `Settings`. */
const KIND_NUMBERS = { classifier: 0, tagger: 1, language: 2 } as const;

/** Numbers of the cells in `recurra_core::Cell`. */
const CELL_NUMBERS: Readonly<Record<Cell, number>> = { rnn: 0, lstm: 2, gru: 3, mingru: 4 };

/** Names of element types in the module, by those in the file. */
const DTYPES: Readonly<Record<string, string>> = {
  F32: 'float32',
  F64: 'float64',
  BF16: 'bfloat16',
  I64: 'int64',
  I32: 'int32',
  U32: 'uint32',
  U8: 'uint8',
  I8: 'int8',
  BOOL: 'bool',
};

/** What a network sees of the characters of a word. */
export type Subwords = FeatureOptions & { dim: number };

/** A network that does not see the characters of words. */
const NO_SUBWORDS: Subwords = { buckets: 0, dim: 0, minn: 0, maxn: 0, lowercase: false, shape: false };

/** The numbers that every kind of model begins with, in the order of the crate's `Settings`. */
export function networkNumbers(
  kind: keyof typeof KIND_NUMBERS,
  settings: NetworkSettings,
  outputs: number,
  vocab: Vocab,
  subwords: false | Subwords = false,
): number[] {
  const { cell, embeddingDim, hiddenSize, numLayers, bidirectional } = settings;
  const { buckets, dim, minn, maxn, lowercase, shape } = subwords || NO_SUBWORDS;
  return [
    KIND_NUMBERS[kind],
    CELL_NUMBERS[cell],
    embeddingDim,
    hiddenSize,
    numLayers,
    Number(bidirectional),
    outputs,
    vocab.length,
    vocab.defaultIndex!,
    vocab.padIndex === undefined ? 0 : vocab.padIndex + 1,
    buckets,
    dim,
    minn,
    maxn,
    Number(lowercase),
    Number(shape),
  ];
}

/**
 * Gives arrays of a file to an instance: those of the network with the number `member`.
 *
 * @throws {@link ModelFileError} `INVALID_FILE` for a type of elements that the module does not know.
 */
export function giveArrays(instance: Instance, member: number, arrays: readonly FileTensor[]): void {
  for (const { name, dtype, shape, data } of arrays) {
    const type = DTYPES[dtype];
    if (type === undefined)
      throw new ModelFileError('INVALID_FILE', `its array ${name} has the type ${dtype}, which is not read here`);
    instance.array(member, name, type, shape, data);
  }
}
