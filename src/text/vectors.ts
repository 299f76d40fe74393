import { checkChoice } from '../core/checks.js';
import { invalidArgument } from '../core/errors.js';
import { checkOptionNames } from '../core/options/names.js';
import { Random } from '../core/random.js';
import { Turns } from '../core/turns.js';
import { VECTOR_FORMATS, type VectorFormat } from './vectorFormat.js';
import { readAll, VectorRows } from './vectorRows.js';
import { Vocab } from './vocab.js';

/**
 * The vector of a word without one: zeros, normally distributed numbers with the file's spread (mean 0), or the result
 * of a function.
 */
export type UnknownVector = 'zero' | 'normal' | ((token: string, dim: number) => ArrayLike<number>);

/** Options of {@link Vectors.load}. */
export interface VectorsOptions {
  /** The words to keep; all others are skipped. */
  vocab: Vocab;
  /** Format of the file. Default: detected from its beginning. */
  format?: VectorFormat | undefined;
  /** The vector of a word without one. Default `'zero'`. The padding token is always zero. */
  unknown?: UnknownVector | undefined;
  /** Seed for `unknown: 'normal'`, a non-negative safe integer. Default 0. */
  seed?: number | undefined;
  /** Number of occurrences of each vocabulary token in the texts, `[vocab.size]`, for `coverage.tokensCovered`. */
  counts?: ArrayLike<number> | undefined;
  /**
   * Whether a word that is not UTF-8 is an error (the default) or skipped; word2vec itself may truncate words within a
   * character.
   */
  invalidUtf8?: 'error' | 'skip' | undefined;
  /** Stops the work with an error of code `ABORTED`. */
  signal?: AbortSignal | undefined;
  /** Called every few milliseconds and at the end with the words read so far. */
  onProgress?: ((progress: { words: number }) => void) | undefined;
}

/** How much of a vocabulary a file has. */
export interface VectorCoverage {
  /** Vocabulary words with a vector, without specials. */
  found: number;
  /** Vocabulary words without a vector, without specials. */
  missing: number;
  /** How many of the found words are not in the file but composed of their subwords. Only for fastText's `.bin`. */
  composed?: number | undefined;
  /** Words in the file. */
  fileWords: number;
  /** Share of the texts' tokens that have a vector, from 0 to 1, if `counts` were given. */
  tokensCovered: number | undefined;
}

/**
 * Pretrained word vectors for a vocabulary, read from a file of GloVe, word2vec (text or binary; fastText's `.vec`
 * files are word2vec text) or fastText's `.bin`, supervised or not. From a `.bin`, each word gets the vector of
 * fastText's `get_word_vector`, even one that the file does not have: the mean of its subwords.
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
  /** Size of each vector. */
  readonly dim: number;
  /** 1 for each vocabulary token with a vector from the file, otherwise 0; `[vocab.size]`. */
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
   * Reads the vectors of a vocabulary's words. The file is streamed: memory is only allocated for the vocabulary, and
   * reading yields to the event loop. For a repeated word, the first vector counts.
   *
   * @param file - Path of the file.
   * @param options - See {@link VectorsOptions}.
   * @throws {@link ArgumentError} for invalid options. {@link DataError} with the file and, in text files, the line:
   * `FILE_NOT_FOUND`, `IO`, `INVALID_ROW` (too few or too many numbers, a value that is not a number, a word that is
   * not UTF-8), `INVALID_FILE` (a word count different from the header's, an implausible header, no vectors, a
   * quantized fastText model).
   */
  static async load(file: string, options: VectorsOptions): Promise<Vectors> {
    checkVectorsOptions(file, options);
    const { vocab, format, unknown = 'zero', seed = 0, counts, invalidUtf8 = 'error', signal, onProgress } = options;
    const rows = new VectorRows(file, vocab, invalidUtf8 === 'skip');
    let words = 0;
    const turns = new Turns(signal, () => onProgress?.({ words }));
    const { dim } = await readAll(file, format, rows, turns, (read) => {
      words = read;
    });
    onProgress?.({ words });
    const matrix = rows.matrixOf(dim);
    await turns.run(fillUnknown(matrix, dim, rows.known, vocab, unknown, new Random(seed)));
    return new Vectors(matrix, dim, rows.known, coverageOf(vocab, rows.known, words, counts, rows.composed));
  }

  /**
   * Like {@link load}, and adds words that the vocabulary does not have, in the order of the file.
   *
   * @param most - Maximum words to add.
   * @param accepts - Whether to add a word; not if no text can contain it.
   * @returns the vectors and their vocabulary: the given one followed by the added words.
   * @throws as {@link load} does.
   * @internal
   */
  static async loadMore(
    file: string,
    vocab: Vocab,
    { most, accepts, signal }: { most: number; accepts: (word: string) => boolean; signal?: AbortSignal | undefined },
  ): Promise<{ vectors: Vectors; vocab: Vocab }> {
    const turns = new Turns(signal);
    const rows = new VectorRows(file, vocab, false, { most, accepts });
    let words = 0;
    const { dim } = await readAll(file, undefined, rows, turns, (read) => {
      words = read;
    });
    const coverage = coverageOf(vocab, rows.known, words, undefined, rows.composed);
    const known = new Uint8Array(vocab.size + rows.more.length).fill(1);
    known.set(rows.known);
    const matrix = rows.matrixOf(dim);
    const extended = await turns.run(Vocab.extended(vocab, rows.more));
    return { vectors: new Vectors(matrix, dim, known, coverage), vocab: extended };
  }

  /**
   * Vectors that are already in memory.
   *
   * @param known - The words that have one, by index.
   * @internal
   */
  static of(matrix: Float32Array<ArrayBuffer>, dim: number, known: Uint8Array, vocab: Vocab): Vectors {
    return new Vectors(matrix, dim, known, coverageOf(vocab, known, vocab.size, undefined));
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
  composed = 0,
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
  const tokensCovered = counts && all > 0 ? covered / all : undefined;
  return { found, missing, fileWords, tokensCovered, ...(composed > 0 && { composed }) };
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
  if (format !== undefined) checkChoice('format', format, VECTOR_FORMATS);
  if (unknown !== undefined && typeof unknown !== 'function' && unknown !== 'zero' && unknown !== 'normal') {
    throw invalidArgument('unknown', "'zero', 'normal' or a function", unknown);
  }
  if (counts !== undefined && counts.length !== vocab.size) {
    throw invalidArgument('counts', `${vocab.size} numbers, one for each token`, counts);
  }
  if (invalidUtf8 !== undefined) checkChoice('invalidUtf8', invalidUtf8, ['error', 'skip']);
}
