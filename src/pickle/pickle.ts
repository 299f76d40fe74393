import { ModelFileError } from '../core/errors.js';

/** A class or function that a pickle names. */
export interface Global {
  readonly global: string;
}

/** Numbers that a tensor is a view of. */
export interface Storage {
  /** Name of the class, such as `FloatStorage`. */
  readonly type: string;
  /** Name of the file's entry that contains them. */
  readonly key: string;
}

/** A tensor, before its numbers are read. */
export interface PickledTensor {
  readonly storage: Storage;
  /** The first element, counted in elements. */
  readonly offset: number;
  readonly shape: readonly number[];
  /** Strides, in elements. */
  readonly strides: readonly number[];
}

/** Values of a pickle of tensors; a dictionary is a Map. */
export type Pickled =
  | null
  | boolean
  | number
  | string
  | readonly Pickled[]
  | Map<Pickled, Pickled>
  | Global
  | Storage
  | PickledTensor;

/** Callables allowed in a state dict; every other call of a pickle is refused. */
const CALLS: Readonly<Record<string, (args: readonly Pickled[]) => Pickled | undefined>> = {
  'collections.OrderedDict': (args) => (args.length === 0 ? new Map() : undefined),
  'collections.Counter': ([counts]) => (counts instanceof Map ? counts : undefined),
  'torch.Size': ([sizes]) => (isNumbers(sizes) ? sizes : undefined),
  'torch._utils._rebuild_tensor_v2': rebuilt,
  'torch._utils._rebuild_parameter': ([tensor]) => (isTensor(tensor) ? tensor : undefined),
};

const STORAGE = /^torch\.(\w+Storage)$/;

/** Whether a value is a tensor. */
export function isTensor(value: Pickled | undefined): value is PickledTensor {
  return typeof value === 'object' && value !== null && 'storage' in value;
}

function isNumbers(value: Pickled | undefined): value is readonly number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

function rebuilt([storage, offset, shape, strides]: readonly Pickled[]): PickledTensor | undefined {
  const given = typeof storage === 'object' && storage !== null && 'key' in storage;
  if (!given || !isNumbers([offset!]) || !isNumbers(shape) || !isNumbers(strides)) return undefined;
  return shape.length === strides.length ? { storage, offset: offset as number, shape, strides } : undefined;
}

/** Marks where the items of a list, tuple or dictionary begin. */
const MARK = Symbol('mark');

/**
 * Reads the pickle of a state dict, as `torch.load(path, weights_only=True)` does: dictionaries, lists, numbers, texts
 * and tensors. It never calls what the file names; a file that names anything but tensors is refused.
 *
 * The pickle is not trusted: every operation is checked, and memory is only allocated for data that exists.
 *
 * @param path - The file, for messages.
 * @throws {@link ModelFileError} `INVALID_FILE`.
 */
export function readPickle(bytes: Buffer, path: string): Pickled {
  return new PickleReader(bytes, path).read();
}

class PickleReader {
  readonly #bytes: Buffer;
  readonly #path: string;
  readonly #stack: (Pickled | typeof MARK)[] = [];
  readonly #memo = new Map<number, Pickled>();
  #at = 0;

  constructor(bytes: Buffer, path: string) {
    this.#bytes = bytes;
    this.#path = path;
  }

  read(): Pickled {
    for (;;) {
      const place = this.#at;
      const code = this.#take(1)[0]!;
      if (code === STOP) return this.#pop();
      const operation = OPERATIONS.get(code);
      if (!operation) throw this.error(`its pickle has the operation 0x${code.toString(16)} at ${place}`);
      operation(this);
    }
  }

  /** An error of this file. */
  error(what: string): ModelFileError {
    const message = `${this.#path}: ${what}; expected only tensors and plain values, such as torch.save(model.state_dict(), path) writes`;
    return new ModelFileError('INVALID_FILE', message);
  }

  #take(count: number): Buffer {
    if (this.#at + count > this.#bytes.length) throw this.error('its pickle ends early');
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  byte(): number {
    return this.#take(1)[0]!;
  }

  take(count: number): Buffer {
    return this.#take(count);
  }

  uint32(): number {
    return this.#take(4).readUInt32LE(0);
  }

  line(): string {
    const end = this.#bytes.indexOf(10, this.#at);
    if (end < 0) throw this.error('its pickle ends early');
    const text = this.#take(end - this.#at).toString('latin1');
    this.#at++;
    return text;
  }

  /** A value that must be a string. */
  text(value: Pickled): string {
    if (typeof value !== 'string') throw this.error('its pickle has another value instead of a name');
    return value;
  }

  push(value: Pickled): void {
    this.#stack.push(value);
  }

  mark(): void {
    this.#stack.push(MARK);
  }

  #pop(): Pickled {
    const value = this.#stack.pop();
    if (value === undefined || value === MARK) throw this.error('its pickle uses a value that is missing');
    return value;
  }

  pop(): Pickled {
    return this.#pop();
  }

  /** The values after the last mark. */
  items(): Pickled[] {
    const at = this.#stack.lastIndexOf(MARK);
    if (at < 0) throw this.error('its pickle uses a value that is missing');
    const items = this.#stack.splice(at) as Pickled[];
    return items.slice(1);
  }

  memoize(place: number): void {
    const value = this.#stack.at(-1);
    if (value === undefined || value === MARK) throw this.error('its pickle uses a value that is missing');
    this.#memo.set(place, value);
  }

  memoizeNext(): void {
    this.memoize(this.#memo.size);
  }

  recall(place: number): void {
    const value = this.#memo.get(place);
    if (value === undefined) throw this.error('its pickle uses a value that is missing');
    this.push(value);
  }

  /** A known class or function. */
  global(module: string, name: string): void {
    const global = `${module}.${name}`;
    if (!Object.hasOwn(CALLS, global) && !STORAGE.test(global)) throw this.error(`it contains an object of ${global}`);
    this.push({ global });
  }

  call(): void {
    const args = this.#pop();
    const called = this.#pop();
    const name = typeof called === 'object' && called !== null && 'global' in called ? called.global : '';
    const call = Object.hasOwn(CALLS, name) ? CALLS[name] : undefined;
    const result = Array.isArray(args) ? call?.(args as readonly Pickled[]) : undefined;
    if (result === undefined) throw this.error(`its pickle calls ${name || 'what cannot be called'} in an unknown way`);
    this.push(result);
  }

  /** Sets the state of an object besides its items: for a dictionary, the versions of its layers. */
  build(): void {
    this.#pop();
    if (!(this.#stack.at(-1) instanceof Map)) throw this.error('its pickle sets an object of an unknown kind');
  }

  /** Numbers of the archive: `('storage', FloatStorage, key, device, count)`. */
  storage(): void {
    const given = this.#pop();
    const [kind, type, key] = Array.isArray(given) ? (given as readonly Pickled[]) : [];
    const name =
      typeof type === 'object' && type !== null && 'global' in type ? STORAGE.exec(type.global)?.[1] : undefined;
    if (kind !== 'storage' || name === undefined || typeof key !== 'string' || !/^\w+$/.test(key))
      throw this.error('its pickle has a tensor of an unknown kind');
    this.push({ type: name, key });
  }

  setItems(items: readonly Pickled[]): void {
    const dictionary = this.#stack.at(-1);
    if (!(dictionary instanceof Map) || items.length % 2 !== 0)
      throw this.error('its pickle adds items to something other than a dictionary');
    for (let i = 0; i < items.length; i += 2) dictionary.set(items[i]!, items[i + 1]!);
  }

  append(items: readonly Pickled[]): void {
    const list = this.#stack.at(-1);
    if (!Array.isArray(list)) throw this.error('its pickle adds items to something other than a list');
    for (const item of items) list.push(item);
  }
}

/** An integer of some bytes, little-endian, with a sign. */
function longOf(bytes: Buffer): number {
  let value = 0n;
  for (const [i, byte] of bytes.entries()) value |= BigInt(byte) << BigInt(8 * i);
  return bytes.length === 0 ? 0 : Number(BigInt.asIntN(8 * bytes.length, value));
}

const STOP = '.'.charCodeAt(0);

/** The operations that torch.save uses, by their code in CPython's `pickletools`. */
const OPERATIONS: ReadonlyMap<number, (reader: PickleReader) => void> = new Map<number, (reader: PickleReader) => void>(
  [
    [0x80, (r) => void r.byte()],
    [0x95, (r) => void r.take(8)],
    [code('c'), (r) => r.global(r.line(), r.line())],
    [
      0x93,
      (r) => {
        const name = r.pop();
        r.global(r.text(r.pop()), r.text(name));
      },
    ],
    [code('N'), (r) => r.push(null)],
    [0x88, (r) => r.push(true)],
    [0x89, (r) => r.push(false)],
    [code('K'), (r) => r.push(r.byte())],
    [code('M'), (r) => r.push(r.take(2).readUInt16LE(0))],
    [code('J'), (r) => r.push(r.take(4).readInt32LE(0))],
    [0x8a, (r) => r.push(longOf(r.take(r.byte())))],
    [code('G'), (r) => r.push(r.take(8).readDoubleBE(0))],
    [code('X'), (r) => r.push(r.take(r.uint32()).toString())],
    [0x8c, (r) => r.push(r.take(r.byte()).toString())],
    [code('('), (r) => r.mark()],
    [code(')'), (r) => r.push([])],
    [code(']'), (r) => r.push([])],
    [code('}'), (r) => r.push(new Map())],
    [code('t'), (r) => r.push(r.items())],
    [0x85, (r) => r.push([r.pop()])],
    [0x86, (r) => r.push([r.pop(), r.pop()].reverse())],
    [0x87, (r) => r.push([r.pop(), r.pop(), r.pop()].reverse())],
    [code('a'), (r) => r.append([r.pop()])],
    [code('e'), (r) => r.append(r.items())],
    [code('s'), (r) => r.setItems([r.pop(), r.pop()].reverse())],
    [code('u'), (r) => r.setItems(r.items())],
    [code('R'), (r) => r.call()],
    [code('b'), (r) => r.build()],
    [code('Q'), (r) => r.storage()],
    [code('q'), (r) => r.memoize(r.byte())],
    [code('r'), (r) => r.memoize(r.uint32())],
    [0x94, (r) => r.memoizeNext()],
    [code('h'), (r) => r.recall(r.byte())],
    [code('j'), (r) => r.recall(r.uint32())],
  ],
);

function code(letter: string): number {
  return letter.charCodeAt(0);
}
