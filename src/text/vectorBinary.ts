import { isUtf8 } from 'node:buffer';
import { DataError } from '../core/errors.js';
import type { VectorHeader, VectorReader, VectorSink } from './vectorFormat.js';

const BLANK = 32;
const LF = 10;

/** Maximum length of a word; a longer one means that the header is wrong. */
const MAX_WORD = 65536;

/**
 * Reads word2vec's binary form: after the header, for each word its bytes, a space, and `dim` little-endian float32
 * values, with or without a line end after them.
 */
export class BinaryVectorReader implements VectorReader {
  readonly dim: number;
  words = 0;
  readonly #sink: VectorSink;
  readonly #header: VectorHeader;
  #rest: Buffer = Buffer.alloc(0);
  #skip: number;

  constructor(sink: VectorSink, header: VectorHeader) {
    this.#sink = sink;
    this.#header = header;
    this.dim = header.dim;
    this.#skip = header.bytes;
  }

  add(chunk: Buffer): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    const skipped = Math.min(this.#skip, bytes.length);
    this.#skip -= skipped;
    let from = skipped;
    while (this.words < this.#header.count) {
      let start = from;
      while (bytes[start] === LF) start++;
      const wordEnd = bytes.indexOf(BLANK, start);
      if ((wordEnd < 0 ? bytes.length : wordEnd) - start > MAX_WORD)
        throw this.#error('has no end: not a word2vec file?');
      const end = wordEnd + 1 + 4 * this.dim;
      if (wordEnd < 0 || end > bytes.length) break;
      this.#take(bytes, start, wordEnd);
      this.words++;
      from = end;
    }
    if (this.words === this.#header.count && bytes.subarray(from).some((byte) => byte !== LF)) {
      const message = `the header gives ${this.words} words but the file continues after them`;
      throw new DataError('INVALID_FILE', message, { file: this.#sink.file });
    }
    this.#rest = Buffer.from(bytes.subarray(from));
  }

  end(): void {
    if (this.words === this.#header.count) return;
    const message = `the header gives ${this.#header.count} words but the file ends after ${this.words}`;
    throw new DataError('INVALID_FILE', message, { file: this.#sink.file });
  }

  #take(bytes: Buffer, start: number, wordEnd: number): void {
    const word = bytes.subarray(start, wordEnd);
    if (!isUtf8(word)) {
      if (this.#sink.skipInvalid) return;
      throw this.#error("is not UTF-8 (pass invalidUtf8: 'skip' to leave such words out)");
    }
    const place = this.#sink.want(word.toString());
    if (place < 0) return;
    const target = this.#sink.target(place, this.dim);
    for (let i = 0; i < this.dim; i++) {
      const value = bytes.readFloatLE(wordEnd + 1 + 4 * i);
      if (!Number.isFinite(value)) throw this.#error(`has ${value} as number ${i + 1}`);
      target[i] = value;
    }
  }

  #error(what: string): DataError {
    return new DataError('INVALID_ROW', `word ${this.words + 1} ${what}`, { file: this.#sink.file });
  }
}
