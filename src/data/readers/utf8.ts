import { isUtf8 } from 'node:buffer';

/**
 * Looks for bytes that are not UTF-8 in a stream that comes in chunks.
 *
 * @internal
 */
export class Utf8Check {
  /** The unfinished character at the end of the last chunk. */
  #held: Uint8Array = new Uint8Array(0);
  #length = 0;

  /** Takes the next chunk and returns where in the stream the first wrong byte is, or -1 if there is none so far. */
  add(chunk: Uint8Array): number {
    const whole = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    const start = this.#length - this.#held.length;
    this.#length += chunk.length;
    const end = whole.length - unfinishedLength(whole);
    if (!isUtf8(whole.subarray(0, end))) return start + firstInvalid(whole.subarray(0, end));
    this.#held = Uint8Array.prototype.slice.call(whole, end);
    return -1;
  }

  /** Where the stream ends within a character, the place of that character, else -1. */
  get unfinished(): number {
    return this.#held.length > 0 ? this.#length - this.#held.length : -1;
  }
}

/** Number of bytes at the end that begin a character of more bytes. */
function unfinishedLength(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? back : 0;
  }
  return 0;
}

/** Place of the first character that is not well-formed, found by halving. */
function firstInvalid(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    const part = bytes.subarray(0, middle);
    if (isUtf8(part.subarray(0, middle - unfinishedLength(part)))) good = middle;
    else bad = middle;
  }
  // `bytes` up to `good` is well-formed but for a beginning of a character, which then is the wrong one.
  return good - unfinishedLength(bytes.subarray(0, good));
}
