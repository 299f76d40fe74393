import { constraint, DataError } from '../core/errors.js';
import { Turns } from '../core/turns.js';
import type { Engine } from '../engine/engine.js';
import type { TextSettings } from '../text/options.js';
import { Vectors } from '../text/vectors.js';
import type { Vocab } from '../text/vocab.js';
import { wordTest } from '../text/wordTest.js';
import { type FirstVectors, type FirstWords, roomFor } from './firstWords.js';
import type { CommonSettings } from './task.js';

/** Numbers per call of the engine: copying them takes well below a millisecond. */
const NUMBERS_PER_CALL = 2 ** 18;

type Embeddings = NonNullable<CommonSettings['embeddings']>;

/**
 * The words of a file of pretrained vectors, in the order of the file, usually by frequency. Words that the tokenizer
 * never produces are skipped.
 */
export function wordsOfFile(embeddings: Embeddings, signal: AbortSignal | undefined): FirstWords {
  const { file, words = 0 } = embeddings;
  let loaded: Vectors | undefined;
  return {
    given: 'file',
    learns: false,
    async extend(vocab, text) {
      const most = roomFor(words, vocab, text);
      if (most === 0) return vocab;
      const more = await loadMore(embeddings, vocab, most, text, signal);
      loaded = more.vectors;
      return more.vocab;
    },
    async vectors(vocab) {
      loaded ??= checked(embeddings, vocab, await Vectors.load(file, { vocab, signal }));
      return loaded;
    },
  };
}

async function loadMore(
  embeddings: Embeddings,
  vocab: Vocab,
  most: number,
  { tokenizer }: TextSettings,
  signal: AbortSignal | undefined,
) {
  const accepts = await wordTest(tokenizer, new Turns(signal));
  const more = await Vectors.loadMore(embeddings.file, vocab, { most, accepts, signal });
  checked(embeddings, vocab, more.vectors);
  return more;
}

/**
 * Refuses vectors that do not match.
 *
 * @throws {@link DataError} if the file has none of the rows' words; ArgumentError for a size other than `embeddingDim`.
 */
function checked({ file, dim }: Embeddings, vocab: Vocab, vectors: Vectors): Vectors {
  if (dim !== undefined && dim !== vectors.dim) {
    throw constraint(
      'embeddingDim',
      `embeddingDim is ${dim}, but the vectors in ${file} have ${vectors.dim} values; remove embeddingDim`,
    );
  }
  if (vectors.coverage.found === 0) {
    const message = `it has a vector for none of the ${vocab.length} words of the training rows; is it for another language?`;
    throw new DataError('INVALID_FILE', message, { file });
  }
  return vectors;
}

/** Sets the initial vectors of words that have one; the others keep their random ones. */
export async function setEmbeddings(engine: Engine, { matrix, known, dim }: FirstVectors): Promise<void> {
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
