import { DataError } from '../core/errors.js';

/** How a file of word vectors is written. */
export type VectorFormat = 'glove' | 'word2vec-text' | 'word2vec-binary' | 'fasttext-binary';

/** All formats. */
export const VECTOR_FORMATS = [
  'glove',
  'word2vec-text',
  'word2vec-binary',
  'fasttext-binary',
] as const satisfies readonly VectorFormat[];

/** The header of a word2vec file. */
export interface VectorHeader {
  /** Number of words. */
  count: number;
  /** Size of each vector. */
  dim: number;
  /** Bytes of the header, including its line end. */
  bytes: number;
}

/** Receives the vectors of a file as they are read. */
export interface VectorSink {
  /** Path of the file, for messages. */
  readonly file: string;
  /** Whether a word that is not UTF-8 is skipped instead of being an error. */
  readonly skipInvalid: boolean;
  /** Index of a wanted word, or -1. A word is wanted once. */
  want(word: string): number;
  /** The target for that word's numbers, initially zeros. */
  target(place: number, dim: number): Float32Array;
  /**
   * The wanted words that were not found, for a file with subword vectors. `compose` marks a word as composed of
   * subwords and returns its index.
   */
  missing(): Iterable<{ word: string; compose: () => number }>;
}

/** Reads a file chunk by chunk. */
export interface VectorReader {
  /** Takes the next bytes. */
  add(chunk: Buffer): void;
  /** Ends the file. */
  end(): void;
  /** Size of a vector, 0 until known. */
  readonly dim: number;
  /** Words read so far. */
  readonly words: number;
}

/** Bytes at the beginning of a file that {@link detectFormat} examines. */
export const HEAD_BYTES = 8192;

/** Maximum plausible size of a vector; a header with a larger one is refused. */
export const MAX_DIM = 16384;

/**
 * Reads the header of a word2vec file: two positive integers on a separate line. Returns undefined if there is none.
 */
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
 * Detects the format from the beginning of a file: with a header it is word2vec's, and binary if control characters
 * follow, which text never has and float32 numbers soon have.
 */
export function detectFormat(head: Buffer, header: VectorHeader | undefined): VectorFormat {
  if (!header) return 'glove';
  const isControl = (byte: number) => byte < 9 || (byte > 13 && byte < 32);
  return head.subarray(header.bytes, HEAD_BYTES).some(isControl) ? 'word2vec-binary' : 'word2vec-text';
}
