import type { FileHandle } from 'node:fs/promises';
import { DataError } from '../../core/errors.js';

/** Bytes read at once. */
const READ = 262_144;

/** Reads a file sequentially, with only the needed bytes in memory. */
export class FileCursor {
  /** Path of the file, for messages. */
  readonly file: string;
  readonly #handle: FileHandle;
  #held: Buffer = Buffer.alloc(0);
  #before = 0;
  /** Where the next byte is in {@link bytes}. */
  at = 0;

  constructor(handle: FileHandle, file: string) {
    this.#handle = handle;
    this.file = file;
  }

  /** The bytes in memory. */
  get bytes(): Buffer {
    return this.#held;
  }

  /** Where the next byte is in the file. */
  get place(): number {
    return this.#before + this.at;
  }

  /**
   * Reads until there are `count` bytes after {@link at}, or the file ends.
   *
   * @returns whether there are.
   */
  async fill(count: number): Promise<boolean> {
    while (this.#held.length - this.at < count) {
      const left = this.#held.subarray(this.at);
      const more = Buffer.allocUnsafe(Math.max(READ, count));
      const { bytesRead } = await this.#handle.read(more, 0, more.length, this.#before + this.#held.length);
      if (bytesRead === 0) return false;
      this.#before += this.at;
      this.at = 0;
      this.#held = left.length > 0 ? Buffer.concat([left, more.subarray(0, bytesRead)]) : more.subarray(0, bytesRead);
    }
    return true;
  }

  /**
   * Like {@link fill}, but the bytes are required.
   *
   * @param what - What they belong to, as in `its dictionary`.
   * @throws {@link DataError} `INVALID_FILE` if the file ends before.
   */
  async need(count: number, what: string): Promise<void> {
    if (await this.fill(count)) return;
    throw new DataError('INVALID_FILE', `the file ends within ${what}`, { file: this.file });
  }
}

/** Reads `length` bytes at a position of a file; fewer at its end. */
export async function readAt(handle: FileHandle, into: Buffer, length: number, place: number): Promise<number> {
  let read = 0;
  while (read < length) {
    const { bytesRead } = await handle.read(into, read, length - read, place + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return read;
}
