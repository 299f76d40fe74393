import { ModelFileError, RecurraError } from '../core/errors.js';
import type { Turns } from '../core/turns.js';
import { ZipError, ZipFile } from '../libtorch/zip.mjs';
import { type Pickled, type PickledTensor, readPickle } from './pickle.js';

/** The description of the tensors is small; the numbers are separate entries. */
const LARGEST_PICKLE = 64 * 2 ** 20;
/** Maximum bytes of one storage. */
const LARGEST_STORAGE = 8 * 2 ** 30;
/** Tied weights are two tensors of the same numbers; a small file whose tensors share them many times would take any memory. */
const MOST_VIEWS = 4;
/** Elements that are copied between two looks at the clock. */
const ELEMENTS_A_LOOK = 65_536;

/** Bytes of an element, by the class of the storage. */
const WIDTHS: Readonly<Record<string, number>> = {
  BoolStorage: 1,
  ByteStorage: 1,
  CharStorage: 1,
  ShortStorage: 2,
  HalfStorage: 2,
  BFloat16Storage: 2,
  IntStorage: 4,
  FloatStorage: 4,
  LongStorage: 8,
  DoubleStorage: 8,
};

/** What a file of `torch.save` holds. */
export interface TorchArchive {
  /** The value that was saved. */
  readonly value: Pickled;
  /**
   * The bytes of a tensor's elements, row by row; undefined for elements of another kind than numbers and booleans.
   *
   * @param name - The tensor, for messages.
   */
  bytesOf(name: string, tensor: PickledTensor): Promise<Buffer | undefined>;
}

/**
 * Opens a file that `torch.save` wrote in its current format, a ZIP archive (since PyTorch 1.6), reads its description, and passes it to
 * `use`. Nothing in the file is executed, and memory is allocated only for what is there.
 *
 * @throws {@link ModelFileError} `INVALID_FILE` for any other file, a damaged one, or one with more than tensors and plain values.
 *
 * @internal
 */
export async function withTorchArchive<T>(
  path: string,
  turns: Turns,
  use: (archive: TorchArchive) => Promise<T>,
): Promise<T> {
  let zip: InstanceType<typeof ZipFile> | undefined;
  try {
    zip = new ZipFile(path);
    return await use(await openArchive(zip, path, turns));
  } catch (error) {
    if (error instanceof ZipError) throw invalidFile(path, (error as Error).message);
    throw error;
  } finally {
    zip?.close();
  }
}

async function openArchive(zip: InstanceType<typeof ZipFile>, path: string, turns: Turns): Promise<TorchArchive> {
  const root = [...zip.entries.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name))?.slice(0, -'data.pkl'.length);
  if (root === undefined) throw invalidFile(path, 'a ZIP archive that torch.save did not write: it has no data.pkl');
  const entry = async (name: string, limit: number): Promise<Buffer> => {
    // Stored entries are no larger than the file; unpacking could take any memory.
    if (zip.entries.get(name)?.method)
      throw invalidFile(path, `its ${name} is compressed, which torch.save does not do`);
    return zip.bytes(name, limit);
  };
  const order = `${root}byteorder`;
  if (zip.entries.has(order) && (await entry(order, 64)).toString() !== 'little')
    throw invalidFile(path, 'it was written on a machine with another byte order');
  const value = readPickle(await entry(`${root}data.pkl`, LARGEST_PICKLE), path);
  const room = MOST_VIEWS * [...zip.entries.values()].reduce((sum, { size }) => sum + size, 0);
  let taken = 0;
  // The weights of a recurrent layer are often parts of one storage.
  let last: { key: string; bytes: Buffer } | undefined;
  const bytesOf = async (name: string, tensor: PickledTensor): Promise<Buffer | undefined> => {
    const { type, key } = tensor.storage;
    const width = WIDTHS[type];
    if (width === undefined) return undefined;
    if (last?.key !== key) last = { key, bytes: await entry(`${root}data/${key}`, LARGEST_STORAGE) };
    const bytes = await rowByRow(name, tensor, width, last.bytes, path, turns);
    taken += bytes.length;
    if (taken > room)
      throw invalidFile(path, `its tensors are views of the same numbers more than ${MOST_VIEWS} times`);
    return bytes;
  };
  return { value, bytesOf };
}

/**
 * The error for a file that is not what it should be.
 *
 * @internal
 */
export function invalidFile(path: string, what: string): ModelFileError {
  return new ModelFileError('INVALID_FILE', `${path}: ${what}`);
}

/** The bytes of a tensor in the order of its elements: a part of the storage's where they lie in that order. */
async function rowByRow(
  name: string,
  { offset, shape, strides }: PickledTensor,
  width: number,
  storage: Buffer,
  path: string,
  turns: Turns,
): Promise<Buffer> {
  const there = storage.length / width;
  const count = shape.reduce((product, size) => product * size, 1);
  const last = count === 0 ? offset : shape.reduce((sum, size, i) => sum + (size - 1) * strides[i]!, offset);
  if (count > there || last >= there + (count === 0 ? 1 : 0))
    throw invalidFile(path, `${name} has the shape [${shape.join(', ')}], but its storage ${there} numbers`);
  if (isContiguous(shape, strides)) return storage.subarray(offset * width, (offset + count) * width);
  const bytes = allocate(count * width, name);
  const place = shape.map(() => 0);
  let at = offset;
  for (let i = 0; i < count; i++) {
    storage.copy(bytes, i * width, at * width, (at + 1) * width);
    for (let d = shape.length - 1; d >= 0; d--) {
      at += strides[d]!;
      place[d]!++;
      if (place[d]! < shape[d]!) break;
      at -= strides[d]! * shape[d]!;
      place[d] = 0;
    }
    if (i % ELEMENTS_A_LOOK === 0 && turns.due) await turns.next();
  }
  return bytes;
}

function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    if (shape[d] !== 1 && strides[d] !== expected) return false;
    expected *= shape[d]!;
  }
  return true;
}

function allocate(length: number, what: string): Buffer {
  try {
    return Buffer.alloc(length);
  } catch (cause) {
    throw new RecurraError('OUT_OF_MEMORY', `not enough memory for the ${length} bytes of ${what}`, { cause });
  }
}

/**
 * The number of a float16, IEEE 754 binary16.
 *
 * @internal
 */
export function halfOf(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
