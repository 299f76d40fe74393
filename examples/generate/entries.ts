import { createHash } from 'node:crypto';
import { synsets, wordnetFolder } from '../wordnet/synsets.js';

/** Words that WordNet does not have. */
export const INVENTED = [
  'marsh squirrel',
  'fogberry',
  'Lake Orvelle',
  'Harriet Bellowes',
  'inner clockitis',
  'tin harp',
  'unbrokenness',
  'winter porridge',
];

/** Entries of a dictionary to learn from, and others to measure on. */
export interface Entries {
  train: string[];
  test: string[];
  /** All words of WordNet's nouns, in lower case. */
  words: ReadonlySet<string>;
}

/** About one entry of 32 is held out. */
const HELD_OUT = 8;

/**
 * WordNet's nouns as a dictionary: the first word of each synset, a colon, and the definition without its examples. WordNet has them in
 * the order of topics; here the order is that of their hashes, so that each part has them all.
 */
export async function readEntries(folder = wordnetFolder()): Promise<Entries> {
  const entries = new Map<string, Buffer>();
  const words = new Set<string>();
  for await (const synset of synsets(folder)) {
    for (const word of synset.words) words.add(word.toLowerCase());
    const [definition] = synset.gloss.split(/; (?=")/);
    const entry = `${synset.words[0]}: ${definition!.trim()}`;
    entries.set(entry, createHash('sha256').update(entry).digest());
  }
  const sorted = [...entries].sort(([, a], [, b]) => a.compare(b));
  const part = (test: boolean) => sorted.filter(([, hash]) => hash[31]! < HELD_OUT === test).map(([entry]) => entry);
  return { train: part(false), test: part(true), words };
}
