// A reader for zip archives, strict enough for installing libraries: central directory, zip64, stored and deflated
// entries. Format: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.3. Everything read from the archive is checked against
// the archive's size before memory is allocated for it.

import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, read as readCallback, readSync } from 'node:fs';
import { pipeline, Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createInflateRaw, inflateRaw } from 'node:zlib';

const read = promisify(readCallback);
const inflate = promisify(inflateRaw);

const endSize = 22;
const longestComment = 0xffff;
const centralSize = 46;
const localSize = 30;
/** Far larger than any wheel's (torch's is 1.2 MB for 12,482 entries). */
const largestDirectory = 64 * 2 ** 20;
/** Entries up to this size are inflated at once, larger ones piece by piece. */
const inOneGo = 4 * 2 ** 20;
const pieceSize = 2 ** 20;

/** The archive is damaged, hostile, or uses an unsupported feature. */
export class ZipError extends Error {
  name = 'ZipError';
}

/** Throws a ZipError unless `name` stays inside the target folder on any system. */
export function checkEntryName(name) {
  const shown = JSON.stringify(name);
  if (name === '' || name.includes('\0')) throw new ZipError(`entry name ${shown} is empty or has a NUL`);
  if (name.includes('\\')) throw new ZipError(`entry name ${shown} has a backslash`);
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name)) throw new ZipError(`entry name ${shown} is absolute`);
  const parts = name.replace(/\/$/, '').split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..'))
    throw new ZipError(`entry name ${shown} would leave the folder it is unpacked into`);
}

function number64(buffer, offset) {
  const value = buffer.readBigUInt64LE(offset);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ZipError(`a 64-bit field holds ${value}`);
  return Number(value);
}

/** The zip64 values of an extra field, in the order of the 32-bit fields that are all ones. */
function zip64Values(extra, wanted, name) {
  let offset = 0;
  while (offset + 4 <= extra.length) {
    const id = extra.readUInt16LE(offset);
    const size = extra.readUInt16LE(offset + 2);
    if (offset + 4 + size > extra.length) break;
    if (id === 1) {
      if (size < wanted * 8) break;
      return Array.from({ length: wanted }, (_, i) => number64(extra, offset + 4 + i * 8));
    }
    offset += 4 + size;
  }
  throw new ZipError(`entry ${JSON.stringify(name)} lacks its zip64 field`);
}

function parseEntry(directory, offset) {
  if (offset + centralSize > directory.length || directory.readUInt32LE(offset) !== 0x02014b50)
    throw new ZipError('the central directory is damaged');
  const flags = directory.readUInt16LE(offset + 8);
  const nameSize = directory.readUInt16LE(offset + 28);
  const extraSize = directory.readUInt16LE(offset + 30);
  const next = offset + centralSize + nameSize + extraSize + directory.readUInt16LE(offset + 32);
  if (next > directory.length) throw new ZipError('the central directory is damaged');
  const nameBytes = directory.subarray(offset + centralSize, offset + centralSize + nameSize);
  const name = nameBytes.toString('utf8');
  checkEntryName(name);
  const entry = {
    name,
    method: directory.readUInt16LE(offset + 10),
    compressedSize: directory.readUInt32LE(offset + 20),
    size: directory.readUInt32LE(offset + 24),
    headerOffset: directory.readUInt32LE(offset + 42),
    isFolder: name.endsWith('/'),
  };
  const unixType = (directory.readUInt16LE(offset + 40) >> 12) & 0xf;
  // 0 without Unix modes, 8 a regular file, 4 a folder; links and devices are refused.
  if (![0, 4, 8].includes(unixType)) throw new ZipError(`entry ${JSON.stringify(name)} is a link or a special file`);
  if (flags & 0x2041) throw new ZipError(`entry ${JSON.stringify(name)} is encrypted`);
  const wide = ['size', 'compressedSize', 'headerOffset'].filter((field) => entry[field] === 0xffffffff);
  if (wide.length > 0) {
    const start = offset + centralSize + nameSize;
    const values = zip64Values(directory.subarray(start, start + extraSize), wide.length, name);
    for (const [i, field] of wide.entries()) entry[field] = values[i];
  }
  return { entry, next };
}

/** A zip archive opened for reading. Close it with `close()`. */
export class ZipFile {
  #file;
  #size;
  /** Entries by name, in the archive's order. */
  entries = new Map();

  /** Opens the archive and reads its directory; throws ZipError if the archive is invalid. */
  constructor(path) {
    this.#file = openSync(path, 'r');
    try {
      this.#size = fstatSync(this.#file).size;
      this.#readDirectory();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close() {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #bytes(offset, length) {
    if (offset < 0 || offset + length > this.#size) throw new ZipError('the archive is truncated');
    const buffer = Buffer.allocUnsafe(length);
    let done = 0;
    while (done < length) {
      const count = readSync(this.#file, buffer, done, length - done, offset + done);
      if (count === 0) throw new ZipError('the archive is truncated');
      done += count;
    }
    return buffer;
  }

  #findDirectory() {
    const tailSize = Math.min(this.#size, endSize + longestComment);
    const tail = this.#bytes(this.#size - tailSize, tailSize);
    let end = tail.length - endSize;
    // The comment's length must reach exactly to the end, or the signature is part of a comment.
    while (
      end >= 0 &&
      !(tail.readUInt32LE(end) === 0x06054b50 && tail.readUInt16LE(end + 20) === tail.length - end - 22)
    )
      end -= 1;
    if (end < 0) throw new ZipError('not a zip archive, or a truncated one (no end record)');
    const plain = {
      count: tail.readUInt16LE(end + 10),
      size: tail.readUInt32LE(end + 12),
      offset: tail.readUInt32LE(end + 16),
    };
    const at = this.#size - tailSize + end;
    if (plain.count !== 0xffff && plain.size !== 0xffffffff && plain.offset !== 0xffffffff) return { ...plain, at };
    const locator = this.#bytes(at - 20, 20);
    if (locator.readUInt32LE(0) !== 0x07064b50) return { ...plain, at };
    const record = this.#bytes(number64(locator, 8), 56);
    if (record.readUInt32LE(0) !== 0x06064b50) throw new ZipError('the zip64 end record is damaged');
    return { count: number64(record, 32), size: number64(record, 40), offset: number64(record, 48), at };
  }

  #readDirectory() {
    const { count, size, offset, at } = this.#findDirectory();
    if (size > largestDirectory) throw new ZipError(`a central directory of ${size} bytes is refused`);
    if (offset + size > at) throw new ZipError('the central directory lies outside the archive');
    if (count * centralSize > size) throw new ZipError(`the end record announces ${count} entries, which do not fit`);
    const directory = this.#bytes(offset, size);
    let position = 0;
    for (let i = 0; i < count; i += 1) {
      const { entry, next } = parseEntry(directory, position);
      if (this.entries.has(entry.name)) throw new ZipError(`entry ${JSON.stringify(entry.name)} appears twice`);
      if (entry.headerOffset + localSize + entry.compressedSize > offset)
        throw new ZipError(`entry ${JSON.stringify(entry.name)} lies outside the archive`);
      this.entries.set(entry.name, entry);
      position = next;
    }
  }

  #entry(name) {
    const entry = this.entries.get(name);
    if (!entry) throw new ZipError(`there is no ${JSON.stringify(name)} in the archive`);
    if (entry.method !== 0 && entry.method !== 8)
      throw new ZipError(
        `entry ${JSON.stringify(name)} uses compression method ${entry.method}; only 0 and 8 are supported`,
      );
    if (entry.method === 0 && entry.size !== entry.compressedSize)
      throw new ZipError(`entry ${JSON.stringify(name)} is stored but its two sizes differ`);
    return entry;
  }

  #dataOffset(entry) {
    const header = this.#bytes(entry.headerOffset, localSize);
    const nameSize = header.readUInt16LE(26);
    if (header.readUInt32LE(0) !== 0x04034b50) throw new ZipError(`the header of ${entry.name} is damaged`);
    if (this.#bytes(entry.headerOffset + localSize, nameSize).toString('utf8') !== entry.name)
      throw new ZipError(`entry ${JSON.stringify(entry.name)} has another name in its own header`);
    const offset = entry.headerOffset + localSize + nameSize + header.readUInt16LE(28);
    if (offset + entry.compressedSize > this.#size) throw new ZipError(`entry ${entry.name} lies outside the archive`);
    return offset;
  }

  async *#packed(entry) {
    let offset = this.#dataOffset(entry);
    let left = entry.compressedSize;
    while (left > 0) {
      const buffer = Buffer.allocUnsafe(Math.min(left, pieceSize));
      const { bytesRead } = await read(this.#file, buffer, 0, buffer.length, offset);
      if (bytesRead === 0) throw new ZipError('the archive is truncated');
      offset += bytesRead;
      left -= bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  /** The unpacked bytes of an entry, piece by piece; throws ZipError when they are not exactly `size` bytes. */
  async *stream(name) {
    const entry = this.#entry(name);
    let done = 0;
    for await (const piece of this.#unpacked(entry)) {
      done += piece.length;
      if (done > entry.size)
        throw new ZipError(`entry ${JSON.stringify(name)} unpacks to more than ${entry.size} bytes`);
      yield piece;
    }
    if (done !== entry.size)
      throw new ZipError(`entry ${JSON.stringify(name)} unpacks to ${done} bytes, not ${entry.size}`);
  }

  async *#unpacked(entry) {
    if (entry.method === 0) {
      yield* this.#packed(entry);
      return;
    }
    try {
      if (entry.size <= inOneGo && entry.compressedSize <= inOneGo) {
        const packed = this.#bytes(this.#dataOffset(entry), entry.compressedSize);
        yield await inflate(packed, { maxOutputLength: Math.max(entry.size, 1) });
      } else {
        const inflater = createInflateRaw({ chunkSize: pieceSize });
        // A failure of either side destroys the inflater with its reason, which the iteration throws.
        pipeline(Readable.from(this.#packed(entry)), inflater, () => {});
        yield* inflater;
      }
    } catch (error) {
      if (error instanceof ZipError) throw error;
      const reason =
        error.code === 'ERR_BUFFER_TOO_LARGE' ? `it unpacks to more than ${entry.size} bytes` : error.message;
      throw new ZipError(`entry ${JSON.stringify(entry.name)} cannot be unpacked: ${reason}`);
    }
  }

  /** A whole entry, at most `limit` bytes. */
  async bytes(name, limit = 16 * 2 ** 20) {
    const entry = this.#entry(name);
    if (entry.size > limit) throw new ZipError(`entry ${JSON.stringify(name)} is larger than ${limit} bytes`);
    const pieces = [];
    for await (const piece of this.stream(name)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /**
   * Passes an entry's bytes to `write` (awaited) and returns their sha256 in the form of wheels: base64url, no padding.
   */
  async digest(name, write) {
    const hash = createHash('sha256');
    for await (const piece of this.stream(name)) {
      hash.update(piece);
      await write(piece);
    }
    return hash.digest('base64url');
  }
}
