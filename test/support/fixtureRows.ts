import { fileURLToPath } from 'node:url';

/** A row of the fixtures that `scripts/golden/files.py` writes. */
export interface FixtureRow {
  id: number;
  title: string | null;
  body: string;
  topic: string;
  number: number;
  tags: string[];
}

/** Names of the topics, in the order of their numbers. */
export const TOPICS = ['animal', 'food', 'tool'] as const;

/** The rows of the fixtures in `test/fixtures/data`. */
export function fixtureRows(count: number): FixtureRow[] {
  return Array.from({ length: count }, (_, i) => ({
    id: i,
    title: i % 10 === 3 ? null : `Title ${i}`,
    body: `body ${i} é🙂 ${`word${i % 7} `.repeat(i % 5)}`,
    topic: TOPICS[i % 3]!,
    number: i % 3,
    tags: Array.from({ length: i % 4 }, (__, k) => `tag${(i + k) % 6}`),
  }));
}

/** Path of a fixture. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/data/${name}`, import.meta.url));
}
