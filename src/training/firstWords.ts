import { Turns } from '../core/turns.js';
import type { TextSettings } from '../text/options.js';
import type { Vectors } from '../text/vectors.js';
import { Vocab } from '../text/vocab.js';

/** The vectors that words begin with: row by row by the words' indices, and which words have one. */
export type FirstVectors = Pick<Vectors, 'matrix' | 'known' | 'dim'>;

/** What words begin with: the vectors of a file, or those learned from texts. */
export type VectorSource = 'file' | 'texts';

/** Where a training has words from that its rows do not have, and the vectors that words begin with. */
export interface FirstWords {
  /** What words begin with, or in a training that resumes began with; undefined for random vectors, and for those of an encoder. */
  readonly given: VectorSource | undefined;
  /** Whether it learns from the rows' texts too, which {@link extend} then needs. */
  readonly learns: boolean;
  /**
   * The vocabulary with the words of the source behind those of the rows, as far as `maxTokens` allows. A training never meets
   * them: their vectors stay as they are and cost no time. Call it once, when the words of the rows are known.
   *
   * @param texts - The texts of the training rows.
   * @throws DataError for a source that cannot be read.
   */
  extend(vocab: Vocab, text: TextSettings, texts: readonly string[]): Promise<Vocab>;
  /** The vectors for the words of the training's vocabulary; undefined for none. */
  vectors(vocab: Vocab): Promise<FirstVectors | undefined>;
  /** What tells the texts without labels apart from others, once {@link extend} has read them; undefined where there are none. */
  hash?(): string | undefined;
}

/** How many words may enter a vocabulary behind those that it has. */
export function roomFor(words: number, vocab: Vocab, { maxTokens }: TextSettings): number {
  return Math.max(0, Math.min(words, maxTokens - vocab.size));
}

/** A vocabulary with the first words of a list that it does not have, up to `most`, behind its own. Pauses now and then. */
export function* withMore(vocab: Vocab, words: readonly string[], most: number): Generator<void, Vocab, undefined> {
  const more: string[] = [];
  for (let at = 0; at < words.length && more.length < most; at++) {
    if (!vocab.has(words[at]!)) more.push(words[at]!);
    if (at % 4096 === 4095) yield;
  }
  return yield* Vocab.extended(vocab, more);
}

/** No words but those of the rows. */
export const ROWS_ALONE: FirstWords = {
  given: undefined,
  learns: false,
  extend: async (vocab) => vocab,
  vectors: async () => undefined,
};

/**
 * The words of a checkpoint. What gave them is not read again, and their vectors are among the weights of the checkpoint. Rows that
 * are others than the checkpoint's give another vocabulary, by which they are found out.
 *
 * @param given - What words began with.
 */
export function wordsOfCheckpoint(stored: Vocab | undefined, given: VectorSource | undefined): FirstWords {
  if (!stored) return { ...ROWS_ALONE, given };
  const extend = async (vocab: Vocab) => {
    if (stored.size <= vocab.size) return vocab;
    return new Turns().run(withMore(vocab, stored.itos.slice(vocab.size), Number.POSITIVE_INFINITY));
  };
  return { ...ROWS_ALONE, given, extend };
}
