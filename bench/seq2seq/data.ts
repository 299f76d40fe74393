import { createRequire } from 'node:module';
import { Missing } from '../quality/packages.js';

/** Source and target units of a pair; the target ends with the end unit. */
export type Pair = readonly [source: readonly number[], target: readonly number[]];

/** Pronunciations as numbers. */
export interface Pronunciations {
  /** In batches' order: batches of words of about the same length, themselves in random order. */
  train: Pair[];
  /** Words to be answered together. */
  words: Pair[];
  /** One word of the usual length. */
  one: Pair[];
  sources: number;
  targets: number;
}

/** The units that begin and end a row. */
export const [START, END] = [0, 1];

/** A generator that gives the same numbers everywhere (Lehmer's). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function shuffle<T>(list: T[], random: () => number): void {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
}

/**
 * Words of the CMU pronouncing dictionary with their phonemes.
 *
 * @param rows - Pairs to train on, a multiple of `batch`.
 */
export function pronunciations(rows: number, batch: number): Pronunciations {
  let dictionary: Readonly<Record<string, string>>;
  try {
    ({ dictionary } = createRequire(import.meta.url)('cmu-pronouncing-dictionary'));
  } catch {
    throw new Missing('it needs the npm package cmu-pronouncing-dictionary');
  }
  const [letters, phonemes] = [
    new Map<string, number>(),
    new Map([
      ['<s>', START],
      ['</s>', END],
    ]),
  ];
  const number = (map: Map<string, number>, unit: string): number => {
    if (!map.has(unit)) map.set(unit, map.size);
    return map.get(unit)!;
  };
  const all: Pair[] = Object.entries(dictionary)
    .filter(([word]) => /^[a-z']+$/.test(word))
    .map(([word, phones]) => [
      [...word].map((letter) => number(letters, letter)),
      [...phones.split(' ').map((phone) => number(phonemes, phone)), END],
    ]);
  const random = numbers(1);
  shuffle(all, random);
  const sorted = all.slice(0, rows).sort(([a, b], [c, d]) => a.length - c.length || b.length - d.length);
  const batches = Array.from({ length: rows / batch }, (_, at) => sorted.slice(at * batch, (at + 1) * batch));
  shuffle(batches, random);
  const rest = all.slice(rows);
  const words = rest.slice(0, 512).sort(([a], [b]) => b.length - a.length);
  const one = [rest.find(([letters]) => letters.length === 8)!];
  return { train: batches.flat(), words, one, sources: letters.size, targets: phonemes.size };
}
