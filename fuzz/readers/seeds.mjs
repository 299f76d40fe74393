// The seeds of a target: `fuzz/seeds/TARGET`, each a file, found inputs of earlier faults among them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Folder of all seeds. */
export const SEEDS = join(import.meta.dirname, '..', 'seeds');

const FIXTURES = join(import.meta.dirname, '..', '..', 'test', 'fixtures', 'data');

/** Files of several writers and codecs, each with one of the ways to read them. */
function parquetFiles() {
  const names = readdirSync(FIXTURES).filter((name) => name.endsWith('.parquet'));
  return names.sort().map((name, i) => Buffer.concat([Buffer.of(i), readFileSync(join(FIXTURES, name))]));
}

/** The contents of a target's seeds, in the order of their names. */
export function seedsOf(target) {
  const folder = join(SEEDS, target);
  const seeds = readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name)));
  return target === 'parquet' ? [...seeds, ...parquetFiles()] : seeds;
}
