import { createReadStream } from 'node:fs';
import { zeros } from '../core/allocate.js';
import { DataError, RecurraError } from '../core/errors.js';
import { ioError } from '../core/ioError.js';
import type { Turns } from '../core/turns.js';
import { isFastText } from './fastText/header.js';
import { readFastText } from './fastText/read.js';
import { BinaryVectorReader } from './vectorBinary.js';
import {
  detectFormat,
  HEAD_BYTES,
  readHeader,
  type VectorFormat,
  type VectorReader,
  type VectorSink,
} from './vectorFormat.js';
import { TextVectorReader } from './vectorText.js';
import type { Vocab } from './vocab.js';

/** Collects the vectors of a vocabulary's words, and of some additional words. */
export class VectorRows implements VectorSink {
  /** 1 for each token of the vocabulary that has a vector. */
  readonly known: Uint8Array;
  /** The additional words, in the order of the file. */
  readonly more: string[] = [];
  /** How many of {@link known} are composed of subword vectors. */
  composed = 0;
  readonly #taken = new Set<string>();
  /** Allocated with the first kept vector: a header alone allocates nothing. */
  #matrix: Float32Array<ArrayBuffer> | undefined;

  constructor(
    readonly file: string,
    readonly vocab: Vocab,
    readonly skipInvalid: boolean,
    readonly beyond: { most: number; accepts: (word: string) => boolean } = { most: 0, accepts: () => false },
  ) {
    this.known = new Uint8Array(vocab.size);
  }

  want(word: string): number {
    const index = this.vocab.stoi.get(word);
    if (index === undefined) return this.#wantMore(word);
    if (index === this.vocab.padIndex || this.known[index] === 1) return -1;
    this.known[index] = 1;
    return index;
  }

  #wantMore(word: string): number {
    const { most, accepts } = this.beyond;
    if (this.more.length >= most || this.#taken.has(word) || !accepts(word)) return -1;
    this.#taken.add(word);
    this.more.push(word);
    return this.vocab.size + this.more.length - 1;
  }

  target(place: number, dim: number): Float32Array {
    const end = (place + 1) * dim;
    if (!this.#matrix || this.#matrix.length < end) {
      const before = this.#matrix;
      // Additional words come one by one: grow by half each time.
      const words = Math.max(this.vocab.size, Math.ceil(1.5 * (place + 1)));
      this.#matrix = zeros(words * dim, `${dim} for each of ${words} words`);
      if (before) this.#matrix.set(before);
    }
    return this.#matrix.subarray(place * dim, end);
  }

  *missing(): Generator<{ word: string; compose: () => number }, void, undefined> {
    const specials = new Set(this.vocab.specials);
    for (const [index, word] of this.vocab.itos.entries()) {
      if (this.known[index] === 1 || specials.has(word)) continue;
      const compose = () => {
        this.known[index] = 1;
        this.composed++;
        return index;
      };
      yield { word, compose };
    }
  }

  /** The vectors of all words, including additional ones. */
  matrixOf(dim: number): Float32Array<ArrayBuffer> {
    const size = this.vocab.size + this.more.length;
    return (this.#matrix ?? zeros(size * dim, `${dim} for each of ${size} words`)).subarray(0, size * dim);
  }
}

/**
 * Reads a file of vectors to its end.
 *
 * @param count - Receives the number of words read so far.
 * @returns the numbers of each vector.
 */
export async function readAll(
  file: string,
  format: VectorFormat | undefined,
  rows: VectorRows,
  turns: Turns,
  count: (words: number) => void,
): Promise<{ dim: number }> {
  if (format === 'fasttext-binary') return readFastText(file, rows, turns, count);
  let reader: VectorReader | undefined;
  let head: Buffer = Buffer.alloc(0);
  try {
    for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
      if (reader) {
        reader.add(chunk);
      } else {
        head = Buffer.concat([head, chunk]);
        if (format === undefined && isFastText(head)) return await readFastText(file, rows, turns, count);
        if (head.length >= HEAD_BYTES) {
          reader = open(head, format, rows);
          reader.add(head);
        }
      }
      count(reader?.words ?? 0);
      if (turns.due) await turns.next();
    }
  } catch (error) {
    throw error instanceof RecurraError ? error : ioError(error as Error, file);
  }
  if (!reader) {
    reader = open(head, format, rows);
    reader.add(head);
  }
  reader.end();
  count(reader.words);
  return { dim: reader.dim };
}

/** Makes the reader for a file with this beginning. */
function open(
  head: Buffer,
  format: Exclude<VectorFormat, 'fasttext-binary'> | undefined,
  rows: VectorRows,
): VectorReader {
  const header = format === 'glove' ? undefined : readHeader(head, rows.file);
  const found = format ?? detectFormat(head, header);
  if (found === 'glove') return new TextVectorReader(rows, undefined);
  if (!header) {
    const message = 'expected a word2vec header: the number of words and of numbers of each, on a separate line';
    throw new DataError('INVALID_FILE', message, { file: rows.file, line: 1 });
  }
  return found === 'word2vec-text' ? new TextVectorReader(rows, header) : new BinaryVectorReader(rows, header);
}
