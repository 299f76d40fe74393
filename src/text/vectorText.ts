import { isUtf8 } from 'node:buffer';
import { DataError, type ErrorCode } from '../core/errors.js';
import type { VectorHeader, VectorReader, VectorSink } from './vectorFormat.js';

const LF = 10;
const CR = 13;
const BLANK = 32;
const TAB = 9;

/** Maximum length of a line. The longest real ones have a thousand numbers of a dozen characters. */
const MAX_LINE = 2 ** 20;

/**
 * Reads word vectors written as text, a word and its numbers on each line, with word2vec's header or without (GloVe).
 *
 * Words may contain spaces, as in GloVe's 840B file: the numbers are counted from the line's end.
 */
export class TextVectorReader implements VectorReader {
  dim: number;
  words = 0;
  readonly #sink: VectorSink;
  readonly #header: VectorHeader | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #line = 1;
  #skip: number;

  constructor(sink: VectorSink, header: VectorHeader | undefined) {
    this.#sink = sink;
    this.#header = header;
    this.dim = header?.dim ?? 0;
    this.#skip = header ? 1 : 0;
  }

  add(chunk: Buffer): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let from = 0;
    for (let to = bytes.indexOf(LF); to >= 0; to = bytes.indexOf(LF, from)) {
      this.#take(bytes.subarray(from, to));
      from = to + 1;
    }
    if (bytes.length - from > MAX_LINE)
      throw this.#error(`the line is longer than ${MAX_LINE} bytes: not a text file?`);
    this.#rest = Buffer.from(bytes.subarray(from));
  }

  end(): void {
    if (this.#rest.length > 0) this.#take(this.#rest);
    this.#rest = Buffer.alloc(0);
    const expected = this.#header?.count;
    if (expected !== undefined && this.words !== expected) {
      throw this.#error(`the header gives ${expected} words but the file has ${this.words}`, 'INVALID_FILE');
    }
    if (this.words === 0) throw this.#error('the file has no vectors', 'INVALID_FILE');
  }

  #take(line: Buffer): void {
    if (this.#skip > 0) this.#skip--;
    else this.#parse(line);
    this.#line++;
  }

  #parse(line: Buffer): void {
    let end = line.length;
    while (end > 0 && (isBlank(line[end - 1]!) || line[end - 1] === CR)) end--;
    if (end === 0) return;
    if (this.dim === 0) {
      this.dim = countBlanks(line.subarray(0, end));
      if (this.dim === 0) throw this.#error('expected a word and its numbers, with blanks between');
    }
    let wordEnd = end;
    let fields = 0;
    while (fields < this.dim && wordEnd > 0) if (isBlank(line[--wordEnd]!)) fields++;
    const numbersStart = wordEnd + 1;
    while (wordEnd > 0 && isBlank(line[wordEnd - 1]!)) wordEnd--;
    if (wordEnd === 0) {
      throw this.#error(
        `expected a word and ${this.dim} numbers but found ${countBlanks(line.subarray(0, end)) + 1} fields`,
      );
    }
    this.words++;
    const wordBytes = line.subarray(0, wordEnd);
    if (!isUtf8(wordBytes)) {
      if (this.#sink.skipInvalid) return;
      throw this.#error("the word is not UTF-8 (pass invalidUtf8: 'skip' to leave such words out)");
    }
    const word = wordBytes.toString();
    const lastPart = word.slice(word.lastIndexOf(' ') + 1);
    if (lastPart.length < word.length && /^[+-]?\d+\.\d+(e[+-]?\d+)?$/i.test(lastPart)) {
      throw this.#error(`expected a word and ${this.dim} numbers but found more numbers`);
    }
    const place = this.#sink.want(word);
    if (place < 0) return;
    const target = this.#sink.target(place, this.dim);
    const numbers = line.toString('latin1', numbersStart, end).split(/[ \t]/);
    for (let i = 0; i < this.dim; i++) {
      // As float32, which cannot represent a number such as 1e39.
      const value = numbers[i] === '' ? Number.NaN : Math.fround(Number(numbers[i]));
      if (!Number.isFinite(value)) {
        throw this.#error(`expected a number but found ${JSON.stringify(numbers[i])}`, 'INVALID_ROW', i + 2);
      }
      target[i] = value;
    }
  }

  #error(message: string, code: ErrorCode = 'INVALID_ROW', column?: number): DataError {
    return new DataError(code, message, { file: this.#sink.file, line: this.#line, column });
  }
}

function isBlank(byte: number): boolean {
  return byte === BLANK || byte === TAB;
}

function countBlanks(line: Buffer): number {
  let blanks = 0;
  for (let i = 0; i < line.length; i++) if (isBlank(line[i]!)) blanks++;
  return blanks;
}
