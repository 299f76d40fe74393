import { isUtf8 } from 'node:buffer';

/**
 * Finds bytes that are not UTF-8 in a stream of chunks.
 *
 * @internal
 */
export class Utf8Check {
  /** The unfinished character at the end of the last chunk. */
  #held: Uint8Array = new Uint8Array(0);
  #length = 0;

  /** Takes the next chunk and returns the stream position of the first invalid byte, or -1 if there is none so far. */
  add(chunk: Uint8Array): number {
    const whole = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    const start = this.#length - this.#held.length;
    this.#length += chunk.length;
    const end = whole.length - unfinishedLength(whole);
    if (!isUtf8(whole.subarray(0, end))) return start + firstInvalid(whole.subarray(0, end));
    this.#held = Uint8Array.prototype.slice.call(whole, end);
    return -1;
  }

  /** The position of a character that the stream ends within, or -1. */
  get unfinished(): number {
    return this.#held.length > 0 ? this.#length - this.#held.length : -1;
  }
}

/** Number of trailing bytes that start an incomplete character. */
function unfinishedLength(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? back : 0;
  }
  return 0;
}

/** Position of the first invalid character, found by bisection. */
function firstInvalid(bytes: Uint8Array): number {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    const part = bytes.subarray(0, middle);
    if (isUtf8(part.subarray(0, middle - unfinishedLength(part)))) good = middle;
    else bad = middle;
  }
  // `bytes` up to `good` is well-formed except for an incomplete character, which is then the invalid one.
  return good - unfinishedLength(bytes.subarray(0, good));
}
