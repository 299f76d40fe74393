/**
 * Measures what the choices of docs/choosing-a-model.md do on AG News, and writes the table into that page.
 *
 *     node --import tsx scripts/docs/choose.ts --data FOLDER --vectors FILE [--rows 8000] [--seeds 2] [--only PATTERN]
 *
 * FOLDER has AG News' train.csv and test.csv, FILE has GloVe's vectors. `--only` measures the choices whose name matches and
 * keeps the others' figures. One thread; the time is that of the processor, not of the clock, so that other programs of a shared
 * machine disturb it less.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type LabelledText, Random, TextClassifier, type TrainOptions } from '../../src/index.js';
import { agNews } from '../../src/lesson/index.js';

interface Choice {
  name: string;
  options: TrainOptions;
  /** How many times as many training rows. */
  times?: number;
}

const PAGE = 'docs/choosing-a-model.md';
const BETWEEN = /(<!-- table of scripts\/docs\/choose.ts -->\n)([\s\S]*?)(<!-- end -->)/;

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    vectors: { type: 'string' },
    rows: { type: 'string', default: '8000' },
    seeds: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
  },
});
const { data, vectors } = values;
if (data === undefined || vectors === undefined) {
  throw new Error('Usage: choose.ts --data FOLDER --vectors FILE [--rows 8000] [--seeds 2] [--only PATTERN]');
}
const count = Number(values.rows);
const seeds = Number(values.seeds);
const only = new RegExp(values.only);

const CHOICES: Choice[] = [
  { name: "the defaults: LSTM, both directions, `'max'`, 64 and 64", options: {} },
  { name: "`cell: 'gru'`", options: { cell: 'gru' } },
  { name: "`cell: 'rnn'`", options: { cell: 'rnn' } },
  { name: '`bidirectional: false`', options: { bidirectional: false } },
  { name: "`pooling: 'mean'`", options: { pooling: 'mean' } },
  { name: "`pooling: 'last'`", options: { pooling: 'last' } },
  { name: "`pooling: 'attention'`", options: { pooling: 'attention' } },
  { name: '`hiddenSize: 16`', options: { hiddenSize: 16 } },
  { name: '`hiddenSize: 128`', options: { hiddenSize: 128 } },
  { name: '`embeddingDim: 16`', options: { embeddingDim: 16 } },
  { name: '`numLayers: 2`', options: { numLayers: 2 } },
  { name: '`minFreq: 2`', options: { minFreq: 2 } },
  { name: '`embeddings`: GloVe, 50 numbers a word', options: { embeddings: vectors } },
  { name: 'the defaults, four times the rows', options: {}, times: 4 },
];

/** All rows of a part, in its order. */
async function rowsOf(part: AsyncIterable<LabelledText>): Promise<LabelledText[]> {
  const rows: LabelledText[] = [];
  for await (const row of part) rows.push(row);
  return rows;
}

const mean = (numbers: number[]) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;

const before = BETWEEN.exec(readFileSync(PAGE, 'utf8'))?.[2];
if (before === undefined) throw new Error(`${PAGE} has no place for the table`);
const measured = before.split('\n');

const { train, test } = await agNews({ root: data });
const rows = new Random(0).shuffle(await rowsOf(train));
const testRows = await rowsOf(test);

/** Writes the table; after each choice, so that a run that is stopped keeps what it measured. */
function write(lines: readonly string[]): void {
  const done = new Set(lines.map((line) => line.split(' | ')[0]));
  const later = measured.filter((line) => CHOICES.some(({ name }) => line.startsWith(`| ${name} |`)));
  const table = `| options | test accuracy, % | of each seed | processor seconds |
|---|---|---|---|
${[...lines, ...later.filter((line) => !done.has(line.split(' | ')[0]!))].join('\n')}

${count.toLocaleString('en-US')} training rows, ${testRows.length.toLocaleString('en-US')} test rows, 4 epochs, one thread, ${seeds} seeds.
`;
  const page = readFileSync(PAGE, 'utf8');
  writeFileSync(
    `${PAGE}.new`,
    page.replace(BETWEEN, (_, begin, __, end) => `${begin}${table}${end}`),
  );
  renameSync(`${PAGE}.new`, PAGE);
}

const lines: string[] = [];
for (const { name, options, times = 1 } of CHOICES) {
  const known = measured.find((line) => line.startsWith(`| ${name} |`));
  if (known && !only.test(name)) {
    lines.push(known);
    continue;
  }
  const accuracies: number[] = [];
  const seconds: number[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const begun = process.cpuUsage();
    const model = await TextClassifier.train(rows.slice(0, count * times), { ...options, seed, threads: 1 });
    const { user, system } = process.cpuUsage(begun);
    seconds.push((user + system) / 1e6);
    accuracies.push((await model.evaluate(testRows)).accuracy);
    await model.close();
  }
  const shown = accuracies.map((each) => (100 * each).toFixed(1));
  lines.push(
    `| ${name} | ${(100 * mean(accuracies)).toFixed(1)} | ${shown.join(', ')} | ${mean(seconds).toFixed(1)} |`,
  );
  write(lines);
  console.error(lines.at(-1));
}
