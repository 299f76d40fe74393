import { Turns } from '../../core/turns.js';
import { isTensor as isPickledTensor, type Pickled, type PickledTensor } from '../../pickle/pickle.js';
import { halfOf, invalidFile, type TorchArchive, withTorchArchive } from '../../pickle/torchArchive.js';
import { tensor } from '../tensor/create.js';
import type { DType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { tensorOfBytes } from './bytes.js';

/** Deeper values are taken for damaged ones. */
const DEEPEST = 100;

/** The dtype of a storage whose elements tensors here have, too. */
const DTYPES: Readonly<Record<string, DType>> = {
  FloatStorage: 'float32',
  DoubleStorage: 'float64',
  BFloat16Storage: 'bfloat16',
  LongStorage: 'int64',
  IntStorage: 'int32',
  BoolStorage: 'bool',
};

/** The other storages, whose numbers an array of 32 bits holds exactly. */
const WIDER: Readonly<Record<string, Wider>> = {
  HalfStorage: { width: 2, array: Float32Array, read: (bytes, at) => halfOf(bytes.readUInt16LE(at)) },
  ShortStorage: { width: 2, array: Int32Array, read: (bytes, at) => bytes.readInt16LE(at) },
  ByteStorage: { width: 1, array: Int32Array, read: (bytes, at) => bytes[at]! },
  CharStorage: { width: 1, array: Int32Array, read: (bytes, at) => bytes.readInt8(at) },
};
/** Elements that are converted between two looks at the clock. */
const ELEMENTS_A_LOOK = 65_536;

interface Wider {
  width: number;
  array: typeof Float32Array | typeof Int32Array;
  read: (bytes: Buffer, at: number) => number;
}

/**
 * Reads what `torch.save` wrote, as `torch.load(path, weights_only=True)` does: tensors, on the CPU, and plain values. Dictionaries are
 * objects, tuples are arrays, `None` is null. float16 becomes float32, and integers of 8 and 16 bits int32, of the same values.
 *
 * @throws ModelFileError `INVALID_FILE` for a damaged file, and for one with other objects; the message names their class.
 *
 * @internal
 */
export function readTorchValue(path: string): Promise<unknown> {
  const turns = new Turns();
  return withTorchArchive(path, turns, (archive) => new Converter(path, archive, turns).convert(archive.value));
}

class Converter {
  readonly #path: string;
  readonly #archive: TorchArchive;
  readonly #turns: Turns;
  // What is saved once and used twice is so afterwards, too; a file of few bytes cannot become a value without end.
  readonly #made = new Map<object, unknown>();

  constructor(path: string, archive: TorchArchive, turns: Turns) {
    this.#path = path;
    this.#archive = archive;
    this.#turns = turns;
  }

  async convert(value: Pickled, name = '', depth = 0): Promise<unknown> {
    if (typeof value !== 'object' || value === null) return value;
    if (depth > DEEPEST) throw invalidFile(this.#path, `its value is nested more than ${DEEPEST} deep`);
    if (this.#made.has(value)) return this.#made.get(value);
    if (isPickledTensor(value)) {
      const made = await this.#tensor(name || 'tensor', value);
      this.#made.set(value, made);
      return made;
    }
    const under = (key: unknown) => (name === '' ? `${key}` : `${name}.${key}`);
    if (Array.isArray(value)) {
      const list: unknown[] = [];
      this.#made.set(value, list);
      for (const [i, item] of value.entries()) list.push(await this.convert(item as Pickled, under(i), depth + 1));
      return list;
    }
    if (!(value instanceof Map)) throw invalidFile(this.#path, `${name || 'its value'} is a class of Python`);
    const object: Record<string, unknown> = {};
    this.#made.set(value, object);
    for (const [key, item] of value) {
      if (typeof key !== 'string' && typeof key !== 'number')
        throw invalidFile(this.#path, `a key of ${name || 'its dictionary'} is neither a text nor a number`);
      // Not by assignment, which __proto__ would make something else of.
      const converted = await this.convert(item, under(key), depth + 1);
      Object.defineProperty(object, key, { value: converted, writable: true, enumerable: true, configurable: true });
    }
    return object;
  }

  async #tensor(name: string, pickled: PickledTensor): Promise<Tensor> {
    const { type } = pickled.storage;
    const bytes = await this.#archive.bytesOf(name, pickled);
    const dtype = DTYPES[type];
    if (bytes && dtype !== undefined) return tensorOfBytes(bytes, dtype, pickled.shape);
    const wider = WIDER[type];
    if (!bytes || !wider)
      throw invalidFile(this.#path, `the elements of ${name} are of torch.${type}, which tensors here do not have`);
    const values = new wider.array(bytes.length / wider.width);
    for (let i = 0; i < values.length; i++) {
      values[i] = wider.read(bytes, i * wider.width);
      if (i % ELEMENTS_A_LOOK === 0 && this.#turns.due) await this.#turns.next();
    }
    return tensor(values, { shape: pickled.shape });
  }
}

/**
 * The tensors in a value by their paths, such as `optimizer.state.0.exp_avg`; each container once.
 *
 * @internal
 */
export function tensorsIn(value: unknown, isTensor: (value: unknown) => value is Tensor): Record<string, Tensor> {
  const found = Object.create(null) as Record<string, Tensor>;
  const seen = new Set<object>();
  const visit = (value: unknown, path: string): void => {
    if (isTensor(value)) {
      found[path || 'tensor'] = value;
    } else if (typeof value === 'object' && value !== null && !seen.has(value)) {
      seen.add(value);
      for (const [key, item] of Object.entries(value)) visit(item, path === '' ? key : `${path}.${key}`);
    }
  };
  visit(value, '');
  return found;
}
