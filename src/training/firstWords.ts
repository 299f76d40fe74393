import { Turns } from '../core/turns.js';
import type { TextSettings } from '../text/options.js';
import type { Vectors } from '../text/vectors.js';
import { Vocab } from '../text/vocab.js';

/** Initial word vectors, row by row by the words' indices, and which words have one. */
export type FirstVectors = Pick<Vectors, 'matrix' | 'known' | 'dim'>;

/** Source of initial word vectors: a file, or learning from texts. */
export type VectorSource = 'file' | 'texts';

/** Source of additional words and of initial word vectors. */
export interface FirstWords {
  /**
   * Source of the initial vectors (also in a resumed training); undefined for random vectors, and for those of an
   * encoder.
   */
  readonly given: VectorSource | undefined;
  /** Whether it also learns from the rows' texts, which {@link extend} then needs. */
  readonly learns: boolean;
  /**
   * The vocabulary with the words of the source appended, as far as `maxTokens` allows. Training never sees them: their
   * vectors stay unchanged and cost no time. Call it once, when the words of the rows are known.
   *
   * @param texts - The texts of the training rows.
   * @throws DataError for a source that cannot be read.
   */
  extend(vocab: Vocab, text: TextSettings, texts: readonly string[]): Promise<Vocab>;
  /** The vectors for the words of the training's vocabulary; undefined for none. */
  vectors(vocab: Vocab): Promise<FirstVectors | undefined>;
  /** Hash of the unlabelled texts, after {@link extend} has read them; undefined without such texts. */
  hash?(): string | undefined;
}

/** How many words may be added to a vocabulary. */
export function roomFor(words: number, vocab: Vocab, { maxTokens }: TextSettings): number {
  return Math.max(0, Math.min(words, maxTokens - vocab.size));
}

/** A vocabulary extended by up to `most` missing words of a list. Pauses often. */
export function* withMore(vocab: Vocab, words: readonly string[], most: number): Generator<void, Vocab, undefined> {
  const more: string[] = [];
  for (let at = 0; at < words.length && more.length < most; at++) {
    if (!vocab.has(words[at]!)) more.push(words[at]!);
    if (at % 4096 === 4095) yield;
  }
  return yield* Vocab.extended(vocab, more);
}

/** Only the words of the rows. */
export const ROWS_ALONE: FirstWords = {
  given: undefined,
  learns: false,
  extend: async (vocab) => vocab,
  vectors: async () => undefined,
};

/**
 * The words of a checkpoint. Their source is not read again, and their vectors are among the weights of the checkpoint.
 * Different rows give another vocabulary and are detected by it.
 *
 * @param given - Source of the initial vectors.
 */
export function wordsOfCheckpoint(stored: Vocab | undefined, given: VectorSource | undefined): FirstWords {
  if (!stored) return { ...ROWS_ALONE, given };
  const extend = async (vocab: Vocab) => {
    if (stored.size <= vocab.size) return vocab;
    return new Turns().run(withMore(vocab, stored.itos.slice(vocab.size), Number.POSITIVE_INFINITY));
  };
  return { ...ROWS_ALONE, given, extend };
}
