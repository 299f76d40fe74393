import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { alignSpans, Random, readConll, readSpans, spansToTags, type TagScheme } from 'recurra';
import { dataFolder } from '../quality/sets.js';

/** A sentence with a tag for each token. */
export interface Sentence {
  tokens: string[];
  tags: string[];
}

/** What is learned from, what the best epoch is chosen on, and what is measured on. */
export const PARTS = ['train', 'dev', 'test'] as const;

/** The sentences of each part. */
export type Parts = Record<(typeof PARTS)[number], Sentence[]>;

/** A set of tagged sentences. */
export interface TaggedSet {
  name: string;
  /** Its name in a table. */
  title: string;
  /** The scheme of its tags, whose measure is the F1 of entities; null where it is the accuracy of tags. */
  scheme: TagScheme | null;
  /** Whether all programs that take word vectors begin with those of GloVe. */
  vectors: boolean;
  /** Reads it; throws `Missing` where it is not at hand. */
  load(): Promise<Parts>;
}

async function conll(folder: string, scheme: TagScheme | null): Promise<Parts> {
  const read = async (part: string) => {
    const rows: Sentence[] = [];
    for await (const { tokens, tags } of readConll(join(dataFolder(folder), `${part}.conll`), { scheme }))
      rows.push({ tokens: [...tokens], tags: [...tags] });
    return rows;
  };
  return { train: await read('train'), dev: await read('dev'), test: await read('test') };
}

/** Requests whose slots are spans; 700 of the training rows, drawn with a seed, are the dev part. */
async function snips(): Promise<Parts> {
  const read = async (part: string) => {
    const rows: Sentence[] = [];
    for await (const { text, spans } of readSpans(join(dataFolder('snips'), `${part}.jsonl`))) {
      const aligned = alignSpans(text, spans, { split: true });
      if (aligned.tokens.length === 0) continue;
      const tags = spansToTags(aligned.spans, aligned.tokens.length);
      rows.push({ tokens: aligned.tokens.map(({ token }) => token), tags });
    }
    return rows;
  };
  const rows = await read('train');
  new Random(1).shuffle(rows);
  return { train: rows.slice(700), dev: rows.slice(0, 700), test: await read('test') };
}

/** The file of word vectors. */
export function glove(): string {
  return join(dataFolder('vectors'), 'glove.6B.50d.top50k.txt');
}

/** All sets, in the order of the tables. */
export const TAGGED_SETS: readonly TaggedSet[] = [
  { name: 'ud-ewt', title: 'UD English EWT, UPOS', scheme: null, vectors: false, load: () => conll('ud_ewt', null) },
  {
    name: 'ud-ewt-glove',
    title: 'UD English EWT, UPOS, GloVe 50d',
    scheme: null,
    vectors: true,
    load: () => conll('ud_ewt', null),
  },
  { name: 'wnut17', title: 'WNUT-17, GloVe 50d', scheme: 'IOB2', vectors: true, load: () => conll('wnut17', 'IOB2') },
  { name: 'snips', title: 'Snips, slots, GloVe 50d', scheme: 'IOB2', vectors: true, load: snips },
];

/** Writes the parts as JSON lines that all programs read, and gives their paths. */
export function writeParts(folder: string, parts: Parts): Record<keyof Parts, string> {
  const write = (part: keyof Parts): string => {
    const path = join(folder, `${part}.jsonl`);
    writeFileSync(path, parts[part].map((row) => `${JSON.stringify(row)}\n`).join(''));
    return path;
  };
  return { train: write('train'), dev: write('dev'), test: write('test') };
}
