import { zeros } from '../core/allocate.js';
import { constraint } from '../core/errors.js';
import type { Turns } from '../core/turns.js';
import type { StateEntry } from '../engine/engine.js';
import { byMember } from '../engine/memberNames.js';
import { type FeatureOptions, type Forms, formsNow, formsOfVocabulary } from '../text/forms.js';
import type { WordRows } from '../text/nearest.js';
import type { Vocab } from '../text/vocab.js';

/** Forms whose features are read per call: some tenths of a millisecond. */
const FORMS_A_CALL = 1_024;

/** Rows of words copied between two checks of the clock. */
const ROWS_A_LOOK = 1_024;

/** The elements of a float32 array. */
export function floatsOf({ data }: Pick<StateEntry, 'data'>): Float32Array<ArrayBuffer> {
  // A view needs an offset that is a multiple of four, which an addon's bytes may not have.
  const aligned = data.byteOffset % 4 === 0 ? data : data.slice();
  return new Float32Array(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / 4);
}

/** The vectors of a model's words, as read by its recurrent layers. */
export interface ModelVectors extends WordRows {
  /** All words of the vocabulary, specials included, in its order. */
  words: readonly string[];
  /** The vector of a word that is not in the vocabulary; undefined if it only has that of unknown words. */
  unknown(word: string): Float32Array | undefined;
}

/** The parts of word vectors. */
interface VectorParts {
  vocab: Vocab;
  state: readonly StateEntry[];
  /** Networks that answer as one. */
  members: number;
  /** What of the characters of a word the network sees. */
  features: FeatureOptions | undefined;
}

/** Arrays that may contain the word vectors; the second is that of a sequence-to-sequence model, for its source. */
const EMBEDDINGS = ['embedding.weight', 'encoder.embedding.weight'];

/**
 * Makes the vectors of a model's words. With character features, a word's own vector is followed by their mean; the
 * vectors of several networks are concatenated.
 *
 * @throws ArgumentError for a model without a network.
 */
export async function modelVectors(
  { vocab, state, members, features }: VectorParts,
  turns: Turns,
): Promise<ModelVectors> {
  const parts = byMember(state, members).map((part) => ({
    own: part.find(({ name }) => EMBEDDINGS.includes(name)),
    subwords: part.find(({ name }) => name === 'subwords.weight'),
  }));
  const tables: Table[] = [];
  for (const { own, subwords } of parts) {
    if (!own) throw constraint('model', 'the model has no network, so it has no word vectors');
    tables.push({ values: floatsOf(own), dim: own.shape[1]! });
    if (features && subwords) tables.push({ values: floatsOf(subwords), dim: subwords.shape[1]!, features: true });
  }
  const words = vocab.itos;
  const [first, ...others] = tables;
  if (others.length === 0) return { words, matrix: first!.values, dim: first!.dim, unknown: () => undefined };
  const dim = tables.reduce((sum, table) => sum + table.dim, 0);
  const matrix = zeros(words.length * dim, 'the vectors of the words');
  const forms = features && (await formsOfVocabulary(vocab, features));
  try {
    turns.restart();
    for (let start = 0; start < words.length; start += ROWS_A_LOOK) {
      const end = Math.min(words.length, start + ROWS_A_LOOK);
      compose(
        matrix,
        dim,
        tables,
        start,
        end,
        Int32Array.from({ length: end - start }, (_, i) => start + i),
        forms,
      );
      if (turns.due) await turns.next();
    }
  } finally {
    forms?.close();
  }
  const unknown = (word: string) => {
    if (!features || vocab.defaultIndex === undefined) return undefined;
    const ids = Int32Array.of(vocab.defaultIndex);
    const form = formsNow([word], ids, features);
    const row = new Float32Array(dim);
    compose(row, dim, tables, 0, 1, ids, form);
    form.close();
    return row;
  };
  return { words, matrix, dim, unknown };
}

/** A table of vectors: one for each word, or one for each feature. */
interface Table {
  values: Float32Array;
  dim: number;
  features?: boolean;
}

/**
 * Writes the rows in `[start, end)`: their words are `ids`, and their features those of the forms with the rows'
 * numbers.
 */
function compose(
  matrix: Float32Array,
  dim: number,
  tables: readonly Table[],
  start: number,
  end: number,
  ids: Int32Array,
  forms: Forms | undefined,
): void {
  for (let from = start; from < end; from += FORMS_A_CALL) {
    const to = Math.min(end, from + FORMS_A_CALL);
    const found = forms?.features(from, to);
    for (let row = from; row < to; row++) {
      let at = row * dim;
      for (const table of tables) {
        const target = matrix.subarray(at, at + table.dim);
        at += table.dim;
        if (!table.features) target.set(table.values.subarray(ids[row - start]! * table.dim).subarray(0, table.dim));
        else if (found)
          meanOf(target, table, found.features.subarray(found.ends[row - from - 1] ?? 0, found.ends[row - from]));
      }
    }
  }
}

/** The mean of the vectors of some features; zeros without features. */
function meanOf(target: Float32Array, { values, dim }: Table, features: Uint32Array): void {
  const sums = new Float64Array(dim);
  for (const feature of features) for (let i = 0; i < dim; i++) sums[i]! += values[feature * dim + i]!;
  if (features.length > 0) for (let i = 0; i < dim; i++) target[i] = sums[i]! / features.length;
}

/**
 * The vector of a word.
 *
 * @throws ArgumentError `OUT_OF_RANGE` for a word that has none.
 */
export function vectorOf(vectors: ModelVectors, vocab: Vocab, word: string): Float32Array {
  const { matrix, dim } = vectors;
  if (vocab.has(word)) return matrix.subarray(vocab.get(word) * dim, (vocab.get(word) + 1) * dim);
  const unknown = vectors.unknown(word);
  if (unknown) return unknown;
  const lower = word.toLowerCase();
  const hint = lower !== word && vocab.has(lower) ? `; it knows ${JSON.stringify(lower)}` : '';
  throw constraint('word', `the model does not know the word ${JSON.stringify(word)}${hint}`);
}
