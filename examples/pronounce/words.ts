import { createHash } from 'node:crypto';
import { dictionary } from 'cmu-pronouncing-dictionary';
import type { Pair } from 'recurra';

/** Words with their pronunciations: to learn from, to choose options by, and to measure on. No word is in two parts. */
export interface Words {
  train: Pair[];
  validation: Pair[];
  test: Pair[];
}

/** Of 256 words as many are for the test, and as many for validation. */
const TEST = 12;
const VALIDATION = 6;

/** Words of letters and apostrophes: others are abbreviations and names of signs. */
const WORD = /^([a-z']+)(?:\(\d\))?$/;

/**
 * The CMU Pronouncing Dictionary as pairs of a word and a pronunciation: its phonemes in ARPAbet without their stress, as published systems
 * are measured. A word with several pronunciations has several pairs.
 *
 * @param most - Words to learn from, at most.
 */
export function readWords(most = Number.POSITIVE_INFINITY): Words {
  const words = new Map<string, Set<string>>();
  for (const [entry, phonemes] of Object.entries(dictionary)) {
    const word = WORD.exec(entry)?.[1];
    if (word === undefined || !/[a-z]/.test(word)) continue;
    const pronunciations = words.get(word) ?? new Set();
    // Some have a comment behind them.
    pronunciations.add(phonemes.replace(/\s*#.*$|\d/g, ''));
    words.set(word, pronunciations);
  }
  const parts: Words = { train: [], validation: [], test: [] };
  // In the order of their hashes, so that the first ones are not one part of the alphabet.
  const hashed = [...words].map(([word, found]) => ({ word, found, hash: createHash('sha256').update(word).digest() }));
  let learned = 0;
  for (const { word, found, hash } of hashed.sort((a, b) => a.hash.compare(b.hash))) {
    const place = hash[31]!;
    const part = place < TEST ? 'test' : place < TEST + VALIDATION ? 'validation' : 'train';
    if (part === 'train' && ++learned > most) continue;
    for (const target of found) parts[part].push({ source: word, target });
  }
  return parts;
}

/** Different words of some pairs. */
export function differentWords(pairs: readonly Pair[]): string[] {
  return [...new Set(pairs.map(({ source }) => source))];
}
