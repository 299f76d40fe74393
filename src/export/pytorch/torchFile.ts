import { Zip, ZipPassThrough } from 'fflate';
import { AtomicLines } from '../../core/atomicLines.js';
import { constraint } from '../../core/errors.js';
import type { Turns } from '../../core/turns.js';
import type { StateEntry } from '../../engine/engine.js';

/** The archive has 32-bit sizes. */
const LARGEST = 2 ** 32 - 2 ** 24;
/** Bytes checksummed between two checks of the clock: less than a millisecond. */
const PIECE = 262_144;
/** A fixed timestamp, so that the same model gives the same bytes. */
const TIME = new Date(1980, 0, 1);

const STORAGES: Readonly<Record<string, { type: string; bytes: number }>> = {
  float32: { type: 'FloatStorage', bytes: 4 },
  int8: { type: 'CharStorage', bytes: 1 },
};

/** An array of a state dict; `same` names another one with the same storage. */
export interface Saved extends StateEntry {
  same?: string;
}

/** A pickle of protocol 2, the one that torch.save writes. */
class Pickle {
  readonly #parts: Buffer[] = [Buffer.of(0x80, 2)];

  op(code: string): this {
    this.#parts.push(Buffer.from(code, 'latin1'));
    return this;
  }

  text(text: string): this {
    const bytes = Buffer.from(text);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(bytes.length);
    this.#parts.push(Buffer.from('X'), size, bytes);
    return this;
  }

  /** A non-negative integer. */
  int(value: number): this {
    const bytes = Buffer.alloc(10);
    bytes.writeUInt16LE(0x088a);
    bytes.writeBigUInt64LE(BigInt(value), 2);
    this.#parts.push(bytes);
    return this;
  }

  ints(values: readonly number[]): this {
    this.op('(');
    for (const value of values) this.int(value);
    return this.op('t');
  }

  global(module: string, name: string): this {
    return this.op(`c${module}\n${name}\n`);
  }

  finish(): Buffer {
    return Buffer.concat([...this.#parts, Buffer.from('.')]);
  }
}

/** Strides of a row-major array, in elements. */
function strides(shape: readonly number[]): number[] {
  return shape.map((_, i) => shape.slice(i + 1).reduce((product, size) => product * size, 1));
}

function pickled(arrays: readonly Saved[]): Buffer {
  const pickle = new Pickle().global('collections', 'OrderedDict').op(')R(');
  for (const { name, dtype, shape, same } of arrays) {
    const storage = arrays.findIndex((other) => other.name === (same ?? name));
    const count = shape.reduce((product, size) => product * size, 1);
    pickle.text(name).global('torch._utils', '_rebuild_tensor_v2').op('((').text('storage');
    pickle.global('torch', STORAGES[dtype]!.type).text(String(storage)).text('cpu').int(count).op('tQ');
    pickle.int(0).ints(shape).ints(strides(shape)).op('\x89').global('collections', 'OrderedDict').op(')RtR');
  }
  return pickle.op('u').finish();
}

/**
 * Writes a state dict as `torch.save` does: a ZIP archive with a pickle of names and shapes, and the numbers.
 * `torch.load(path, weights_only=True)` reads it. The file is written atomically.
 *
 * @throws ArgumentError for more than 4 GB; DataError `IO`; RecurraError `ABORTED` by the signal of `turns`.
 */
export async function writeTorchFile(path: string, arrays: readonly Saved[], turns: Turns): Promise<void> {
  const bytes = arrays.reduce((sum, { data, same }) => sum + (same === undefined ? data.byteLength : 0), 0);
  if (bytes > LARGEST)
    throw constraint('model', `a state dict can have at most ${LARGEST} bytes of weights; the model has ${bytes}`);
  const file = await AtomicLines.open(path);
  try {
    let waiting: Uint8Array[] = [];
    const zip = new Zip((error, piece) => {
      if (error) throw error;
      waiting.push(piece);
    });
    const flush = async () => {
      const pieces = waiting;
      waiting = [];
      for (const piece of pieces) if (piece.length > 0) await file.append(piece);
      if (turns.due) await turns.next();
    };
    const add = async (name: string, content: Uint8Array) => {
      const entry = new ZipPassThrough(`model/${name}`);
      entry.mtime = TIME;
      zip.add(entry);
      for (let from = 0; from < content.length; from += PIECE) {
        entry.push(content.subarray(from, from + PIECE));
        await flush();
      }
      entry.push(new Uint8Array(0), true);
      await flush();
    };
    await add('data.pkl', pickled(arrays));
    await add('byteorder', Buffer.from('little'));
    for (const [key, { data, same }] of arrays.entries()) if (same === undefined) await add(`data/${key}`, data);
    await add('version', Buffer.from('3\n'));
    zip.end();
    await flush();
    await file.finish();
  } finally {
    await file.discard();
  }
}
