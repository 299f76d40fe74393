const CR = 13;
const LF = 10;

/**
 * Finds the line of a byte in a stream without keeping the stream: it remembers the line ends between the last position
 * asked for and the newest chunk. `\n`, `\r\n` and `\r` each end a line.
 *
 * @internal
 */
export class LinePositions {
  #ends: number[] = [];
  #next = 0;
  #line = 1;
  #lineStart = 0;
  #length = 0;
  #afterCR = false;

  /** Takes the next bytes of the stream. */
  add(chunk: Uint8Array): void {
    if (this.#next > 4096) {
      this.#ends = this.#ends.slice(this.#next);
      this.#next = 0;
    }
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (byte === LF && this.#afterCR) {
        // The line already ended at the \r; the next one begins after the \n.
        if (this.#next < this.#ends.length) this.#ends[this.#ends.length - 1] = this.#length + i + 1;
        else this.#lineStart = this.#length + i + 1;
      } else if (byte === LF || byte === CR) {
        this.#ends.push(this.#length + i + 1);
      }
      this.#afterCR = byte === CR;
    }
    this.#length += chunk.length;
  }

  /** Number of bytes taken. */
  get length(): number {
    return this.#length;
  }

  /** Line, from 1, of the byte at an offset; offsets must not fall. */
  lineAt(offset: number): number {
    while (this.#next < this.#ends.length && this.#ends[this.#next]! <= offset) {
      this.#lineStart = this.#ends[this.#next]!;
      this.#next++;
      this.#line++;
    }
    return this.#line;
  }

  /** Position of the byte in its line, from 1. */
  columnAt(offset: number): number {
    this.lineAt(offset);
    return offset - this.#lineStart + 1;
  }
}
