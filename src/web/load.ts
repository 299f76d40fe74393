import { invalidArgument, ModelFileError, RecurraError } from '../core/errors.js';
import { checkOptionNames } from '../core/options/names.js';
import { kindOf, parseDescription } from '../models/description.js';
import { checksumOf } from './checksum.js';
import { classifierIn, type WebClassifier } from './classifier.js';
import { Instance } from './instance.js';
import { languageModelIn, type WebLanguageModel } from './language.js';
import { compiled, type ModuleSource } from './module.js';
import type { OpenedFile } from './opened.js';
import { readSafetensors } from './safetensors.js';
import { type ByteSource, bytesOf, isByteSource, nameOf } from './source.js';
import { taggerIn, type WebTagger } from './tagger.js';

/** The models that {@link load} gives, by the kind that their file names. */
export interface WebModels {
  /** Labels texts. */
  classifier: WebClassifier;
  /** Tags tokens and finds spans. */
  tagger: WebTagger;
  /** Writes texts. */
  language: WebLanguageModel;
}

/** Any of {@link WebModels}; its `kind` says which. */
export type WebModel = WebModels[keyof WebModels];

/** Options of {@link load}; `K` is the kind of model. */
export interface LoadOptions<K extends keyof WebModels = keyof WebModels> {
  /** The kind of model that the file must be of, which is then the type of the result. Default: any kind. */
  kind?: K;
  /** Where the WebAssembly module comes from. Default: the file `recurra.wasm` next to the package's JavaScript. */
  module?: ModuleSource;
}

/** What each kind of model is called in messages: its class. */
const CLASSES: Readonly<Record<keyof WebModels, string>> = {
  classifier: 'WebClassifier',
  tagger: 'WebTagger',
  language: 'WebLanguageModel',
};

/** What makes a model of a file, for each kind. */
const MAKERS: { [K in keyof WebModels]: (file: OpenedFile) => (instance: Instance) => WebModels[K] } = {
  classifier: classifierIn,
  tagger: taggerIn,
  language: languageModelIn,
};

const isKind = (kind: unknown): kind is keyof WebModels => Object.hasOwn(MAKERS, kind as string);

/**
 * Loads a model file that `recurra` wrote: its address, its bytes, or what brings them. The kind of the model is that of the file.
 *
 * @param source - An address (in pages relative to the page; elsewhere whole, with `file:` in Node), a `Response`, a `Blob` such as a
 * file that the user chose, or the bytes. Nothing refers to the bytes afterwards.
 * @throws {@link ModelFileError} `FILE_NOT_FOUND` or `IO` if the file cannot be had; `INVALID_FILE` if it is damaged, no model, of
 * another kind than asked for, of a newer format, or has a tokenizer that only Node has.
 * @throws {@link RecurraError} `OUT_OF_MEMORY`; `IO` if the module cannot be loaded. {@link ArgumentError} for an invalid option.
 *
 * @example
 * ```ts
 * const model = await load('/tickets.safetensors', { kind: 'classifier' });
 * console.log(model.predict('My invoice is wrong').label);
 * ```
 */
export async function load<K extends keyof WebModels = keyof WebModels>(
  source: ByteSource,
  options: LoadOptions<K> = {},
): Promise<WebModels[K]> {
  if (!isByteSource(source)) throw invalidArgument('source', 'an address, a Response, a Blob, or bytes', source);
  checkOptionNames('load', options, ['kind', 'module']);
  const { kind } = options;
  if (kind !== undefined && !isKind(kind))
    throw invalidArgument('kind', `one of ${Object.keys(MAKERS).join(', ')}`, kind);
  const path = nameOf(source);
  // It is compiled while the file comes and is looked at.
  const module = compiled(options.module);
  module.catch(() => {});
  const bytes = await bytesOf(source);
  try {
    const contents = readSafetensors(bytes);
    const description = parseDescription(path, contents.metadata, kind ?? 'classifier');
    const found = kindOf(description);
    if (!isKind(found)) throw unknownKind(path, found);
    if (kind !== undefined && found !== kind) throw otherKind(path, found, kind);
    const give = MAKERS[found]({ path, contents, checksum: await checksumOf(contents), description });
    return give(await Instance.create(await module)) as WebModels[K];
  } catch (error) {
    if (error instanceof RangeError)
      throw new RecurraError('OUT_OF_MEMORY', `${path}: ${error.message}`, { cause: error });
    if (!(error instanceof ModelFileError) || error.message.startsWith(path)) throw error;
    throw new ModelFileError(error.code, `${path}: ${error.message}`, { cause: error });
  }
}

function otherKind(path: string, found: keyof WebModels, asked: keyof WebModels): ModelFileError {
  const message = `${path} is a model of the kind "${found}", not "${asked}"; load it with { kind: '${found}' }, which gives a ${CLASSES[found]}`;
  return new ModelFileError('INVALID_FILE', message);
}

function unknownKind(path: string, kind: string): ModelFileError {
  const known = Object.keys(MAKERS).join(', ');
  return new ModelFileError('INVALID_FILE', `${path} is a model of the kind "${kind}"; recurra-web has ${known}`);
}
