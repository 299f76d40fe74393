import type { light as lightNamespace } from '../../index.d.js';
import { Turns } from '../core/turns.js';
import { light } from '../native/light.js';
import type { Vocab } from './vocab.js';

/**
 * Words with their character features, stored outside of the JavaScript heap: for each, the id of its vocabulary word
 * and the features of its characters. A network with subwords reads their numbers, from 0.
 */
export type Forms = lightNamespace.NativeForms;

/** Which features the characters of a word have. */
export interface FeatureOptions {
  /** Number of hash buckets of features: the number of vectors in the network. */
  buckets: number;
  /** Shortest n-gram, in characters, including word borders: `<a` has two. */
  minn: number;
  /** Longest n-gram, in characters, at most 16; 0 for none. */
  maxn: number;
  /** Whether n-grams are taken from the lowercased word. */
  lowercase: boolean;
  /** Whether the shape of the word is a feature: `Xxxxx` for `Berlin`, `dd.dd` for `12.50`. */
  shape: boolean;
  /** Weight of the shape among the features, from 0 to 0.9; if omitted, the shape is one feature. */
  shapeShare?: number;
}

/** Which features the characters of a word have, and the size of their vectors. */
export interface WordFeatures extends FeatureOptions {
  dim: number;
}

/** Words of a part: less than a millisecond on the event loop. */
const PART = 1_024;

/**
 * Forms of words; yields to the event loop between parts.
 *
 * @param words - Words, preferably distinct: a repeated word gives two forms.
 * @param ids - The id of each word in the vocabulary.
 */
export async function formsOf(words: readonly string[], ids: Int32Array, options: FeatureOptions): Promise<Forms> {
  const forms = new (light().NativeForms)(options);
  const turns = new Turns();
  for (let from = 0; from < words.length; from += PART) {
    forms.add(words.slice(from, from + PART), ids.subarray(from, from + PART));
    if (turns.due) await turns.next();
  }
  return forms;
}

/** Forms of all words of a vocabulary, in its order. Special tokens have no characters. */
export function formsOfVocabulary(vocab: Vocab, options: FeatureOptions): Promise<Forms> {
  const words = [...vocab.itos];
  for (const index of [vocab.defaultIndex, vocab.padIndex]) if (index !== undefined) words[index] = '';
  return formsOf(words, Int32Array.from(words.keys()), options);
}

/** Like {@link formsOf}, synchronously, for few words: each takes about a microsecond. */
export function formsNow(words: readonly string[], ids: Int32Array, options: FeatureOptions): Forms {
  return light().NativeForms.of(words, ids, options);
}
