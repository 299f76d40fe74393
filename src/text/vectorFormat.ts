import { DataError } from '../core/errors.js';

/** How a file of word vectors is written. */
export type VectorFormat = 'glove' | 'word2vec-text' | 'word2vec-binary' | 'fasttext-binary';

/** All forms. */
export const VECTOR_FORMATS = [
  'glove',
  'word2vec-text',
  'word2vec-binary',
  'fasttext-binary',
] as const satisfies readonly VectorFormat[];

/** What the beginning of a word2vec file says of it. */
export interface VectorHeader {
  /** Number of words. */
  count: number;
  /** Numbers of each. */
  dim: number;
  /** Bytes of the header, its line end included. */
  bytes: number;
}

/** Receives the vectors of a file as they are read. */
export interface VectorSink {
  /** Path of the file, for messages. */
  readonly file: string;
  /** Whether a word that is not UTF-8 is passed over instead of being an error. */
  readonly skipInvalid: boolean;
  /** Place of a word that is wanted, or -1. A word is wanted once. */
  want(word: string): number;
  /** Where the numbers of that word go, zeros at first. */
  target(place: number, dim: number): Float32Array;
  /**
   * The words that are wanted and were not met, for a file that has vectors of the parts of words. `compose` says that a word gets one by
   * them, and gives its place.
   */
  missing(): Iterable<{ word: string; compose: () => number }>;
}

/** Reads a file chunk by chunk. */
export interface VectorReader {
  /** Takes the next bytes. */
  add(chunk: Buffer): void;
  /** Says that there are no more. */
  end(): void;
  /** Numbers of each vector, 0 as long as it is not known. */
  readonly dim: number;
  /** Words read so far. */
  readonly words: number;
}

/** Bytes from the beginning of a file that {@link detectFormat} looks at. */
export const HEAD_BYTES = 8192;

/** More numbers than any vectors have; a larger count in a header is not believed. */
export const MAX_DIM = 16384;

/** Reads the header of a word2vec file: two positive integers on a line of their own. Returns undefined if there is none. */
export function readHeader(head: Buffer, file: string): VectorHeader | undefined {
  const match = /^(\d{1,12})[ \t]+(\d{1,12})[ \t]*\r?\n/.exec(head.toString('latin1', 0, 64));
  if (!match) return undefined;
  const [line, count, dim] = [match[0], Number(match[1]), Number(match[2])];
  if (count < 1 || dim < 1 || dim > MAX_DIM) {
    const message = `the header gives ${count} words of ${dim} numbers; expected at least 1 word and 1 to ${MAX_DIM} numbers`;
    throw new DataError('INVALID_FILE', message, { file, line: 1 });
  }
  return { count, dim, bytes: line.length };
}

/**
 * Tells the format from the beginning of a file: with a header it is word2vec's, and binary if control characters follow,
 * which text has not and float32 numbers have soon.
 */
export function detectFormat(head: Buffer, header: VectorHeader | undefined): VectorFormat {
  if (!header) return 'glove';
  const isControl = (byte: number) => byte < 9 || (byte > 13 && byte < 32);
  return head.subarray(header.bytes, HEAD_BYTES).some(isControl) ? 'word2vec-binary' : 'word2vec-text';
}
