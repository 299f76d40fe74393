/**
 * What the linear model beside the network costs: how long training and answers take with it and without, how much memory, how
 * large the file is, and how long scikit-learn takes for the same rows on the same threads.
 *
 *     python bench/quality/sets.py SHARED FOLDER banking77 ag-news-8000 ag-news     # once
 *     node --import tsx bench/quality/expert.ts FOLDER [WHAT ...] [--python PYTHON] [--rounds 3]
 *
 * WHAT is some of `answers`, `banking77`, `ag-news`, `labels` and `million`; all but the last by default, which needs 6 GB and half
 * an hour. What is compared runs in turns, each in a process of its own, and the ratios are those of the medians: on a machine that
 * others use the ratios mean something, the seconds do not.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type LabelledText, TextClassifier, type TrainOptions } from '../../src/index.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: 'string', default: 'python3' },
    rounds: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    child: { type: 'string' },
  },
});
const [folder, ...asked] = positionals as [string, ...string[]];
const rounds = Number(values.rounds);
const threads = Number(values.threads);

const rowsOf = (name: string, part: 'train' | 'test'): LabelledText[] =>
  readFileSync(join(folder, `${name}.${part}.jsonl`), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as LabelledText);

const median = (list: number[]) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]!;
const ratio = (of: number[], to: number[]) => (median(of) / median(to)).toFixed(2);

/** What a child measures. */
interface Measured {
  seconds: number;
  /** Seconds of processors. */
  processor: number;
  /** Largest resident memory. */
  megabytes: number;
  fileMegabytes?: number;
  accuracy: number;
}

/** What a child is to do. */
interface Work {
  set: 'labels' | 'million' | (string & {});
  options: TrainOptions;
}

/** Rows of 20,000 labels, three each. */
function manyLabels(): LabelledText[] {
  const word = (number: number) => `w${number.toString(36)}`;
  return Array.from({ length: 60_000 }, (_, row) => {
    const label = row % 20_000;
    return { text: `${word(label)} ${word((label * 7 + row) % 9_973)} ${word(row % 31)}`, label: `label ${label}` };
  });
}

/** A million rows of news: words of two rows mixed, so that hardly a row comes twice. */
function* million(): Generator<LabelledText> {
  const news = rowsOf('ag-news', 'train');
  for (let row = 0; row < 1_000_000; row++) {
    const { text, label } = news[row % news.length]!;
    const other = news[(row * 7_919 + Math.floor(row / news.length)) % news.length]!.text.split(' ');
    const words = text.split(' ');
    for (let at = 3; at < words.length; at += 4) words[at] = other[at % other.length]!;
    yield { text: words.join(' '), label };
  }
}

async function child({ set, options }: Work): Promise<Measured> {
  const made = set === 'labels' || set === 'million';
  const rows = set === 'labels' ? manyLabels() : set === 'million' ? million() : rowsOf(set, 'train');
  const tests =
    set === 'labels' ? (rows as LabelledText[]) : set === 'million' ? rowsOf('ag-news', 'test') : rowsOf(set, 'test');
  const usage = process.resourceUsage();
  const began = performance.now();
  const model = await TextClassifier.train(rows, { threads, ...options });
  const seconds = (performance.now() - began) / 1000;
  const after = process.resourceUsage();
  const path = join(tmpdir(), `recurra-expert-${process.pid}`);
  await model.save(path);
  const fileMegabytes = statSync(path).size / 1e6;
  rmSync(path);
  const { accuracy } = (await model.evaluate(tests)) as { accuracy: number };
  await model.close();
  const processor = (after.userCPUTime + after.systemCPUTime - usage.userCPUTime - usage.systemCPUTime) / 1e6;
  const megabytes = (made ? process.resourceUsage() : after).maxRSS / 1024;
  return { seconds, processor, megabytes, fileMegabytes, accuracy: 100 * accuracy };
}

function run(work: Work): Measured {
  const self = fileURLToPath(import.meta.url);
  const flags = ['--child', JSON.stringify(work), '--threads', String(threads)];
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--import', 'tsx', self, folder, ...flags], {
    encoding: 'utf8',
    maxBuffer: 1 << 24,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Measured;
}

const SCIKIT_LEARN = `
import json, sys, time, resource
sys.path.insert(0, sys.argv[1])
from compare import scikit_learn
read = lambda part: [(row["text"], row["label"]) for row in map(json.loads, open(sys.argv[2] + "." + part + ".jsonl", encoding="utf-8"))]
train, test = read("train"), read("test")
before = time.process_time()
found = scikit_learn(train, test, 1)
print(json.dumps({**found, "processor": time.process_time() - before, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
`;

function scikitLearn(set: string): Measured {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const { stdout, stderr, status } = spawnSync(values.python, ['-c', SCIKIT_LEARN, here, join(folder, set)], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Measured;
}

const print = (line: string) => process.stdout.write(`${line}\n`);

function row(what: string, list: Measured[]): void {
  const of = (key: keyof Measured, digits = 1) => {
    const given = list.map((one) => one[key]).filter((value) => value !== undefined);
    return given.length > 0 ? median(given).toFixed(digits) : '';
  };
  const cells = [of('accuracy'), of('seconds'), of('processor'), of('megabytes', 0), of('fileMegabytes')];
  print(`| ${what} | ${cells.join(' | ')} |`);
}

/** Runs all in turns, prints a row for each, and the ratios to one of them. */
function compared(title: string, all: Record<string, () => Measured>, to: string, times = rounds): void {
  const lists: Record<string, Measured[]> = Object.fromEntries(Object.keys(all).map((name) => [name, []]));
  for (let round = 0; round < times; round++) for (const [name, work] of Object.entries(all)) lists[name]!.push(work());
  print(
    `\n| ${title} | accuracy, % | seconds | processor seconds | MB resident | MB of the file |\n|---|---|---|---|---|---|`,
  );
  for (const [name, list] of Object.entries(lists)) row(name, list);
  const secondsOf = (name: string, key: 'seconds' | 'processor') => lists[name]!.map((one) => one[key]);
  for (const name of Object.keys(all).filter((one) => one !== to)) {
    const ratios = (['seconds', 'processor'] as const).map((key) => ratio(secondsOf(name, key), secondsOf(to, key)));
    print(`${name}: ${ratios[0]} times the seconds, ${ratios[1]} times the processor seconds of ${to}`);
  }
}

/** Answers with the linear model and without it, one after the other and many together. */
async function answers(): Promise<void> {
  const rows = rowsOf('ag-news-8000', 'train');
  const texts = rowsOf('ag-news-8000', 'test').map(({ text }) => text);
  const both = await TextClassifier.train(rows, { epochs: 1, threads });
  const alone = await TextClassifier.train(rows, { epochs: 1, threads, linear: false });
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
  const times = { one: [[], []] as number[][], bulk: [[], []] as number[][] };
  for (let round = 0; round < 30; round++) {
    for (const [at, model] of [both, alone].entries()) times.one[at]!.push(await one(model, 200 * (round % 30)));
  }
  for (let round = 0; round < 10; round++)
    for (const [at, model] of [both, alone].entries()) times.bulk[at]!.push(await bulk(model));
  print('\n| an answer | microseconds with | without | ratio |\n|---|---|---|---|');
  for (const [name, [a, b]] of Object.entries(times)) {
    const micro = [a!, b!].map((list) => (1000 * median(list)).toFixed(1));
    print(`| ${name === 'one' ? 'one text' : 'many texts'} | ${micro.join(' | ')} | ${ratio(a!, b!)} |`);
  }
}

const WORKS: Record<string, () => void | Promise<void>> = {
  answers,
  banking77: () =>
    compared(
      'banking77',
      {
        'the defaults': () => run({ set: 'banking77', options: {} }),
        'recurrent: false': () => run({ set: 'banking77', options: { recurrent: false } }),
        'scikit-learn': () => scikitLearn('banking77'),
      },
      'scikit-learn',
    ),
  'ag-news': () => {
    compared(
      'AG News',
      {
        'the defaults': () => run({ set: 'ag-news', options: {} }),
        'linear: false': () => run({ set: 'ag-news', options: { linear: false } }),
      },
      'linear: false',
      1,
    );
    compared(
      'AG News',
      {
        'recurrent: false': () => run({ set: 'ag-news', options: { recurrent: false } }),
        'scikit-learn': () => scikitLearn('ag-news'),
      },
      'scikit-learn',
      1,
    );
  },
  labels: () =>
    compared('20,000 labels', { 'the defaults': () => run({ set: 'labels', options: { epochs: 1 } }) }, '', 1),
  million: () =>
    compared('a million rows', { 'the defaults': () => run({ set: 'million', options: { epochs: 1 } }) }, '', 1),
};

if (values.child !== undefined) print(JSON.stringify(await child(JSON.parse(values.child) as Work)));
else
  for (const name of asked.length > 0 ? asked : Object.keys(WORKS).filter((one) => one !== 'million'))
    await WORKS[name]!();
