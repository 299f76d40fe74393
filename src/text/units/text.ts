import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Int32List } from '../../core/growable.js';
import { ioError } from '../../core/ioError.js';
import type { Turns } from '../../core/turns.js';

/** Default units read at once: 256 KB. */
const TOGETHER = 65_536;
/** Units written at once: 4 MB. */
const WRITTEN = 2 ** 20;

/** Storage of unit numbers. */
interface Source {
  read(from: number, to: number): Int32Array | Promise<Int32Array>;
  close(): Promise<void>;
}

/** The numbers of a text's units, in memory or in a temporary file, or a part of them. */
export class UnitText {
  /** How many. */
  readonly length: number;
  readonly #source: Source;
  readonly #from: number;

  /** @internal */
  constructor(source: Source, from: number, length: number) {
    this.#source = source;
    this.#from = from;
    this.length = length;
  }

  /** Units that are in memory. */
  static of(units: Int32Array): UnitText {
    const source = { read: (from: number, to: number) => units.subarray(from, to), close: async () => {} };
    return new UnitText(source, 0, units.length);
  }

  /** The units in a range, synchronously if they are in memory; callers must not modify them. */
  read(from: number, to: number): Int32Array | Promise<Int32Array> {
    return this.#source.read(this.#from + from, this.#from + Math.min(to, this.length));
  }

  /** A view of a part of them. */
  slice(from: number, to = this.length): UnitText {
    return new UnitText(this.#source, this.#from + from, to - from);
  }

  /** All of them, part by part. */
  async *parts(together = TOGETHER): AsyncGenerator<Int32Array, void, undefined> {
    for (let from = 0; from < this.length; from += together) yield await this.read(from, from + together);
  }

  /** Frees the storage, including that of all parts. */
  close(): Promise<void> {
    return this.#source.close();
  }
}

/**
 * Collects the numbers of units in memory, or in a temporary file beyond a limit. The file is deleted with
 * {@link UnitText.close}.
 *
 * @internal
 */
export class UnitWriter {
  readonly #most: number;
  #list = new Int32List();
  #file: UnitFile | undefined;

  /** @param most - Units that may be in memory. */
  constructor(most: number) {
    this.#most = most;
  }

  push(unit: number): void {
    this.#list.push(unit);
  }

  pushAll(units: Int32Array): void {
    this.#list.pushAll(units);
  }

  /** Writes units to the file if there are many; await it after each part. */
  async settle(turns: Turns): Promise<void> {
    const { length } = this.#list;
    if (this.#file ? length < Math.min(this.#most, WRITTEN) : length <= this.#most) return;
    const list = this.#list;
    this.#list = new Int32List();
    this.#file ??= await UnitFile.create();
    await this.#file.append(await turns.run(list.finish()));
  }

  /**
   * All of them, in their order.
   *
   * @param map - Table applied to each, if given.
   */
  async finish(turns: Turns, map?: Int32Array): Promise<UnitText> {
    if (!this.#file) return UnitText.of(await turns.run(this.#list.finish(map)));
    await this.#file.append(await turns.run(this.#list.finish()));
    return this.#file.text(map);
  }

  /** Deletes the file, if there is one. */
  async close(): Promise<void> {
    await this.#file?.close();
  }
}

/** A temporary file of units. */
class UnitFile implements Source {
  readonly #folder: string;
  readonly #handle: FileHandle;
  #length = 0;
  #map: Int32Array | undefined;
  #closed = false;

  private constructor(folder: string, handle: FileHandle) {
    this.#folder = folder;
    this.#handle = handle;
  }

  static async create(): Promise<UnitFile> {
    const folder = await mkdtemp(join(tmpdir(), 'recurra-units-')).catch((error: Error) => {
      throw ioError(error, tmpdir());
    });
    try {
      return new UnitFile(folder, await open(join(folder, 'units.i32'), 'wx+'));
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw ioError(error as Error, folder);
    }
  }

  async append(units: Int32Array): Promise<void> {
    const bytes = new Uint8Array(units.buffer, units.byteOffset, units.byteLength);
    try {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#handle.write(bytes, at, bytes.length - at, 4 * this.#length + at);
        at += bytesWritten;
      }
    } catch (error) {
      await this.close();
      throw ioError(error as Error, this.#folder);
    }
    this.#length += units.length;
  }

  text(map?: Int32Array): UnitText {
    this.#map = map;
    return new UnitText(this, 0, this.#length);
  }

  async read(from: number, to: number): Promise<Int32Array> {
    const units = new Int32Array(Math.max(0, to - from));
    const bytes = new Uint8Array(units.buffer);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await this.#handle.read(bytes, at, bytes.length - at, 4 * from + at);
      if (bytesRead === 0) throw ioError(new Error('the file is shorter than it was'), this.#folder);
      at += bytesRead;
    }
    const map = this.#map;
    if (map) for (let i = 0; i < units.length; i++) units[i] = map[units[i]!]!;
    return units;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
