import type { light as lightNamespace } from '../../../index.d.js';
import { checkFilled, checkInteger } from '../../core/checks.js';
import { invalidArgument } from '../../core/errors.js';
import { Turns } from '../../core/turns.js';
import { type Neighbour, nearestWords } from '../nearest.js';
import { writeVectors } from '../vectorWriter.js';

/** Words taken from the addon per call: less than a millisecond. */
const WORDS_PER_CALL = 2_048;

/** Words and their vectors, learned by {@link learnVectors}. */
export class LearnedVectors {
  /** The words, the most frequent first, ties by code point. */
  readonly words: readonly string[];
  /** Number of occurrences of each word in the texts, `[words]`. */
  readonly counts: Float64Array;
  /** Size of a vector. */
  readonly dim: number;
  /**
   * The vectors of the words, row by row, `[words * dim]`; with subwords, the mean of the word's own vector and those
   * of its subwords.
   */
  readonly matrix: Float32Array;
  readonly #indices: ReadonlyMap<string, number>;
  /** The native side with the subwords, if any. */
  readonly #subwords: lightNamespace.NativeWordVectors | undefined;

  private constructor(
    words: readonly string[],
    indices: ReadonlyMap<string, number>,
    native: lightNamespace.NativeWordVectors,
    dim: number,
    subwords: boolean,
  ) {
    this.words = words;
    this.#indices = indices;
    this.dim = dim;
    this.counts = native.counts();
    this.matrix = native.takeMatrix();
    this.#subwords = subwords ? native : undefined;
    if (!subwords) native.close();
  }

  /**
   * Takes what the addon learned.
   *
   * @internal
   */
  static async of(native: lightNamespace.NativeWordVectors, dim: number, subwords: boolean): Promise<LearnedVectors> {
    const turns = new Turns();
    const words: string[] = [];
    const indices = new Map<string, number>();
    while (words.length < native.size) {
      for (const word of native.words(words.length, words.length + WORDS_PER_CALL)) {
        indices.set(word, words.length);
        words.push(word);
      }
      if (turns.due) await turns.next();
    }
    return new LearnedVectors(words, indices, native, dim, subwords);
  }

  /**
   * The vector of a word, `[dim]`: a view of {@link matrix}. An unknown word gets the mean of its subwords' vectors;
   * undefined without subwords.
   */
  vector(word: string): Float32Array | undefined {
    if (typeof word !== 'string') throw invalidArgument('word', 'a string', word);
    const index = this.#indices.get(word);
    if (index === undefined) return this.#subwords?.unknown(word) ?? undefined;
    return this.matrix.subarray(index * this.dim, (index + 1) * this.dim);
  }

  /**
   * The learned words whose vectors are most similar to that of a word, without the word itself, the most similar
   * first.
   *
   * @param word - A word that {@link vector} has a vector for.
   * @param k - Number of words, at least 1; default 10.
   * @throws {@link ArgumentError} for a word without a vector.
   */
  async nearest(word: string, k = 10): Promise<Neighbour[]> {
    checkInteger('k', k, 1);
    const query = this.vector(word);
    if (!query) throw invalidArgument('word', 'a word that has a vector', word);
    return new Turns().run(nearestWords(this, query, k, (candidate) => candidate === word));
  }

  /**
   * Writes the words and their vectors as word2vec text (fastText's `.vec`), which `embeddings` of a classifier and
   * {@link Vectors.load} read. The numbers are those of {@link matrix} exactly. The file is written atomically. Words
   * that contain blanks or line breaks, which the format cannot store, are skipped; subwords are not stored.
   *
   * @throws {@link DataError} `IO` if it cannot be written.
   */
  async save(file: string): Promise<void> {
    checkFilled('file', file, 'the path of a file');
    await writeVectors(file, this, new Turns());
  }
}
