import { existsSync } from 'node:fs';
import type { light as lightNamespace } from '../../index.d.js';
import { ModelFileError, RecurraError } from '../core/errors.js';
import type { HeldWeights, StateEntry } from '../engine/engine.js';
import { light } from '../native/light.js';
import { HuggingFaceTokenizer } from '../text/huggingFace.js';
import { type TextOptions, type TokenSettings, tokenSettings } from '../text/options.js';
import { isTokenizerName, type TokenizerName } from '../text/tokenizer.js';
import { Vocab } from '../text/vocab.js';
import { type ModelOptions, type ModelSettings, modelSettings } from './classifier/options.js';

/**
 * Version of the metadata's form. Readers open every earlier one.
 *
 * - 1: `basic_english` or a function, the beginning of long texts.
 * - 2: the other tokenizers, `ngrams`, `truncate`; several labels a text with their thresholds; pooling by attention.
 */
const FORMAT_VERSION = 2;
const FORMAT = 'recurra-text-classifier';
/**
 * 16 GiB: a checkpoint, four times as large as its model, of 16 million words with vectors of 64 in float32. More than that is
 * no model of this kind.
 */
const LARGEST_FILE = 16 * 2 ** 30;

/** What a model file says of the model beside its weights. */
export interface ModelDescription {
  settings: ModelSettings;
  /** How texts become tokens; its tokenizer is `null` if the file cannot hold it, as with a function. */
  text: Omit<TokenSettings, 'tokenizer'> & { tokenizer: TokenizerName | HuggingFaceTokenizer | null };
  labels: string[];
  /** The probability from which on each label is given, if there may be several. */
  thresholds: readonly number[] | undefined;
  vocab: Vocab;
}

/** Everything that a model file holds. */
export interface ModelContents extends ModelDescription {
  state: StateEntry[];
}

/** A model file whose weights wait for their engine, outside of JavaScript's memory. */
export interface HeldModel extends ModelDescription {
  weights: HeldWeights;
}

/** What a checkpoint holds as well. */
export interface ModelFile extends ModelContents {
  /** Describes the training, as JSON; undefined for a model that is no checkpoint. */
  checkpoint: string | undefined;
  /** What the engine goes on from. */
  training: StateEntry[];
}

/** What the names of a checkpoint's further arrays begin with. */
const TRAINING_PREFIX = 'training.';

/** What stands for a {@link HuggingFaceTokenizer}, whose description has a key of its own in the file's metadata. */
const HUGGING_FACE = 'hugging_face';
const TOKENIZER_KEY = 'tokenizer.json';

interface Metadata extends Pick<TextOptions, 'ngrams' | 'truncate'> {
  formatVersion: number;
  settings: ModelOptions;
  tokenizer: TokenizerName | typeof HUGGING_FACE | null;
  maxLength: number;
  labels: string[];
  thresholds?: readonly number[] | undefined;
  vocab: unknown;
}

/** How texts become tokens, as a file can say it. */
export function describedText({ tokenizer, ngrams, maxLength, truncate }: TokenSettings): ModelDescription['text'] {
  const storable = isTokenizerName(tokenizer) || tokenizer instanceof HuggingFaceTokenizer;
  return { tokenizer: storable ? tokenizer : null, ngrams, maxLength, truncate };
}

/** A model's description as the metadata of a safetensors file. */
export function modelMetadata(description: ModelDescription): Record<string, string> {
  const { settings, text, labels, thresholds, vocab } = description;
  const { tokenizer, ngrams, maxLength, truncate } = text;
  const described = tokenizer instanceof HuggingFaceTokenizer ? { [TOKENIZER_KEY]: tokenizer.serialize() } : {};
  const metadata: Metadata = {
    formatVersion: FORMAT_VERSION,
    settings,
    tokenizer: tokenizer instanceof HuggingFaceTokenizer ? HUGGING_FACE : tokenizer,
    ngrams,
    maxLength,
    truncate,
    labels,
    vocab: vocab.toJSON(),
  };
  const model = JSON.stringify(metadata);
  return withThresholds({ format: 'pt', recurra: FORMAT, model, ...described }, thresholds);
}

/** A model's metadata that has no thresholds yet, with thresholds: all else may be large, and was written already. */
export function withThresholds(
  metadata: Record<string, string>,
  thresholds: readonly number[] | undefined,
): Record<string, string> {
  if (!thresholds) return metadata;
  return { ...metadata, model: `${metadata.model!.slice(0, -1)},"thresholds":${JSON.stringify(thresholds)}}` };
}

/** Writes a model as one safetensors file, atomically. */
export async function writeModel(path: string, contents: ModelContents): Promise<void> {
  await light().writeSafetensors(path, contents.state, modelMetadata(contents));
}

function parseMetadata(path: string, all: Record<string, string>): Metadata {
  if (all.recurra !== FORMAT || all.model === undefined) {
    throw new ModelFileError(
      'INVALID_FILE',
      `${path}: a safetensors file, but not a model of recurra (its metadata has no ${JSON.stringify(FORMAT)}); expected a file that save or "recurra train" wrote`,
    );
  }
  let parsed: Partial<Metadata> | null;
  try {
    parsed = JSON.parse(all.model) as Partial<Metadata> | null;
  } catch (cause) {
    throw new ModelFileError('INVALID_FILE', `${path}: its model description is not JSON`, { cause });
  }
  if (typeof parsed !== 'object' || parsed === null)
    throw new ModelFileError('INVALID_FILE', `${path}: its model description is no object`);
  const { formatVersion = 0 } = parsed;
  if (!Number.isSafeInteger(formatVersion) || formatVersion < 1 || formatVersion > FORMAT_VERSION) {
    throw new ModelFileError(
      'INVALID_FILE',
      `${path}: format version ${String(formatVersion)}, but this version of recurra reads up to ${FORMAT_VERSION}; install a newer recurra`,
    );
  }
  const { labels, maxLength, settings, tokenizer } = parsed;
  const distinct =
    Array.isArray(labels) &&
    labels.every((label) => typeof label === 'string') &&
    new Set(labels).size === labels.length;
  if (!distinct || labels.length < 2)
    throw new ModelFileError('INVALID_FILE', `${path}: expected two or more different labels`);
  if (!Number.isSafeInteger(maxLength) || maxLength! < 1)
    throw new ModelFileError('INVALID_FILE', `${path}: maxLength is no whole number above 0`);
  if (typeof settings !== 'object' || settings === null)
    throw new ModelFileError('INVALID_FILE', `${path}: it has no settings`);
  if (tokenizer !== null && tokenizer !== HUGGING_FACE && !isTokenizerName(tokenizer)) {
    throw new ModelFileError('INVALID_FILE', `${path}: unknown tokenizer ${JSON.stringify(tokenizer)}`);
  }
  return parsed as Metadata;
}

/**
 * Refuses settings that need more weights than the file has, before memory is taken for them: a few bytes of metadata must
 * not ask for gigabytes. What differs by less is left to the loading, which lists all that does not fit.
 */
function checkSize(model: ModelSettings, words: number, labels: number, state: readonly Stored[]): void {
  const { cell, embeddingDim, hiddenSize, numLayers, bidirectional } = model;
  const gates = { rnn: 1, lstm: 4, gru: 3 }[cell];
  const features = hiddenSize * (bidirectional ? 2 : 1);
  const first = embeddingDim + hiddenSize;
  const others = (numLayers - 1) * (features + hiddenSize);
  const needed = words * embeddingDim + gates * features * (first + others) + labels * features;
  const given = state.reduce((sum, { byteLength }) => sum + byteLength / 4, 0);
  if (needed > 2 * given + 2 ** 20) {
    const count = (weights: number) => Math.floor(weights).toLocaleString('en-US');
    const message = `settings describe a model with at least ${count(needed)} weights; the file contains ${count(given)}`;
    throw new ModelFileError('INVALID_FILE', message);
  }
}

/** A model with several labels a text has one threshold for each, any other none. */
function checkThresholds(thresholds: unknown, multiLabel: boolean, labels: number): void {
  const fits = (value: unknown) => typeof value === 'number' && value >= 0 && value <= 1;
  const expected = multiLabel
    ? Array.isArray(thresholds) && thresholds.length === labels && thresholds.every(fits)
    : thresholds === undefined;
  if (expected) return;
  const message = multiLabel
    ? `expected a threshold from 0 to 1 for each of its ${labels} labels`
    : 'it has thresholds, but its labels are exclusive';
  throw new ModelFileError('INVALID_FILE', message);
}

/** Makes the tokenizer that a file names; `null` if it was none that a file can hold. */
async function readTokenizer(
  { tokenizer }: Metadata,
  metadata: Record<string, string>,
): Promise<ModelDescription['text']['tokenizer']> {
  if (tokenizer !== HUGGING_FACE) return tokenizer;
  const description = metadata[TOKENIZER_KEY];
  if (description === undefined) throw new ModelFileError('INVALID_FILE', `it has no ${TOKENIZER_KEY}`);
  return HuggingFaceTokenizer.fromString(description);
}

/** What there is to know of a stored array before it is used. */
interface Stored {
  name: string;
  shape: readonly number[];
  byteLength: number;
}

/** Checks everything that can be checked before a model is built from a file, and says what the file tells of the model. */
async function describe(
  path: string,
  metadata: Record<string, string>,
  checksum: string,
  state: readonly Stored[],
  words?: lightNamespace.NativeVocabulary | null,
): Promise<ModelDescription> {
  const described = parseMetadata(path, metadata);
  const { labels, thresholds, maxLength, settings, ngrams, truncate } = described;
  if (checksum !== 'valid') {
    throw new ModelFileError(
      'INVALID_FILE',
      `${path}: its checksum does not fit its contents: the file was damaged or edited`,
    );
  }
  try {
    const vocab = words ? Vocab.adoptNative(described.vocab, words) : Vocab.adopt(described.vocab);
    if (vocab.defaultIndex === undefined)
      throw new ModelFileError('INVALID_FILE', 'its vocabulary has no token for unknown words');
    const rows = state.find(({ name }) => name === 'embedding.weight')?.shape[0];
    if (rows !== vocab.length) {
      throw new ModelFileError(
        'INVALID_FILE',
        `its vocabulary has ${vocab.length} words, its embedding ${rows ?? 'no'} rows`,
      );
    }
    const model = modelSettings(settings);
    checkSize(model, vocab.length, labels.length, state);
    checkThresholds(thresholds, model.multiLabel, labels.length);
    const text = {
      ...tokenSettings({ maxLength, ...(ngrams && { ngrams }), ...(truncate && { truncate }) }),
      tokenizer: await readTokenizer(described, metadata),
    };
    return { settings: model, text, labels, thresholds, vocab };
  } catch (error) {
    if (error instanceof RecurraError)
      throw new ModelFileError('INVALID_FILE', `${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Lets the addon read a file, with errors that say that it is a model's. */
async function opened<T>(path: string, read: (path: string, limit: number) => Promise<T>): Promise<T> {
  if (typeof path !== 'string' || path === '')
    throw new ModelFileError('INVALID_ARGUMENT', 'Expected the path of a model file');
  if (!existsSync(path)) throw new ModelFileError('FILE_NOT_FOUND', `${path}: no such file`);
  try {
    return await read(path, LARGEST_FILE);
  } catch (error) {
    if (error instanceof RecurraError) throw new ModelFileError(error.code, error.message, { cause: error });
    throw error;
  }
}

const isTraining = ({ name }: { name: string }) => name.startsWith(TRAINING_PREFIX);

/**
 * Reads a model file and checks everything that can be checked before a model is built from it. Its weights stay outside of
 * JavaScript's memory.
 *
 * @throws ModelFileError `FILE_NOT_FOUND`, `IO` or `INVALID_FILE`.
 */
export async function readModel(path: string): Promise<HeldModel> {
  const file = await opened(path, light().holdSafetensors);
  try {
    const metadata = file.takeMetadata();
    const ofTraining = metadata.checkpoint !== undefined;
    const state = file.tensors.filter((entry) => !ofTraining || !isTraining(entry));
    const description = await describe(path, metadata, file.checksum, state, file.takeVocabulary());
    return { ...description, weights: { file, except: ofTraining ? TRAINING_PREFIX : undefined } };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** As {@link readModel}, with all arrays, and what a checkpoint holds as well. */
export async function readModelFile(path: string): Promise<ModelFile> {
  const { metadata, checksum, tensors } = await opened(path, light().readSafetensors);
  const { checkpoint } = metadata;
  const ofTraining = (entry: StateEntry) => checkpoint !== undefined && isTraining(entry);
  const state = tensors.filter((entry) => !ofTraining(entry));
  const stored = state.map(({ name, shape, data }) => ({ name, shape, byteLength: data.byteLength }));
  const description = await describe(path, metadata, checksum, stored);
  return { ...description, state, checkpoint, training: tensors.filter(ofTraining) };
}
