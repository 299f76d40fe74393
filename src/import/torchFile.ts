import { zeros } from '../core/allocate.js';
import { ModelFileError } from '../core/errors.js';
import type { Turns } from '../core/turns.js';
import { ZipError, ZipFile } from '../libtorch/zip.mjs';
import { isTensor, type Pickled, type PickledTensor, readPickle } from './pickle.js';

/** The names, shapes and numbers of a state dict. */
export interface StateArray {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Float32Array;
}

/** The description of the tensors is small; the numbers are separate entries. */
const LARGEST_PICKLE = 64 * 2 ** 20;
/** Maximum bytes of one tensor. */
const LARGEST_STORAGE = 8 * 2 ** 30;
/** Tied weights are two tensors of the same numbers; a small file whose tensors share them many times would take any memory. */
const MOST_VIEWS = 4;
/** Elements that are converted between two looks at the clock. */
const ELEMENTS_A_LOOK = 65_536;

/** Keys under which training scripts store the state dict next to other data. */
const WRAPPERS = ['state_dict', 'model_state_dict', 'model'];

/** Reads an element of each type of storage, and its bytes. */
const STORAGES: Readonly<Record<string, { bytes: number; read: (from: DataView, at: number) => number }>> = {
  FloatStorage: { bytes: 4, read: (from, at) => from.getFloat32(at, true) },
  DoubleStorage: { bytes: 8, read: (from, at) => from.getFloat64(at, true) },
  HalfStorage: { bytes: 2, read: (from, at) => halfOf(from.getUint16(at, true)) },
  BFloat16Storage: { bytes: 2, read: bfloat16At },
};

/**
 * Reads a state dict written by `torch.save` in its current format, a ZIP archive (since PyTorch 1.6). Floating point
 * tensors become float32; others, such as counts of batches, are skipped.
 *
 * @throws {@link ModelFileError} `INVALID_FILE` for any other file, a damaged one, or one that contains anything but tensors.
 */
export async function readTorchFile(path: string, turns: Turns): Promise<StateArray[]> {
  let zip: InstanceType<typeof ZipFile> | undefined;
  try {
    zip = new ZipFile(path);
    const root = [...zip.entries.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name))?.slice(0, -'data.pkl'.length);
    if (root === undefined) throw invalid(path, 'a ZIP archive that torch.save did not write: it has no data.pkl');
    const archive = zip;
    const entry = async (name: string, limit: number): Promise<Buffer> => {
      // Stored entries are no larger than the file; unpacking could take any memory.
      if (archive.entries.get(name)?.method)
        throw invalid(path, `its ${name} is compressed, which torch.save does not do`);
      return archive.bytes(name, limit);
    };
    const order = `${root}byteorder`;
    if (zip.entries.has(order) && (await entry(order, 64)).toString() !== 'little')
      throw invalid(path, 'it was written on a machine with another byte order');
    const pickled = readPickle(await entry(`${root}data.pkl`, LARGEST_PICKLE), path);
    const arrays: StateArray[] = [];
    const room = MOST_VIEWS * [...archive.entries.values()].reduce((sum, { size }) => sum + size, 0);
    let taken = 0;
    for (const [name, tensor] of tensorsOf(pickled, path)) {
      const storage = STORAGES[tensor.storage.type];
      if (!storage) continue;
      const bytes = await entry(`${root}data/${tensor.storage.key}`, LARGEST_STORAGE);
      const values = await valuesOf(name, tensor, bytes, path, turns);
      taken += storage.bytes * values.length;
      if (taken > room) throw invalid(path, `its tensors are views of the same numbers more than ${MOST_VIEWS} times`);
      arrays.push({ name, shape: tensor.shape, values });
    }
    return arrays;
  } catch (error) {
    if (error instanceof ZipError) throw invalid(path, (error as Error).message);
    throw error;
  } finally {
    zip?.close();
  }
}

function invalid(path: string, what: string): ModelFileError {
  return new ModelFileError('INVALID_FILE', `${path}: ${what}`);
}

/** The tensors of a dictionary, or of the state dict inside it. */
function tensorsOf(pickled: Pickled, path: string, depth = 0): [string, PickledTensor][] {
  if (!(pickled instanceof Map)) throw invalid(path, 'expected a state dict, but it contains no dictionary');
  for (const key of WRAPPERS) {
    const inner = pickled.get(key);
    // A dictionary may contain itself.
    if (inner instanceof Map && depth < WRAPPERS.length) return tensorsOf(inner, path, depth + 1);
  }
  const found: [string, PickledTensor][] = [];
  for (const [name, value] of pickled) if (typeof name === 'string' && isTensor(value)) found.push([name, value]);
  if (found.length === 0) throw invalid(path, 'expected a state dict, but its dictionary has no tensors');
  return found;
}

/** The numbers of a tensor in the order of its elements. */
async function valuesOf(
  name: string,
  { storage: { type }, offset, shape, strides }: PickledTensor,
  bytes: Buffer,
  path: string,
  turns: Turns,
): Promise<Float32Array> {
  const { bytes: width, read } = STORAGES[type]!;
  const there = bytes.length / width;
  const count = shape.reduce((product, size) => product * size, 1);
  const last = count === 0 ? offset : shape.reduce((sum, size, i) => sum + (size - 1) * strides[i]!, offset);
  if (count > there || last >= there + (count === 0 ? 1 : 0))
    throw invalid(path, `${name} has the shape [${shape.join(', ')}], but its storage ${there} numbers`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = zeros(count, name);
  const place = shape.map(() => 0);
  let at = offset;
  for (let i = 0; i < count; i++) {
    values[i] = read(view, at * width);
    for (let d = shape.length - 1; d >= 0; d--) {
      at += strides[d]!;
      place[d]!++;
      if (place[d]! < shape[d]!) break;
      at -= strides[d]! * shape[d]!;
      place[d] = 0;
    }
    if (i % ELEMENTS_A_LOOK === 0 && turns.due) await turns.next();
  }
  return values;
}

/** A float16, IEEE 754 binary16. */
function halfOf(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

const room = new DataView(new ArrayBuffer(4));
function bfloat16At(from: DataView, at: number): number {
  room.setUint32(0, from.getUint16(at, true) * 65_536);
  return room.getFloat32(0);
}
