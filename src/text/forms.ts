import type { light as lightNamespace } from '../../index.d.js';
import { Turns } from '../core/turns.js';
import { light } from '../native/light.js';
import type { Vocab } from './vocab.js';

/**
 * Words as they are written, outside of JavaScript's memory: for each the id of its word in the vocabulary, and the features of its
 * characters. A network with subwords reads their numbers, which count from 0.
 */
export type Forms = lightNamespace.NativeForms;

/** Which features the characters of a word have. */
export interface FeatureOptions {
  /** Numbers that the features are hashed to: as many as the network has vectors for. */
  buckets: number;
  /** Characters of the shortest run that is a feature, the borders of the word counted: `<a` is a run of two. */
  minn: number;
  /** Characters of the longest one, at most 16; 0 for no runs. */
  maxn: number;
  /** Whether the runs are those of the word in lower case. */
  lowercase: boolean;
  /** Whether the shape of the word is a feature: `Xxxxx` for `Berlin`, `dd.dd` for `12.50`. */
  shape: boolean;
  /** Share of the features that the shape is, from 0 to 0.9; the shape is one feature if left out. */
  shapeShare?: number;
}

/** Which features the characters of a word have, and the size of their vectors. */
export interface WordFeatures extends FeatureOptions {
  dim: number;
}

/** Words of a part: less than a millisecond on the event loop. */
const PART = 1_024;

/**
 * Forms of words, off the event loop's patience: between parts of them it yields.
 *
 * @param words - Each once, or at least not often: a form that comes twice is two forms.
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

/** Forms of all words of a vocabulary, in its order. What stands for other words, or for none, has no characters. */
export function formsOfVocabulary(vocab: Vocab, options: FeatureOptions): Promise<Forms> {
  const words = [...vocab.itos];
  for (const index of [vocab.defaultIndex, vocab.padIndex]) if (index !== undefined) words[index] = '';
  return formsOf(words, Int32Array.from(words.keys()), options);
}

/** As {@link formsOf} at once, for few words: each takes about a microsecond. */
export function formsNow(words: readonly string[], ids: Int32Array, options: FeatureOptions): Forms {
  return light().NativeForms.of(words, ids, options);
}
