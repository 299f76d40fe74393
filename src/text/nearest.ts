import { keepLargest } from '../core/largest.js';

/** A word near another one. */
export interface Neighbour {
  /** The word. */
  word: string;
  /** Cosine of the angle between the two vectors, from -1 to 1. */
  similarity: number;
}

/** Words with a vector each, row by row. */
export interface WordRows {
  words: readonly string[];
  /** `[words * dim]` */
  matrix: Float32Array;
  dim: number;
}

/**
 * The words whose vectors are most similar to a vector, the most similar first. Pauses often.
 *
 * @param query - `[dim]`
 * @param k - Maximum number of words.
 * @param skip - Whether to skip a word. Words with a zero or non-finite vector are always skipped.
 */
export function* nearestWords(
  { words, matrix, dim }: WordRows,
  query: Float32Array,
  k: number,
  skip: (word: string, index: number) => boolean,
): Generator<void, Neighbour[], undefined> {
  const best: Neighbour[] = [];
  const length = norm(query, 0, dim);
  for (const [index, candidate] of words.entries()) {
    if (index % 1024 === 1023) yield;
    const from = index * dim;
    const divisor = length * norm(matrix, from, dim);
    if (divisor === 0 || skip(candidate, index)) continue;
    let product = 0;
    for (let i = 0; i < dim; i++) product += query[i]! * matrix[from + i]!;
    const similarity = product / divisor;
    if (Number.isNaN(similarity)) continue;
    keepLargest(best, k, similarity, similarityOf, () => ({ word: candidate, similarity }));
  }
  return best;
}

const similarityOf = ({ similarity }: Neighbour) => similarity;

/** The square root of the sum of squares. */
function norm(values: Float32Array, from: number, length: number): number {
  let squares = 0;
  for (let i = from; i < from + length; i++) squares += values[i]! ** 2;
  return Math.sqrt(squares);
}
