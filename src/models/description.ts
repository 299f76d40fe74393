// The description of a model in its file. Nothing here needs a file system or an addon.

import type { light as lightNamespace } from '../../index.d.js';
import { ModelFileError, RecurraError } from '../core/errors.js';
import { columnsIn, type RowColumns } from '../data/readers/columns.js';
import { memberPrefix } from '../engine/memberNames.js';
import { type NetworkSettings, recurrentWeights } from '../engine/network.js';
import { type ExtentOptions, extentSettings, type TextExtent } from '../text/extent.js';
import { isTokenizerName, type TokenizerName } from '../text/names.js';
import { Vocab } from '../text/vocab.js';

/** Prefix of the format name of this package's models; the kind follows. */
export const FORMAT = 'recurra-text-';
/** A kind of model, as named in its file: a recurrent network with the head of one task. */
export type ModelKind = 'classifier' | 'tagger' | 'language' | 'seq2seq';

/** What a kind of model adds to its description. */
export interface FileKind<N extends NetworkSettings, D extends object> {
  readonly kind: ModelKind;
  /** The latest version of the description's format; every earlier one can be read. */
  readonly version: number;
  /**
   * Checks the settings of network and head, and fills in values missing from older files.
   *
   * @throws {@link RecurraError} saying what is wrong; the path is put before it.
   */
  settings(described: object): N;
  /**
   * Checks the fields specific to this kind.
   *
   * @throws {@link RecurraError} saying what is wrong; the path is put before it.
   */
  parse(fields: Readonly<Record<string, unknown>>, settings: N): D;
  /** Outputs of the network's head, per row or position, with their own weight for each feature. */
  outputs(own: D, settings: N): number;
  /** Name of the array with the word vectors. Default: `embedding.weight`. */
  readonly embedding?: string;
  /** Weights of the network's head. Default: those of a linear layer on the encoder's outputs. */
  headWeights?(own: D, settings: N): number;
  /** Whether the file has a network. Default: true. */
  hasNetwork?(own: D): boolean;
  /** Number of networks in the file. Default: 1. */
  members?(own: D): number;
}

/** A model of another kind than requested. */
export class ModelKindError extends ModelFileError {
  /** The file's kind. */
  readonly kind: string;

  constructor(path: string, kind: string, expected: ModelKind) {
    super('INVALID_FILE', `${path}: expected a model of kind "${expected}", but it is a "${kind}"`);
    this.kind = kind;
  }
}

/** Prefix of the names of a checkpoint's additional arrays. */
export const TRAINING_PREFIX = 'training.';

/** Name of a Hugging Face tokenizer, whose description has a separate key in the file's metadata. */
export const HUGGING_FACE = 'hugging_face';
export const TOKENIZER_KEY = 'tokenizer.json';

/** The JSON description in a file's metadata; each kind adds fields. */
export interface Metadata extends Omit<ExtentOptions, 'maxLength'> {
  formatVersion: number;
  kind?: ModelKind;
  settings: object;
  tokenizer: TokenizerName | typeof HUGGING_FACE | null;
  maxLength: number;
  vocab: unknown;
  /** The columns of the training rows; files of versions before 0.7 have none. */
  columns?: unknown;
}

/** The description of a stored array. */
export interface Stored {
  name: string;
  shape: readonly number[];
  byteLength: number;
}

/** The part of a {@link FileKind} that tells whether a file can be read. */
type Versioned = Pick<FileKind<NetworkSettings, object>, 'kind' | 'version'>;

/** A file's description, not yet checked except for being an object. */
export type ParsedDescription = Partial<Metadata>;

const invalid = (path: string, what: string, cause?: unknown) =>
  new ModelFileError('INVALID_FILE', `${path}: ${what}`, cause === undefined ? {} : { cause });

/**
 * Parses a file's description.
 *
 * @param kind - The expected kind, for the message about another file.
 * @throws {@link ModelFileError} `INVALID_FILE`.
 */
export function parseDescription(
  path: string,
  all: Readonly<Record<string, string>>,
  kind: ModelKind,
): ParsedDescription {
  if (!all.recurra?.startsWith(FORMAT) || all.model === undefined) {
    throw invalid(
      path,
      `a safetensors file, but not a model of recurra (its metadata has no "${FORMAT}${kind}"); expected a file that save or "recurra train" wrote`,
    );
  }
  let parsed: ParsedDescription | null;
  try {
    parsed = JSON.parse(all.model) as ParsedDescription | null;
  } catch (cause) {
    throw invalid(path, 'its model description is not JSON', cause);
  }
  if (typeof parsed !== 'object' || parsed === null) throw invalid(path, 'its model description is not an object');
  return parsed;
}

/** The kind of model in a file; the oldest files name none and are classifiers. */
export const kindOf = ({ kind = 'classifier' }: ParsedDescription): string => String(kind);

function checkDescription(path: string, parsed: ParsedDescription, { kind, version }: Versioned): Metadata {
  const found = kindOf(parsed);
  if (found !== kind) throw new ModelKindError(path, found, kind);
  const { formatVersion } = parsed;
  if (formatVersion === undefined) throw invalid(path, 'its model description has no format version');
  if (!Number.isSafeInteger(formatVersion) || formatVersion < 1 || formatVersion > version) {
    throw invalid(
      path,
      `format version ${String(formatVersion)}, but this version of recurra reads up to ${version}; install a newer recurra`,
    );
  }
  const { maxLength, settings, tokenizer } = parsed;
  if (!Number.isSafeInteger(maxLength) || maxLength! < 1)
    throw invalid(path, 'maxLength is not a whole number above 0');
  if (typeof settings !== 'object' || settings === null) throw invalid(path, 'it has no settings');
  if (tokenizer !== null && tokenizer !== HUGGING_FACE && !isTokenizerName(tokenizer))
    throw invalid(path, `unknown tokenizer ${JSON.stringify(tokenizer)}`);
  return parsed as Metadata;
}

/**
 * Refuses settings that need more weights than the file has, before memory is allocated for them: a few bytes of
 * metadata must not allocate gigabytes. Smaller differences are left to loading, which lists all mismatches.
 */
function checkSize(
  model: NetworkSettings,
  words: number,
  head: number,
  members: number,
  state: readonly Stored[],
): void {
  const needed = members * (words * model.embeddingDim + recurrentWeights(model) + head);
  const given = state.reduce((sum, { byteLength }) => sum + byteLength / 4, 0);
  if (needed > 2 * given + 2 ** 20) {
    const count = (weights: number) => Math.floor(weights).toLocaleString('en-US');
    const message = `settings describe a model with at least ${count(needed)} weights; the file contains ${count(given)}`;
    throw new ModelFileError('INVALID_FILE', message);
  }
}

/** Refuses weights whose shapes do not match the settings. */
function checkNetworks(
  model: NetworkSettings,
  words: number,
  head: number,
  members: number,
  state: readonly Stored[],
  embedding = 'embedding.weight',
): void {
  for (let member = 0; member < members; member++) {
    const rows = state.find(({ name }) => name === `${memberPrefix(member)}${embedding}`)?.shape[0];
    if (rows === words) continue;
    const which = members === 1 ? 'its embedding' : `the embedding of network ${member + 1} of ${members}`;
    const message = `its vocabulary has ${words} words, ${which} ${rows ?? 'no'} rows`;
    throw new ModelFileError('INVALID_FILE', message);
  }
  checkSize(model, words, head, members, state);
}

/** The arrays of the model itself, without the training in a checkpoint. */
export function modelArrays<T extends { name: string }>(
  metadata: Readonly<Record<string, string>>,
  arrays: readonly T[],
): T[] {
  return arrays.filter(({ name }) => metadata.checkpoint === undefined || !name.startsWith(TRAINING_PREFIX));
}

/** A file's description, with the tokenizer as named in the file. */
export interface Described<N extends NetworkSettings, D extends object> {
  settings: N;
  extent: TextExtent;
  tokenizer: Metadata['tokenizer'];
  vocab: Vocab;
  /** The columns of the training rows; undefined for rows without columns and in older files. */
  columns: RowColumns | undefined;
  own: D;
}

/** Adds the path to an error about a file's contents. */
export function inFile(path: string, error: unknown): unknown {
  return error instanceof RecurraError
    ? new ModelFileError('INVALID_FILE', `${path}: ${error.message}`, { cause: error })
    : error;
}

/**
 * Checks everything that can be checked before a model is built from a file, and returns the file's description.
 *
 * @param path - Prefix of messages.
 * @param checksum - Whether the file's checksum matches its contents: `valid` if it does.
 * @param state - The arrays of the model, without those of a training.
 * @param words - The tokens, if the addon has read them.
 * @param parsed - The result of {@link parseDescription}, if already known.
 * @throws {@link ModelFileError} `INVALID_FILE`.
 */
export function describeModel<N extends NetworkSettings, D extends object>(
  path: string,
  kind: FileKind<N, D>,
  metadata: Readonly<Record<string, string>>,
  checksum: string,
  state: readonly Stored[],
  words?: lightNamespace.NativeVocabulary | null,
  parsed: ParsedDescription = parseDescription(path, metadata, kind.kind),
): Described<N, D> {
  const described = checkDescription(path, parsed, kind);
  const { maxLength, settings, ngrams, truncate, tokenizer } = described;
  if (checksum !== 'valid') {
    throw new ModelFileError(
      'INVALID_FILE',
      `${path}: its checksum does not match its contents: the file was damaged or edited`,
    );
  }
  try {
    const vocab = words ? Vocab.adoptNative(described.vocab, words) : Vocab.adopt(described.vocab);
    if (vocab.defaultIndex === undefined)
      throw new ModelFileError('INVALID_FILE', 'its vocabulary has no token for unknown words');
    const model = kind.settings(settings);
    const own = kind.parse({ ...described }, model);
    if (kind.hasNetwork?.(own) !== false) {
      const features = model.hiddenSize * (model.bidirectional ? 2 : 1);
      const head = kind.headWeights?.(own, model) ?? kind.outputs(own, model) * features;
      checkNetworks(model, vocab.length, head, kind.members?.(own) ?? 1, state, kind.embedding);
    }
    const extent = extentSettings({ maxLength, ...(ngrams && { ngrams }), ...(truncate && { truncate }) });
    return { settings: model, extent, tokenizer, vocab, columns: columnsIn(described.columns), own };
  } catch (error) {
    throw inFile(path, error);
  }
}
