import { createHash } from 'node:crypto';
import type { TextSpan } from 'recurra';
import { type Synset, synsets, wordnetFolder } from '../wordnet/synsets.js';

/** The lexicographer files of WordNet's nouns whose instances are names, and what they are names of. */
const KINDS: Readonly<Record<string, string>> = { '15': 'place', '17': 'nature', '18': 'person' };

/** A text with its names. */
export interface NamedText {
  text: string;
  spans: TextSpan[];
}

/** Rows to learn from, and rows to measure on, in which no name is one of the first. */
export interface NamedTexts {
  train: NamedText[];
  test: NamedText[];
  /** Different names in both. */
  names: { train: number; test: number };
}

/** The sentences of a gloss: its definition, then its examples in quotation marks. */
function sentences(gloss: string): string[] {
  return gloss
    .split(/; (?=")/)
    .map((part) => part.replace(/^"|"$/g, '').trim())
    .filter((part) => part !== '');
}

/** Finds the longest names in texts. A name begins with a capital, and begins and ends at the border of a word. */
class Finder {
  readonly #kinds: ReadonlyMap<string, string>;
  readonly #longest: number;

  constructor(kinds: ReadonlyMap<string, string>) {
    this.#kinds = kinds;
    this.#longest = Math.max(...[...kinds.keys()].map((name) => name.split(' ').length));
  }

  find(text: string): TextSpan[] {
    const words = [...text.matchAll(/[\p{L}\p{N}](?:[\p{L}\p{N}.'-]*[\p{L}\p{N}])?/gu)];
    const spans: TextSpan[] = [];
    for (let first = 0; first < words.length; first++) {
      if (!/^\p{Lu}/u.test(words[first]![0])) continue;
      const start = words[first]!.index;
      for (let last = Math.min(first + this.#longest, words.length) - 1; last >= first; last--) {
        const end = words[last]!.index + words[last]![0].length;
        const label = this.#kinds.get(text.slice(start, end));
        if (label === undefined) continue;
        spans.push({ start, end, label });
        first = last;
        break;
      }
    }
    return spans;
  }
}

/** Names that belong to the test, about one of four, whatever their order. */
function forTest(name: string): boolean {
  return createHash('sha256').update(name).digest()[0]! < 64;
}

/**
 * Sentences of WordNet's glosses with the names of people, places, and rivers, mountains and the like. What is a name, WordNet says
 * itself: it tells instances from classes. Names that may be several things are left out together with their sentences, and so are
 * sentences that have names of both parts.
 */
export async function readNames(folder = wordnetFolder()): Promise<NamedTexts> {
  const all: Synset[] = [];
  for await (const synset of synsets(folder)) all.push(synset);
  const kinds = new Map<string, string>();
  const ambiguous = new Set<string>();
  for (const { file, words, instance } of all) {
    const kind = instance ? (KINDS[file] ?? 'other') : 'class';
    for (const word of words) {
      if (!/^\p{Lu}/u.test(word)) continue;
      if (kinds.has(word) && kinds.get(word) !== kind) ambiguous.add(word);
      kinds.set(word, kind);
    }
  }
  const finder = new Finder(kinds);
  const rows: NamedTexts = { train: [], test: [], names: { train: 0, test: 0 } };
  const seen = { train: new Set<string>(), test: new Set<string>() };
  for (const text of new Set(all.flatMap(({ gloss }) => sentences(gloss)))) {
    const found = finder.find(text);
    const names = found.map(({ start, end }) => text.slice(start, end));
    if (found.length === 0 || names.some((name) => ambiguous.has(name))) continue;
    const spans = found.filter(({ label }) => Object.values(KINDS).includes(label));
    const parts = new Set(spans.map(({ start, end }) => (forTest(text.slice(start, end)) ? 'test' : 'train')));
    if (parts.size !== 1) continue;
    const [part] = parts as Set<'train' | 'test'>;
    rows[part!].push({ text, spans });
    for (const { start, end } of spans) seen[part!].add(text.slice(start, end));
  }
  rows.names = { train: seen.train.size, test: seen.test.size };
  return rows;
}
