/**
 * What a classifier's defaults cost, compared with the network and the linear model alone and scikit-learn:
 * `npm run bench -- costs --help`.
 *
 * What is compared takes turns, each training in its own process, and the ratios are those of the medians. On a machine
 * that others use, the ratios of processor seconds mean something, seconds do not.
 */
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { type LabelledText, TextClassifier, type TrainOptions } from 'recurra';
import { BenchError } from './compare/python.js';
import { Missing } from './quality/packages.js';
import { PROGRAMS, type Program } from './quality/programs.js';
import type { Figures } from './quality/results.js';
import { Files, measured } from './quality/run.js';
import { SETS, type Split } from './quality/sets.js';

const USAGE = `usage: npm run bench -- costs [WHAT ...] [OPTIONS]

  WHAT           of answers, banking77, ag-news, labels, million (default: all but million, which takes half an hour)
  --rounds N     times that each is trained, in turns (default 3)
  --threads N    of each training (default: as many as processors)
  --python FILE  a Python that has scikit-learn (or RECURRA_BENCH_PYTHON; default python3)`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: String(availableParallelism()) },
    python: { type: 'string', default: process.env.RECURRA_BENCH_PYTHON ?? 'python3' },
    help: { type: 'boolean', default: false },
  },
});
const [rounds, threads] = [Number(values.rounds), Number(values.threads)];

const print = (line: string) => process.stdout.write(`${line}\n`);
const median = (list: number[]) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]!;
const ratio = (of: number[], to: number[]) => (median(of) / median(to)).toFixed(2);
const load = (name: string): Promise<Split> => SETS.find((set) => set.name === name)!.load();
const programs = (...names: string[]): Program[] =>
  names.map((name) => PROGRAMS.find((program) => program.name === name)!);

/** Rows of 20,000 labels, three each. */
function manyLabels(): LabelledText[] {
  const word = (number: number) => `w${number.toString(36)}`;
  return Array.from({ length: 60_000 }, (_, row) => {
    const label = row % 20_000;
    return { text: `${word(label)} ${word((label * 7 + row) % 9_973)} ${word(row % 31)}`, label: `label ${label}` };
  });
}

/** A million rows of news: words of two rows mixed, so that hardly a row comes twice. */
function* million(news: readonly LabelledText[]): Generator<LabelledText> {
  for (let row = 0; row < 1_000_000; row++) {
    const { text, label } = news[row % news.length]!;
    const other = news[(row * 7_919 + Math.floor(row / news.length)) % news.length]!.text.split(' ');
    const words = text.split(' ');
    for (let at = 3; at < words.length; at += 4) words[at] = other[at % other.length]!;
    yield { text: words.join(' '), label };
  }
}

const COLUMNS: readonly [title: string, of: (figures: Figures) => number | undefined, digits: number][] = [
  ['accuracy, %', ({ accuracy }) => 100 * accuracy, 1],
  ['seconds', ({ seconds }) => seconds, 1],
  ['processor seconds', ({ processorSeconds }) => processorSeconds, 1],
  ['MB resident', ({ megabytes }) => megabytes, 0],
  ['MB of the file', ({ bytes }) => bytes / 1e6, 1],
];

/** Trains all in turns, prints a row for each, and their ratios to the last one. */
function compared(title: string, all: readonly Program[], run: (program: Program) => Figures): void {
  const lists = all.map((): Figures[] => []);
  for (let round = 0; round < rounds; round++) for (const [at, program] of all.entries()) lists[at]!.push(run(program));
  print(`\n| ${[title, ...COLUMNS.map(([name]) => name)].join(' | ')} |\n|${'---|'.repeat(1 + COLUMNS.length)}`);
  for (const [at, { name }] of all.entries()) {
    const cells = COLUMNS.map(([, of, digits]) => {
      const given = lists[at]!.map(of).filter((value) => value !== undefined);
      return given.length > 0 ? median(given).toFixed(digits) : '';
    });
    print(`| ${name} | ${cells.join(' | ')} |`);
  }
  const last = lists.at(-1)!;
  const ratioOf = (list: Figures[], key: 'seconds' | 'processorSeconds') =>
    ratio(
      list.map((one) => one[key]!),
      last.map((one) => one[key]!),
    );
  for (const [at, { name }] of all.slice(0, -1).entries())
    print(
      `${name}: ${ratioOf(lists[at]!, 'seconds')} times the seconds, ${ratioOf(lists[at]!, 'processorSeconds')} times the processor seconds ` +
        `of ${all.at(-1)!.name}`,
    );
}

/** Answers with the linear model and without it, one after the other and many together. */
async function answers(): Promise<void> {
  const { train, test } = await load('ag-news-8000');
  const texts = test.map(({ text }) => text);
  const options: TrainOptions = { epochs: 1, threads };
  const models = [
    await TextClassifier.train(train, options),
    await TextClassifier.train(train, { ...options, linear: false }),
  ];
  const one = async (model: TextClassifier, from: number) => {
    const began = performance.now();
    for (const text of texts.slice(from, from + 200)) await model.predict(text);
    return (performance.now() - began) / 200;
  };
  const bulk = async (model: TextClassifier) => {
    const began = performance.now();
    await model.predictMany(texts);
    return (performance.now() - began) / texts.length;
  };
  const times = { 'one text': [[], []] as number[][], 'many texts': [[], []] as number[][] };
  for (let round = 0; round < 30; round++)
    for (const [at, model] of models.entries()) times['one text'][at]!.push(await one(model, 200 * round));
  for (let round = 0; round < 10; round++)
    for (const [at, model] of models.entries()) times['many texts'][at]!.push(await bulk(model));
  print('\n| an answer | microseconds with the linear model | without | ratio |\n|---|---|---|---|');
  for (const [name, [both, alone]] of Object.entries(times)) {
    const micro = [both!, alone!].map((list) => (1000 * median(list)).toFixed(1));
    print(`| ${name} | ${micro.join(' | ')} | ${ratio(both!, alone!)} |`);
  }
  for (const model of models) await model.close();
}

const how = { python: values.python, threads };

const WORKS: Readonly<Record<string, (folder: string) => void | Promise<void>>> = {
  answers,
  async banking77(folder) {
    const files = new Files(folder, await load('banking77'));
    compared('banking77', programs('recurra', 'recurra-linear', 'scikit-learn'), (one) => measured(one, files, 0, how));
  },
  async 'ag-news'(folder) {
    const files = new Files(folder, await load('ag-news'));
    const all = programs('recurra', 'recurra-network', 'recurra-linear', 'scikit-learn');
    compared('AG News', all, (one) => measured(one, files, 0, how));
  },
  labels(folder) {
    const rows = manyLabels();
    const files = new Files(folder, { train: rows, test: rows });
    const epoch = { name: 'recurra, one epoch', options: { epochs: 1 } };
    compared('20,000 labels', [epoch], (one) => measured(one, files, 0, how));
  },
  async million(folder) {
    const { train, test } = await load('ag-news');
    const files = new Files(folder, { train: [], test });
    const lines = function* () {
      for (const row of million(train)) yield `${JSON.stringify(row)}\n`;
    };
    await pipeline(Readable.from(lines()), createWriteStream(files.train));
    compared('a million rows', programs('recurra'), (one) => measured(one, files, 0, how, true));
  },
};

async function main(): Promise<void> {
  const asked = positionals.length > 0 ? positionals : Object.keys(WORKS).filter((name) => name !== 'million');
  const unknown = asked.find((name) => !Object.hasOwn(WORKS, name));
  if (values.help) {
    print(USAGE);
    return;
  }
  if (unknown !== undefined) throw new BenchError(`there is no ${JSON.stringify(unknown)}\n${USAGE}`);
  const folder = mkdtempSync(join(tmpdir(), 'recurra-costs-'));
  try {
    for (const name of asked) await WORKS[name]!(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

await main().catch((error: unknown) => {
  if (!(error instanceof BenchError || error instanceof Missing)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
});
