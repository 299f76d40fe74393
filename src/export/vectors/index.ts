import { constraint } from '../../core/errors.js';
import { writeVectors } from '../../text/vectorWriter.js';
import type { ExportForm } from '../format.js';

/** Word vectors as word2vec text, fastText's `.vec`, in the order of the vocabulary, without specials. */
export const VEC: ExportForm = {
  help: 'the word vectors as text, which --embeddings, gensim, spaCy and fastText read',
  folder: false,
  async write(model, out, turns) {
    const { words, matrix, dim } = await model.wordVectors(turns);
    const specials = new Set(model.vocab.specials);
    const kept = [...words.keys()].filter((index) => !specials.has(words[index]!));
    const rows = new Float32Array(kept.length * dim);
    for (const [row, index] of kept.entries()) {
      rows.set(matrix.subarray(index * dim, (index + 1) * dim), row * dim);
      if (row % 1024 === 0 && turns.due) await turns.next();
    }
    const named = kept.map((index) => words[index]!);
    if (!named.some((word) => !/[\s\0]/.test(word)))
      throw constraint(
        'model',
        'the model has no word that a file of word vectors can store: its words are all white space',
      );
    const written = await writeVectors(out, { words: named, matrix: rows, dim }, turns);
    const left = named.length - written;
    const notes =
      left > 0
        ? [`skipped ${left === 1 ? 'a word' : `${left} words`} with white space, which the format cannot store`]
        : [];
    return { files: [out], notes };
  },
};
