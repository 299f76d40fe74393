import { constraint, DataError } from '../core/errors.js';
import type { Engine } from '../engine/engine.js';
import { Vectors } from '../text/vectors.js';
import type { Vocab } from '../text/vocab.js';
import type { CommonSettings } from './task.js';

/** Numbers that go to the engine in one call: copying them takes well below a millisecond. */
const NUMBERS_PER_CALL = 2 ** 18;

/**
 * Reads the pretrained vectors that a training begins with.
 *
 * @throws DataError if the file cannot be read, is no file of vectors, or has none of the words.
 * @throws ArgumentError if the vectors have another size than `embeddingDim` says.
 */
export async function loadEmbeddings(
  { file, dim }: NonNullable<CommonSettings['embeddings']>,
  vocab: Vocab,
  signal: AbortSignal | undefined,
): Promise<Vectors> {
  const vectors = await Vectors.load(file, { vocab, signal });
  if (dim !== undefined && dim !== vectors.dim) {
    throw constraint(
      'embeddingDim',
      `embeddingDim is ${dim}, but the vectors in ${file} have ${vectors.dim} values; leave embeddingDim out`,
    );
  }
  if (vectors.coverage.found === 0) {
    const message = `it has a vector for none of the ${vocab.length} words of the training rows; is it of another language?`;
    throw new DataError('INVALID_FILE', message, { file });
  }
  return vectors;
}

/** Gives the words that have a pretrained vector that one; the others keep what they were drawn. */
export async function setEmbeddings(engine: Engine, { matrix, known, dim }: Vectors): Promise<void> {
  const words = Int32Array.from(known.keys()).filter((word) => known[word] === 1);
  const step = Math.max(1, Math.floor(NUMBERS_PER_CALL / dim));
  for (let at = 0; at < words.length; at += step) {
    const part = words.subarray(at, at + step);
    const rows = new Float32Array(part.length * dim);
    part.forEach((word, row) => {
      rows.set(matrix.subarray(word * dim, (word + 1) * dim), row * dim);
    });
    await engine.setWordVectors(part, rows);
  }
}
