import { existsSync } from 'node:fs';
import type { light as lightNamespace } from '../../index.d.js';
import { invalidArgument, ModelFileError, RecurraError } from '../core/errors.js';
import { foreignFile } from '../core/foreignFile.js';
import type { HeldWeights, StateEntry } from '../engine/engine.js';
import { memberPrefix } from '../engine/memberNames.js';
import { type NetworkSettings, recurrentWeights } from '../engine/network.js';
import { light } from '../native/light.js';
import { HuggingFaceTokenizer } from '../text/huggingFace.js';
import { type TextOptions, type TokenSettings, tokenSettings } from '../text/options.js';
import { isTokenizerName, type TokenizerName } from '../text/tokenizer.js';
import { Vocab } from '../text/vocab.js';

/**
 * Version of the metadata's form. Readers open every earlier one.
 *
 * - 1: `basic_english` or a function, the beginning of long texts.
 * - 2: the other tokenizers, `ngrams`, `truncate`; several labels a text with their thresholds; pooling by attention. The
 *   `kind` came later: a description without one is that of a classifier.
 * - 3: a linear model beside the network. A file without one still has version 2.
 * - 4: several networks as one model. A file with one network still has version 2 or 3.
 */
const FORMAT_VERSION = 4;
/** The version of a file that has one network alone, of one that has a linear model too, and of one that has several networks. */
const NETWORK_VERSION = 2;
export const LINEAR_VERSION = 3;
export const MEMBERS_VERSION = 4;
/** What the metadata calls a model of this package; the kind follows. */
const FORMAT = 'recurra-text-';
/**
 * 16 GiB: a checkpoint, four times as large as its model, of 16 million words with vectors of 64 in float32. More than that is
 * no model of this package.
 */
const LARGEST_FILE = 16 * 2 ** 30;

/** A kind of model, as its file names it: a recurrent network with the head of one task. */
export type ModelKind = 'classifier';

/** What a file says of every model beside its weights. */
export interface CommonDescription<N extends NetworkSettings = NetworkSettings> {
  /** What the network looks like, and its head. */
  settings: N;
  /** How texts become tokens; its tokenizer is `null` if the file cannot hold it, as with a function. */
  text: Omit<TokenSettings, 'tokenizer'> & { tokenizer: TokenizerName | HuggingFaceTokenizer | null };
  vocab: Vocab;
}

/** What a kind of model adds to its description. */
export interface FileKind<N extends NetworkSettings, D extends object> {
  readonly kind: ModelKind;
  /**
   * Checks the settings of network and head, and fills in what older files lack.
   *
   * @throws RecurraError saying what is wrong; the path is put before it.
   */
  settings(described: object): N;
  /**
   * Checks what a description says of this kind alone.
   *
   * @throws RecurraError saying what is wrong; the path is put before it.
   */
  parse(fields: Readonly<Record<string, unknown>>, settings: N): D;
  /** Outputs of the network's head, per row or position. */
  outputs(own: D): number;
  /** Whether the file has a network; left out, every file has. */
  hasNetwork?(own: D): boolean;
  /** Networks that the file has, which answer as one; left out, every file has one. */
  members?(own: D): number;
}

/** A model file whose weights wait for their engine, outside of JavaScript's memory. */
export type HeldModel<N extends NetworkSettings, D extends object> = CommonDescription<N> &
  D & { weights: HeldWeights };

/** A model file with all arrays, and what a checkpoint holds as well. */
export type ModelFile<N extends NetworkSettings, D extends object> = CommonDescription<N> &
  D & {
    state: StateEntry[];
    /** Describes the training, as JSON; undefined for a model that is no checkpoint. */
    checkpoint: string | undefined;
    /** What the engine resumes from. */
    training: StateEntry[];
  };

/** A model of another kind than was asked for. */
export class ModelKindError extends ModelFileError {
  /** The file's kind. */
  readonly kind: string;

  constructor(path: string, kind: string, expected: ModelKind) {
    super('INVALID_FILE', `${path}: Expected a model of the kind "${expected}", but it is a "${kind}"`);
    this.kind = kind;
  }
}

/** What the names of a checkpoint's further arrays begin with. */
const TRAINING_PREFIX = 'training.';

/** What stands for a {@link HuggingFaceTokenizer}, whose description has a key of its own in the file's metadata. */
const HUGGING_FACE = 'hugging_face';
const TOKENIZER_KEY = 'tokenizer.json';

interface Metadata extends Pick<TextOptions, 'ngrams' | 'truncate'> {
  formatVersion: number;
  kind?: ModelKind;
  settings: object;
  tokenizer: TokenizerName | typeof HUGGING_FACE | null;
  maxLength: number;
  vocab: unknown;
}

/** How texts become tokens, as a file can say it. */
export function describedText({ tokenizer, ngrams, maxLength, truncate }: TokenSettings): CommonDescription['text'] {
  const storable = isTokenizerName(tokenizer) || tokenizer instanceof HuggingFaceTokenizer;
  return { tokenizer: storable ? tokenizer : null, ngrams, maxLength, truncate };
}

/**
 * A model's description as the metadata of a safetensors file. It holds no time and no path: the same training gives the same
 * bytes.
 *
 * @param own - What the kind adds.
 * @param formatVersion - The earliest version of the form that has all this.
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

/** The metadata with more in the description: what was there may be large, and was written already. */
export function withFields(metadata: Record<string, string>, fields: object): Record<string, string> {
  const more = JSON.stringify(fields).slice(1);
  return more === '}' ? metadata : { ...metadata, model: `${metadata.model!.slice(0, -1)},${more}` };
}

/** Writes a model as one safetensors file, atomically. */
export async function writeModel(path: string, metadata: Record<string, string>, state: StateEntry[]): Promise<void> {
  await light().writeSafetensors(path, state, metadata);
}

function parseMetadata(path: string, all: Record<string, string>, kind: ModelKind): Metadata {
  const invalid = (what: string, cause?: unknown) =>
    new ModelFileError('INVALID_FILE', `${path}: ${what}`, cause === undefined ? {} : { cause });
  if (!all.recurra?.startsWith(FORMAT) || all.model === undefined) {
    throw invalid(
      `a safetensors file, but not a model of recurra (its metadata has no "${FORMAT}${kind}"); expected a file that save or "recurra train" wrote`,
    );
  }
  let parsed: Partial<Metadata> | null;
  try {
    parsed = JSON.parse(all.model) as Partial<Metadata> | null;
  } catch (cause) {
    throw invalid('its model description is not JSON', cause);
  }
  if (typeof parsed !== 'object' || parsed === null) throw invalid('its model description is no object');
  const { formatVersion = 0, kind: found = 'classifier' } = parsed;
  if (found !== kind) throw new ModelKindError(path, String(found), kind);
  if (!Number.isSafeInteger(formatVersion) || formatVersion < 1 || formatVersion > FORMAT_VERSION) {
    throw invalid(
      `format version ${String(formatVersion)}, but this version of recurra reads up to ${FORMAT_VERSION}; install a newer recurra`,
    );
  }
  const { maxLength, settings, tokenizer } = parsed;
  if (!Number.isSafeInteger(maxLength) || maxLength! < 1) throw invalid('maxLength is no whole number above 0');
  if (typeof settings !== 'object' || settings === null) throw invalid('it has no settings');
  if (tokenizer !== null && tokenizer !== HUGGING_FACE && !isTokenizerName(tokenizer))
    throw invalid(`unknown tokenizer ${JSON.stringify(tokenizer)}`);
  return parsed as Metadata;
}

/**
 * Refuses settings that need more weights than the file has, before memory is taken for them: a few bytes of metadata must
 * not ask for gigabytes. What differs by less is left to the loading, which lists all that does not fit.
 */
function checkSize(
  model: NetworkSettings,
  words: number,
  outputs: number,
  members: number,
  state: readonly Stored[],
): void {
  const features = model.hiddenSize * (model.bidirectional ? 2 : 1);
  const needed = members * (words * model.embeddingDim + recurrentWeights(model) + outputs * features);
  const given = state.reduce((sum, { byteLength }) => sum + byteLength / 4, 0);
  if (needed > 2 * given + 2 ** 20) {
    const count = (weights: number) => Math.floor(weights).toLocaleString('en-US');
    const message = `settings describe a model with at least ${count(needed)} weights; the file contains ${count(given)}`;
    throw new ModelFileError('INVALID_FILE', message);
  }
}

/** Refuses weights that are not those of networks with these settings, as far as a look at their shapes tells. */
function checkNetworks(
  model: NetworkSettings,
  words: number,
  outputs: number,
  members: number,
  state: readonly Stored[],
): void {
  for (let member = 0; member < members; member++) {
    const rows = state.find(({ name }) => name === `${memberPrefix(member)}embedding.weight`)?.shape[0];
    if (rows === words) continue;
    const which = members === 1 ? 'its embedding' : `the embedding of network ${member + 1} of ${members}`;
    const message = `its vocabulary has ${words} words, ${which} ${rows ?? 'no'} rows`;
    throw new ModelFileError('INVALID_FILE', message);
  }
  checkSize(model, words, outputs, members, state);
}

/** Makes the tokenizer that a file names; `null` if it was none that a file can hold. */
async function readTokenizer(
  { tokenizer }: Metadata,
  metadata: Record<string, string>,
): Promise<CommonDescription['text']['tokenizer']> {
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
async function describe<N extends NetworkSettings, D extends object>(
  path: string,
  kind: FileKind<N, D>,
  metadata: Record<string, string>,
  checksum: string,
  state: readonly Stored[],
  words?: lightNamespace.NativeVocabulary | null,
): Promise<CommonDescription<N> & D> {
  const described = parseMetadata(path, metadata, kind.kind);
  const { maxLength, settings, ngrams, truncate } = described;
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
    const model = kind.settings(settings);
    const own = kind.parse({ ...described }, model);
    if (kind.hasNetwork?.(own) !== false)
      checkNetworks(model, vocab.length, kind.outputs(own), kind.members?.(own) ?? 1, state);
    const text = {
      ...tokenSettings({ maxLength, ...(ngrams && { ngrams }), ...(truncate && { truncate }) }),
      tokenizer: await readTokenizer(described, metadata),
    };
    return { settings: model, text, vocab, ...own };
  } catch (error) {
    if (error instanceof RecurraError)
      throw new ModelFileError('INVALID_FILE', `${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Lets the addon read a file, with errors that say that it is a model's. */
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

const isTraining = ({ name }: { name: string }) => name.startsWith(TRAINING_PREFIX);

/**
 * Reads a model file and checks everything that can be checked before a model is built from it. Its weights stay outside of
 * JavaScript's memory.
 *
 * @throws ModelFileError `FILE_NOT_FOUND`, `IO`, or `INVALID_FILE`, also for a model of another kind; ArgumentError for no path.
 */
export async function readModel<N extends NetworkSettings, D extends object>(
  path: string,
  kind: FileKind<N, D>,
): Promise<HeldModel<N, D>> {
  const file = await opened(path, light().holdSafetensors);
  try {
    const metadata = file.takeMetadata();
    const ofTraining = metadata.checkpoint !== undefined;
    const state = file.tensors.filter((entry) => !ofTraining || !isTraining(entry));
    const description = await describe(path, kind, metadata, file.checksum, state, file.takeVocabulary());
    return { ...description, weights: { file, except: ofTraining ? TRAINING_PREFIX : undefined } };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** As {@link readModel}, with all arrays, and what a checkpoint holds as well. */
export async function readModelFile<N extends NetworkSettings, D extends object>(
  path: string,
  kind: FileKind<N, D>,
): Promise<ModelFile<N, D>> {
  const { metadata, checksum, tensors } = await opened(path, light().readSafetensors);
  const { checkpoint } = metadata;
  const ofTraining = (entry: StateEntry) => checkpoint !== undefined && isTraining(entry);
  const state = tensors.filter((entry) => !ofTraining(entry));
  const stored = state.map(({ name, shape, data }) => ({ name, shape, byteLength: data.byteLength }));
  const description = await describe(path, kind, metadata, checksum, stored);
  return { ...description, state, checkpoint, training: tensors.filter(ofTraining) };
}
