import { createReadStream } from 'node:fs';
import { zeros } from '../core/allocate.js';
import { checkChoice } from '../core/checks.js';
import { DataError, invalidArgument, RecurraError } from '../core/errors.js';
import { ioError } from '../core/ioError.js';
import { checkOptionNames } from '../core/options/names.js';
import { Random } from '../core/random.js';
import { Turns } from '../core/turns.js';
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

/**
 * What a word without a vector gets: zeros, normally distributed numbers of the same spread as those of the file (mean 0),
 * or what a function returns for it.
 */
export type UnknownVector = 'zero' | 'normal' | ((token: string, dim: number) => ArrayLike<number>);

/** Options of {@link Vectors.load}. */
export interface VectorsOptions {
  /** The words to keep; all others are passed over as the file is read. */
  vocab: Vocab;
  /** How the file is written. Default: found out from its beginning. */
  format?: VectorFormat | undefined;
  /** What a word without a vector gets. Default `'zero'`. The padding token is zero in any case. */
  unknown?: UnknownVector | undefined;
  /** Seed for `unknown: 'normal'`, a non-negative safe integer. Default 0. */
  seed?: number | undefined;
  /** How often each token of the vocabulary is in the texts, `[vocab.size]`, for `coverage.tokensCovered`. */
  counts?: ArrayLike<number> | undefined;
  /** Whether a word that is not UTF-8 is an error (the default) or left out; word2vec itself writes words cut off within a character. */
  invalidUtf8?: 'error' | 'skip' | undefined;
  /** Ends the work with an error of code `ABORTED`. */
  signal?: AbortSignal | undefined;
  /** Called every few milliseconds and at the end with the words read so far. */
  onProgress?: ((progress: { words: number }) => void) | undefined;
}

/** How much of a vocabulary a file has. */
export interface VectorCoverage {
  /** Words of the vocabulary that have a vector, specials apart. */
  found: number;
  /** Words of the vocabulary that have none, specials apart. */
  missing: number;
  /** Words that the file has. */
  fileWords: number;
  /** Share of the texts' tokens that have a vector, from 0 to 1, if `counts` were given. */
  tokensCovered: number | undefined;
}

/**
 * Pretrained word vectors for a vocabulary, read from a file of GloVe or word2vec (text or binary; fastText's `.vec` files
 * are word2vec text).
 *
 * @example
 * ```ts
 * const vectors = await Vectors.load('glove.6B.50d.txt', { vocab, unknown: 'normal' });
 * console.log(vectors.coverage); // { found: 31245, missing: 4012, ... }
 * const weight = tensor(vectors.matrix, { shape: [vocab.size, vectors.dim] });
 * ```
 */
export class Vectors {
  /** All vectors, row by row in order of the vocabulary's indices, `[vocab.size * dim]`. */
  readonly matrix: Float32Array<ArrayBuffer>;
  /** Numbers of each vector. */
  readonly dim: number;
  /** 1 for each token of the vocabulary whose vector is the file's, else 0; `[vocab.size]`. */
  readonly known: Uint8Array;
  /** How much of the vocabulary the file has. */
  readonly coverage: VectorCoverage;

  private constructor(matrix: Float32Array<ArrayBuffer>, dim: number, known: Uint8Array, coverage: VectorCoverage) {
    this.matrix = matrix;
    this.dim = dim;
    this.known = known;
    this.coverage = coverage;
  }

  /**
   * Reads the vectors of a vocabulary's words. The file is streamed: memory is taken for the vocabulary only, and the event
   * loop goes round while it is read. Of a word that the file has twice the first vector counts.
   *
   * @param file - Path of the file.
   * @param options - See {@link VectorsOptions}.
   * @throws {@link ArgumentError} for options that do not fit. {@link DataError} with the file and, in text files, the line:
   * `FILE_NOT_FOUND`, `IO`, `INVALID_ROW` (too few or too many numbers, something that is no number, a word that is not
   * UTF-8), `INVALID_FILE` (a number of words that is not the header's, a header that is not believed, no vectors at all).
   */
  static async load(file: string, options: VectorsOptions): Promise<Vectors> {
    checkVectorsOptions(file, options);
    const { vocab, format, unknown = 'zero', seed = 0, counts, invalidUtf8 = 'error', signal, onProgress } = options;
    const rows = new Rows(file, vocab, invalidUtf8 === 'skip');
    let reader: VectorReader | undefined;
    const turns = new Turns(signal, () => onProgress?.({ words: reader?.words ?? 0 }));
    let head: Buffer = Buffer.alloc(0);
    try {
      for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
        if (reader) {
          reader.add(chunk);
        } else {
          head = Buffer.concat([head, chunk]);
          if (head.length >= HEAD_BYTES) {
            reader = open(head, format, rows);
            reader.add(head);
          }
        }
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
    onProgress?.({ words: reader.words });

    const { dim } = reader;
    const matrix = rows.matrix ?? rows.allocate(dim);
    await turns.run(fillUnknown(matrix, dim, rows.known, vocab, unknown, new Random(seed)));
    return new Vectors(matrix, dim, rows.known, coverageOf(vocab, rows.known, reader.words, counts));
  }

  /**
   * The vector of a token, that of the unknown token where it is not in the vocabulary; a view, `[dim]`.
   *
   * @throws {@link ArgumentError} with code `OUT_OF_RANGE` if there is no row with this index.
   */
  row(index: number): Float32Array {
    if (!Number.isInteger(index) || index < 0 || index >= this.known.length) {
      throw invalidArgument('index', `an integer from 0 to ${this.known.length - 1}`, index, 'OUT_OF_RANGE');
    }
    return this.matrix.subarray(index * this.dim, (index + 1) * this.dim);
  }
}

/** Takes the vectors of a vocabulary's words. */
class Rows implements VectorSink {
  readonly known: Uint8Array;
  /** Made with the first vector that is kept: a header alone takes no memory. */
  matrix: Float32Array<ArrayBuffer> | undefined;

  constructor(
    readonly file: string,
    readonly vocab: Vocab,
    readonly skipInvalid: boolean,
  ) {
    this.known = new Uint8Array(vocab.size);
  }

  want(word: string): number {
    const index = this.vocab.stoi.get(word);
    if (index === undefined || index === this.vocab.padIndex || this.known[index] === 1) return -1;
    this.known[index] = 1;
    return index;
  }

  allocate(dim: number): Float32Array<ArrayBuffer> {
    return zeros(this.vocab.size * dim, `${dim} for each of ${this.vocab.size} words`);
  }

  target(place: number, dim: number): Float32Array {
    this.matrix ??= this.allocate(dim);
    return this.matrix.subarray(place * dim, (place + 1) * dim);
  }
}

function open(head: Buffer, format: VectorFormat | undefined, rows: Rows): VectorReader {
  const header = format === 'glove' ? undefined : readHeader(head, rows.file);
  const found = format ?? detectFormat(head, header);
  if (found === 'glove') return new TextVectorReader(rows, undefined);
  if (!header) {
    const message = 'expected a word2vec header: the number of words and of numbers of each, on a line of their own';
    throw new DataError('INVALID_FILE', message, { file: rows.file, line: 1 });
  }
  return found === 'word2vec-text' ? new TextVectorReader(rows, header) : new BinaryVectorReader(rows, header);
}

function* fillUnknown(
  matrix: Float32Array,
  dim: number,
  known: Uint8Array,
  vocab: Vocab,
  unknown: UnknownVector,
  random: Random,
): Generator<void, void, undefined> {
  if (unknown === 'zero') return;
  let squares = 0;
  let found = 0;
  for (let index = 0; index < known.length; index++) {
    if (known[index] === 0) continue;
    found++;
    for (let i = index * dim; i < (index + 1) * dim; i++) squares += matrix[i]! ** 2;
    if (found % 1024 === 0) yield;
  }
  const spread = squares > 0 ? Math.sqrt(squares / (found * dim)) : 1;
  for (let index = 0; index < known.length; index++) {
    if (known[index] === 1 || index === vocab.padIndex) continue;
    const row = matrix.subarray(index * dim, (index + 1) * dim);
    if (unknown === 'normal') {
      for (let i = 0; i < dim; i++) row[i] = spread * random.normal();
    } else {
      const given = unknown(vocab.lookupToken(index), dim);
      if (given?.length !== dim) throw invalidArgument('the result of unknown', `${dim} numbers`, given);
      row.set(given);
    }
    if (index % 256 === 0) yield;
  }
}

function coverageOf(
  vocab: Vocab,
  known: Uint8Array,
  fileWords: number,
  counts: ArrayLike<number> | undefined,
): VectorCoverage {
  const specials = new Set(vocab.specials);
  let found = 0;
  let missing = 0;
  let covered = 0;
  let all = 0;
  for (const [index, token] of vocab.itos.entries()) {
    const count = counts?.[index] ?? 0;
    all += count;
    if (known[index] === 1) covered += count;
    if (specials.has(token)) continue;
    if (known[index] === 1) found++;
    else missing++;
  }
  return { found, missing, fileWords, tokensCovered: counts && all > 0 ? covered / all : undefined };
}

function checkVectorsOptions(file: string, options: VectorsOptions): void {
  if (typeof file !== 'string') throw invalidArgument('file', 'the path of a file', file);
  if (options === null || typeof options !== 'object')
    throw invalidArgument('options', 'an object with vocab', options);
  checkOptionNames('Vectors.load', options, [
    'vocab',
    'format',
    'unknown',
    'seed',
    'counts',
    'invalidUtf8',
    'signal',
    'onProgress',
  ]);
  const { vocab, format, unknown, counts, invalidUtf8 } = options;
  if (!vocab?.stoi) throw invalidArgument('vocab', 'a Vocab', vocab);
  if (format !== undefined) checkChoice('format', format, ['glove', 'word2vec-text', 'word2vec-binary']);
  if (unknown !== undefined && typeof unknown !== 'function' && unknown !== 'zero' && unknown !== 'normal') {
    throw invalidArgument('unknown', "'zero', 'normal' or a function", unknown);
  }
  if (counts !== undefined && counts.length !== vocab.size) {
    throw invalidArgument('counts', `${vocab.size} numbers, one for each token`, counts);
  }
  if (invalidUtf8 !== undefined) checkChoice('invalidUtf8', invalidUtf8, ['error', 'skip']);
}
