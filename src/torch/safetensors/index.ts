import { existsSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { invalidArgument, ModelFileError, RecurraError } from '../../core/errors.js';
import { foreignFile } from '../../core/foreignFile.js';
import { checkOptionNames } from '../../core/options/names.js';
import { light } from '../../native/light.js';
import { isTensor, nativeOf } from '../tensor/base.js';
import { type DType, dtypes, Tensor } from '../tensor/index.js';
import { tensorOfBytes } from './bytes.js';
import { putTogether, takeApart } from './saved.js';
import { readTorchValue, tensorsIn } from './torchFile.js';

/** Tensors by name, as `Module.stateDict` gives them. */
export type NamedTensors = Record<string, Tensor>;

/** Options of {@link saveFile}. */
export interface SaveFileOptions {
  /** Strings to store with the tensors. Default: `{ format: 'pt' }`, as PyTorch's own files have it. */
  metadata?: Record<string, string>;
}

/** What {@link loadFile} returns. */
export interface LoadedFile {
  /** The tensors by name, on the CPU. */
  tensors: NamedTensors;
  /** The strings stored with them. */
  metadata: Record<string, string>;
}

/** Larger files than this are refused; 64 GiB. */
const LARGEST_FILE = 64 * 2 ** 30;

/** Name in the metadata of what {@link save} writes besides tensors, as JSON. */
const STRUCTURE = 'recurra.structure';
/** Ends of names that say that `torch.save` or pickle wrote the file. */
const PICKLED = /\.(pt|pth|ckpt|pkl|pickle)$/i;

function checkPath(operation: string, path: unknown): void {
  if (typeof path !== 'string' || path === '') throw invalidArgument('path', 'the path of a file', path);
  const end = PICKLED.exec(path)?.[0];
  if (end !== undefined && operation.startsWith('save'))
    throw invalidArgument(
      `path of ${operation}`,
      `a name that ends in .safetensors (files named ${end} are read by torch.load, which does not read the safetensors that ${operation} writes)`,
      path,
    );
}

/**
 * Writes tensors to a safetensors file, which Python's `safetensors.torch.load_file` reads. The file is written under a
 * temporary name, synced and renamed.
 *
 * @throws RecurraError `INVALID_ARGUMENT` for a value that is not a tensor and for a path such as `net.pt`, whose name promises
 * what `torch.save` writes; `IO` if the file cannot be written.
 *
 * @example
 * ```ts
 * await saveFile(net.stateDict(), 'net.safetensors');
 * net.loadStateDict((await loadFile('net.safetensors')).tensors);
 * ```
 */
export async function saveFile(tensors: NamedTensors, path: string, options: SaveFileOptions = {}): Promise<void> {
  checkOptionNames('saveFile', options, ['metadata']);
  checkPath('saveFile', path);
  if (typeof tensors !== 'object' || tensors === null)
    throw invalidArgument('tensors', 'an object of tensors by name', tensors);
  const entries = Object.entries(tensors).map(([name, value]) => {
    if (!(value instanceof Tensor))
      throw invalidArgument(`tensors[${JSON.stringify(name)}]`, 'a Tensor (save() writes nested values)', value);
    return { name, dtype: value.dtype, shape: [...value.shape], data: nativeOf(value).toBytes() };
  });
  await light().writeSafetensors(path, entries, options.metadata ?? { format: 'pt' });
}

/** Whether a file is one that `torch.save` wrote in its current format, or another ZIP archive. */
async function isTorchFile(path: string): Promise<boolean> {
  checkPath('load', path);
  let handle: FileHandle | undefined;
  try {
    // Opening a pipe would wait for a writer.
    if (!(await stat(path)).isFile()) return false;
    handle = await open(path);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && buffer.readUInt32BE(0) === 0x504b0304;
  } catch {
    // The reader says what is wrong with the file.
    return false;
  } finally {
    await handle?.close();
  }
}

/**
 * Reads a safetensors file, such as one that Python's `safetensors.torch.save_file` wrote, or the tensors of a file of `torch.save`, by
 * their paths. A safetensors file is checked as a whole before any tensor is made of it. float16 becomes float32, of the same values:
 * tensors here have no float16.
 *
 * @throws ModelFileError `FILE_NOT_FOUND`; `IO` if it cannot be read; `INVALID_FILE` if it is not a whole file of these kinds or
 * holds a dtype other than float16, float32, float64, bfloat16, int64, int32 and bool.
 *
 * @example
 * ```ts
 * const { tensors, metadata } = await loadFile('net.safetensors');
 * console.log(Object.keys(tensors), metadata);
 * ```
 */
export async function loadFile(path: string): Promise<LoadedFile> {
  checkPath('loadFile', path);
  if (await isTorchFile(path)) return { tensors: tensorsIn(await readTorchValue(path), isTensor), metadata: {} };
  let file: Awaited<ReturnType<ReturnType<typeof light>['readSafetensors']>>;
  try {
    file = await light().readSafetensors(path, LARGEST_FILE);
  } catch (error) {
    const foreign = error instanceof RecurraError && error.code === 'INVALID_FILE' && (await foreignFile(path));
    if (foreign) {
      throw new ModelFileError('INVALID_FILE', `${path}: expected a safetensors file; this is ${foreign}`, {
        cause: error,
      });
    }
    if (!existsSync(path)) throw new ModelFileError('FILE_NOT_FOUND', `${path}: no such file`, { cause: error });
    if (error instanceof RecurraError) throw new ModelFileError(error.code, error.message, { cause: error });
    throw error;
  }
  if (file.checksum === 'invalid') {
    throw new ModelFileError(
      'INVALID_FILE',
      `${path}: its checksum does not fit its contents: the file was damaged or edited`,
    );
  }
  const tensors: NamedTensors = Object.create(null) as NamedTensors;
  for (const { name, dtype, shape, data } of file.tensors) {
    if (!(dtypes as readonly string[]).includes(dtype))
      throw new ModelFileError('INVALID_FILE', `${path}: dtype ${dtype}`);
    tensors[name] = tensorOfBytes(data, dtype as DType, shape);
  }
  return { tensors, metadata: file.metadata };
}

/**
 * Writes tensors and plain values to one file, as `torch.save` does: state dicts of modules, optimizers and schedulers, an epoch, a
 * vocabulary. The file is a safetensors file, in which Python sees the tensors by their path, such as `optimizer.state.0.exp_avg`,
 * and the rest as JSON in its metadata. An object with a method `toJSON`, such as a `Vocab`, is saved as what that returns.
 *
 * @throws RecurraError `INVALID_ARGUMENT` naming the path of a value that cannot be saved, and for a path such as `net.pt`; `IO` if
 * the file cannot be written.
 *
 * @example
 * ```ts
 * await save({ epoch: 1, net: net.stateDict(), optimizer: optimizer.stateDict() }, 'checkpoint.safetensors');
 * ```
 */
export async function save(value: unknown, path: string): Promise<void> {
  checkPath('save', path);
  const { tensors, structure } = takeApart(value);
  // A state dict alone is an ordinary file: its names say everything.
  const written = isStateDict(value) ? undefined : { format: 'pt', [STRUCTURE]: JSON.stringify(structure) };
  await saveFile(tensors, path, written && { metadata: written });
}

function isStateDict(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    !isTensor(value) &&
    !Array.isArray(value) &&
    Object.values(value).every(isTensor)
  );
}

/**
 * Reads what {@link save} wrote: tensors on the CPU, and plain values. Of any other safetensors file it gives the tensors by name, as a
 * state dict.
 *
 * It also reads what PyTorch's `torch.save` wrote (since 1.6), as `torch.load(path, weights_only=True)` does: state dicts of modules,
 * optimizers and schedulers, and plain values. Nothing in the file is executed; a file with other objects is refused.
 *
 * @throws ModelFileError as {@link loadFile}.
 *
 * @example
 * ```ts
 * const checkpoint = await load<{ epoch: number; net: nn.StateDict }>('checkpoint.safetensors');
 * net.loadStateDict(checkpoint.net);
 * ```
 */
export async function load<T = NamedTensors>(path: string): Promise<T> {
  if (await isTorchFile(path)) return (await readTorchValue(path)) as T;
  const { tensors, metadata } = await loadFile(path);
  const text = metadata[STRUCTURE];
  if (text === undefined) return { ...tensors } as T;
  let structure: unknown;
  try {
    structure = JSON.parse(text);
  } catch (error) {
    throw new ModelFileError('INVALID_FILE', `${path}: its metadata ${STRUCTURE} is not JSON`, { cause: error });
  }
  return putTogether(path, { tensors, structure }) as T;
}
