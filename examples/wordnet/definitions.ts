import type { LabelledText } from 'recurra';
import { synsets, wordnetFolder } from './synsets.js';

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

/** Reads the definitions of the eight topics. */
export async function readDefinitions(folder = wordnetFolder()): Promise<LabelledText[]> {
  const rows: LabelledText[] = [];
  for await (const { file, gloss } of synsets(folder)) {
    const label = TOPICS[file];
    if (label) rows.push({ text: gloss, label });
  }
  return rows;
}
