import { existsSync } from 'node:fs';
import type { light as lightNamespace } from '../../index.d.js';
import { invalidArgument, ModelFileError, RecurraError } from '../core/errors.js';
import { foreignFile } from '../core/foreignFile.js';
import type { RowColumns } from '../data/readers/columns.js';
import type { HeldWeights, StateEntry } from '../engine/engine.js';
import type { NetworkSettings } from '../engine/network.js';
import { light } from '../native/light.js';
import { HuggingFaceTokenizer } from '../text/huggingFace.js';
import { isTokenizerName, type TokenizerName } from '../text/names.js';
import type { TokenSettings } from '../text/options.js';
import type { Vocab } from '../text/vocab.js';
import type { TrainingRecord } from '../training/record.js';
import { cardOf } from './card.js';
import {
  COMPRESSION_KEY,
  type CompressedFile,
  type CompressionFacts,
  compressionFacts,
} from './compression/compressed.js';
import {
  describeModel,
  type FileKind,
  FORMAT,
  HUGGING_FACE,
  inFile,
  type Metadata,
  type ModelKind,
  modelArrays,
  type Stored,
  TOKENIZER_KEY,
  TRAINING_PREFIX,
} from './description.js';

/** Format versions of files with a single network, with a linear model, and with several networks. */
const NETWORK_VERSION = 2;
export const LINEAR_VERSION = 3;
export const MEMBERS_VERSION = 4;
/**
 * 16 GiB: a checkpoint (four times the size of its model) with 16 million words and float32 vectors of 64. No model of
 * this package is larger.
 */
const LARGEST_FILE = 16 * 2 ** 30;

/** The description of any model besides its weights. */
export interface CommonDescription<N extends NetworkSettings = NetworkSettings> {
  /** Shape of the network and its head. */
  settings: N;
  /** How texts become tokens; its tokenizer is `null` if the file cannot store it, such as a function. */
  text: Omit<TokenSettings, 'tokenizer'> & { tokenizer: TokenizerName | HuggingFaceTokenizer | null };
  vocab: Vocab;
  /** How the model was made, if the file contains it. */
  card?: TrainingRecord | undefined;
  /** The columns of the training rows, if the file contains them. */
  columns?: RowColumns | undefined;
}

/** A model file whose weights are kept outside of the JavaScript heap until an engine takes them. */
export type HeldModel<N extends NetworkSettings, D extends object> = CommonDescription<N> &
  D & {
    weights: HeldWeights;
    /** The file itself, if it is that of a compressed model. */
    compressed?: CompressedFile;
  };

/** A model file with all arrays, including those of a checkpoint. */
export type ModelFile<N extends NetworkSettings, D extends object> = CommonDescription<N> &
  D & {
    state: StateEntry[];
    /** Describes the training, as JSON; undefined for a model that is not a checkpoint. */
    checkpoint: string | undefined;
    /** The arrays that the engine resumes from. */
    training: StateEntry[];
  };

/** How texts become tokens, in a form that a file can store. */
export function describedText({ tokenizer, ngrams, maxLength, truncate }: TokenSettings): CommonDescription['text'] {
  const storable = isTokenizerName(tokenizer) || tokenizer instanceof HuggingFaceTokenizer;
  return { tokenizer: storable ? tokenizer : null, ngrams, maxLength, truncate };
}

/**
 * A model's description as the metadata of a safetensors file. It contains no time and no path: the same training gives
 * the same bytes.
 *
 * @param own - The fields of the kind.
 * @param formatVersion - The earliest format version with all these fields.
 */
export function modelMetadata(
  kind: ModelKind,
  { settings, text, vocab }: CommonDescription,
  own: object,
  formatVersion: number = NETWORK_VERSION,
): Record<string, string> {
  const { tokenizer, ngrams, maxLength, truncate } = text;
  const described = tokenizer instanceof HuggingFaceTokenizer ? { [TOKENIZER_KEY]: tokenizer.serialize() } : {};
  const metadata: Metadata = {
    formatVersion,
    kind,
    settings,
    tokenizer: tokenizer instanceof HuggingFaceTokenizer ? HUGGING_FACE : tokenizer,
    ngrams,
    maxLength,
    truncate,
    ...own,
    vocab: vocab.toJSON(),
  };
  return { format: 'pt', recurra: `${FORMAT}${kind}`, model: JSON.stringify(metadata), ...described };
}

/** Writes a model as one safetensors file, atomically. */
export async function writeModel(path: string, metadata: Record<string, string>, state: StateEntry[]): Promise<void> {
  await light().writeSafetensors(path, state, metadata);
}

/** A file's description with its tokenizer; the tokenizer is `null` if a file cannot store it. */
async function describe<N extends NetworkSettings, D extends object>(
  path: string,
  kind: FileKind<N, D>,
  metadata: Record<string, string>,
  checksum: string,
  state: readonly Stored[],
  words?: lightNamespace.NativeVocabulary | null,
): Promise<CommonDescription<N> & D> {
  const { settings, extent, tokenizer, vocab, columns, own } = describeModel(
    path,
    kind,
    metadata,
    checksum,
    state,
    words,
  );
  try {
    const card = cardOf(metadata);
    if (tokenizer !== HUGGING_FACE) return { settings, text: { ...extent, tokenizer }, vocab, card, columns, ...own };
    const description = metadata[TOKENIZER_KEY];
    if (description === undefined) throw new ModelFileError('INVALID_FILE', `it has no ${TOKENIZER_KEY}`);
    const made = await HuggingFaceTokenizer.fromString(description);
    return { settings, text: { ...extent, tokenizer: made }, vocab, card, columns, ...own };
  } catch (error) {
    throw inFile(path, error);
  }
}

/** A file by its path, or one in memory. */
export type ModelSource = string | lightNamespace.PackedModel;

/** The name of a file in messages. */
export const sourceName = (source: ModelSource): string =>
  typeof source === 'string' ? source : 'the compressed model';

/** Lets the addon read a file, with errors about a model file. */
async function opened<T>(path: string, read: (path: string, limit: number) => Promise<T>): Promise<T> {
  if (typeof path !== 'string' || path === '') throw invalidArgument('path', 'the path of a model file', path);
  if (!existsSync(path)) throw new ModelFileError('FILE_NOT_FOUND', `${path}: no such file`);
  try {
    return await read(path, LARGEST_FILE);
  } catch (error) {
    const foreign = error instanceof RecurraError && error.code === 'INVALID_FILE' && (await foreignFile(path));
    if (foreign) {
      const expected = 'expected a file that save or "recurra train" wrote';
      throw new ModelFileError('INVALID_FILE', `${path}: ${expected}; this is ${foreign}`, { cause: error });
    }
    if (error instanceof RecurraError) throw new ModelFileError(error.code, error.message, { cause: error });
    throw error;
  }
}

/** Like {@link compressionFacts}, with errors that name the file. */
function factsOf(path: string, said: string, bytes: number): CompressionFacts {
  try {
    return compressionFacts(said, bytes);
  } catch (error) {
    throw inFile(path, error);
  }
}

/**
 * Reads a model file and checks everything that can be checked before a model is built from it. Its weights stay
 * outside of the JavaScript heap.
 *
 * @throws {@link ModelFileError} `FILE_NOT_FOUND`, `IO`, or `INVALID_FILE`, also for a model of another kind; ArgumentError
 * without a path.
 */
export async function readModel<N extends NetworkSettings, D extends object>(
  source: ModelSource,
  kind: FileKind<N, D>,
): Promise<HeldModel<N, D>> {
  const path = sourceName(source);
  const file = await (typeof source === 'string' ? opened(source, light().holdSafetensors) : source.hold());
  try {
    const metadata = file.takeMetadata();
    const state = modelArrays(metadata, file.tensors);
    const packed = light().takePacked(file);
    const said = metadata[COMPRESSION_KEY];
    const compressed = packed && said !== undefined && { packed, facts: factsOf(path, said, packed.byteLength) };
    const description = await describe(path, kind, metadata, file.checksum, state, file.takeVocabulary());
    return {
      ...description,
      ...(compressed && { compressed }),
      weights: { file, except: metadata.checkpoint === undefined ? undefined : TRAINING_PREFIX },
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Like {@link readModel}, with all arrays, including those of a checkpoint. */
export async function readModelFile<N extends NetworkSettings, D extends object>(
  path: string,
  kind: FileKind<N, D>,
): Promise<ModelFile<N, D>> {
  const { metadata, checksum, tensors } = await opened(path, light().readSafetensors);
  const { checkpoint } = metadata;
  if (metadata[COMPRESSION_KEY] !== undefined) {
    const message = 'a compressed model can only predict; resume from the checkpoint of the original model instead';
    throw new ModelFileError('INVALID_FILE', `${path}: ${message}`);
  }
  const state = modelArrays(metadata, tensors);
  const stored = state.map(({ name, shape, data }) => ({ name, shape, byteLength: data.byteLength }));
  const description = await describe(path, kind, metadata, checksum, stored);
  return { ...description, state, checkpoint, training: tensors.filter((entry) => !state.includes(entry)) };
}

/** Like {@link readModelFile}, for a model of units: it has a tokenizer only if the units are a tokenizer's pieces. */
export async function readUnitFile<N extends NetworkSettings, D extends object>(path: string, kind: FileKind<N, D>) {
  const { settings: network, text, vocab, state, checkpoint, training } = await readModelFile(path, kind);
  const { tokenizer } = text;
  const held = tokenizer instanceof HuggingFaceTokenizer ? tokenizer : undefined;
  return { network, tokenizer: held, vocab, state, checkpoint, training };
}
