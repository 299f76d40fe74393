/**
 * Word vectors compared with fastText's, learned from the same words with the same options and threads:
 * `npm run bench -- vectors --help`.
 *
 * Both take turns. What counts are the processor seconds from texts to vectors, whether a noun's nearest neighbours are about its subject
 * (WordNet), and the accuracy of networks that begin with the vectors.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { basicEnglish, type LabelledText, learnVectors, TextClassifier, type VectorModel } from 'recurra';
import { Missing } from './quality/packages.js';
import { SETS } from './quality/sets.js';
import { neighbourAccuracy, readTable } from './vectors/neighbours.js';

const USAGE = `usage: npm run bench -- vectors [OPTIONS]

  --kinds NAMES   of skipgram, cbow, skipgram-subwords, cbow-subwords (default: all)
  --epochs N      passes over the texts, of both (default 5)
  --texts N       training texts of AG News to learn from (default 16,000; 0: all)
  --rounds N      times that both learn, in turns (default 2)
  --rows N,N      labelled rows of the classifiers (default 500,2000; 0: none)
  --seeds N       seeds of the classifiers (default 3)
  --threads N     of both (default: as many as processors)
  --python FILE   a Python that has fasttext (or RECURRA_BENCH_PYTHON; default python3)`;

/** What is learned: the model, and the characters of subwords. */
const KINDS: Readonly<Record<string, { title: string; model: VectorModel; minn: number; maxn: number }>> = {
  skipgram: { title: 'skip-gram', model: 'skipgram', minn: 3, maxn: 0 },
  cbow: { title: 'CBOW', model: 'cbow', minn: 3, maxn: 0 },
  'skipgram-subwords': { title: 'skip-gram, subwords 3-6', model: 'skipgram', minn: 3, maxn: 6 },
  'cbow-subwords': { title: 'CBOW, subwords 3-6', model: 'cbow', minn: 3, maxn: 6 },
};

const { values } = parseArgs({
  options: {
    kinds: { type: 'string', default: Object.keys(KINDS).join() },
    epochs: { type: 'string', default: '5' },
    texts: { type: 'string', default: '16000' },
    rounds: { type: 'string', default: '2' },
    rows: { type: 'string', default: '500,2000' },
    seeds: { type: 'string', default: '3' },
    threads: { type: 'string', default: String(availableParallelism()) },
    python: { type: 'string', default: process.env.RECURRA_BENCH_PYTHON ?? 'python3' },
    help: { type: 'boolean', default: false },
  },
});
const [threads, rounds, seeds, epochs] = [values.threads, values.rounds, values.seeds, values.epochs].map(Number) as [
  number,
  number,
  number,
  number,
];
const counts = values.rows.split(',').map(Number).filter(Boolean);
const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** What learning took. */
interface Cost {
  seconds: number;
  /** Seconds of all threads. */
  processor: number;
}

async function ours(texts: readonly string[], kind: string, seed: number, out: string): Promise<Cost> {
  const { model, minn, maxn } = KINDS[kind]!;
  const began = performance.now();
  const before = process.cpuUsage();
  const vectors = await learnVectors(texts, { model, minn, maxn, epochs, threads, seed });
  const { user, system } = process.cpuUsage(before);
  const cost = { seconds: (performance.now() - began) / 1000, processor: (user + system) / 1e6 };
  await vectors.save(out);
  return cost;
}

function theirs(lines: string, kind: string, out: string): Cost {
  const { model, minn, maxn } = KINDS[kind]!;
  const program = fileURLToPath(new URL('vectors/fasttext.py', import.meta.url));
  const args = [program, lines, out, model, ...[threads, minn, maxn, epochs].map(String)];
  const { status, stdout, stderr, error } = spawnSync(values.python, args, { encoding: 'utf8' });
  if (status !== 0)
    throw new Missing(
      `${values.python} cannot learn with fastText: ${error?.message ?? stderr.trim().split('\n').at(-1)}`,
    );
  return JSON.parse(stdout) as Cost;
}

/** Mean accuracy of networks that begin with a file's vectors, and half the distance of the best and the worst. */
async function accuracy(train: readonly LabelledText[], test: readonly LabelledText[], file?: string): Promise<string> {
  const shares: number[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const begin = file === undefined ? {} : { embeddings: file };
    const model = await TextClassifier.train(train, { ...begin, linear: false, seed, threads });
    shares.push(100 * (await model.evaluate(test)).accuracy);
    await model.close();
  }
  const mean = shares.reduce((sum, share) => sum + share, 0) / seeds;
  return `${mean.toFixed(1)} ±${((Math.max(...shares) - Math.min(...shares)) / 2).toFixed(1)}`;
}

const median = (list: number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]!;
const cells = (list: readonly string[]): void => console.log(`| ${list.join(' | ')} |`);

async function main(folder: string): Promise<void> {
  const lines = join(folder, 'texts.txt');
  const { train, test } = await SETS.find(({ name }) => name === 'ag-news')!.load();
  const texts = train.slice(0, Number(values.texts) || undefined).map(({ text }) => text);
  writeFileSync(lines, `${texts.map((text) => basicEnglish(text).join(' ')).join('\n')}\n`);
  say(`${texts.length} texts, ${threads} threads`);
  cells(['vectors', 'of', 'processor seconds', 'seconds', 'neighbours, %', ...counts.map((rows) => `${rows} rows, %`)]);
  console.log(`|${'---|'.repeat(5 + counts.length)}`);
  const none: string[] = [];
  for (const rows of counts) none.push(await accuracy(train.slice(0, rows), test));
  cells(['none', '', '', '', '', ...none]);
  for (const kind of values.kinds.split(',')) {
    const files = { recurra: join(folder, 'ours.vec'), fastText: join(folder, 'theirs.vec') };
    const costs: Record<keyof typeof files, Cost[]> = { recurra: [], fastText: [] };
    for (let round = 0; round < rounds; round++) {
      costs.recurra.push(await ours(texts, kind, round, files.recurra));
      costs.fastText.push(theirs(lines, kind, files.fastText));
      say(`${kind}: ${JSON.stringify([costs.recurra.at(-1), costs.fastText.at(-1)])}`);
    }
    const { shares, words, chance } = neighbourAccuracy(Object.values(files).map(readTable));
    say(`neighbours of ${words} nouns; the most frequent subject has ${(100 * chance).toFixed(1)} %`);
    for (const [at, name] of (['recurra', 'fastText'] as const).entries()) {
      const of = (key: keyof Cost) => median(costs[name].map((cost) => cost[key])).toFixed(1);
      const accuracies: string[] = [];
      for (const rows of counts) accuracies.push(await accuracy(train.slice(0, rows), test, files[name]));
      cells([KINDS[kind]!.title, name, of('processor'), of('seconds'), (100 * shares[at]!).toFixed(1), ...accuracies]);
    }
  }
}

const unknown = values.kinds.split(',').find((kind) => !(kind in KINDS));
if (values.help || unknown !== undefined) {
  say(unknown === undefined ? USAGE : `there is no kind ${JSON.stringify(unknown)}\n${USAGE}`);
  process.exitCode = values.help ? 0 : 2;
} else {
  const folder = mkdtempSync(join(tmpdir(), 'recurra-vectors-'));
  await main(folder)
    .catch((error: unknown) => {
      if (!(error instanceof Missing)) throw error;
      say(error.message);
      process.exitCode = 2;
    })
    .finally(() => rmSync(folder, { recursive: true, force: true }));
}
