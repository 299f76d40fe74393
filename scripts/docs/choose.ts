/**
 * Measures what the choices of docs/choosing-a-model.md do on AG News, and writes the table into that page.
 *
 *     node --import tsx scripts/docs/choose.ts --data FOLDER [--rows 10000] [--seeds 2]
 *
 * FOLDER has AG News' train.csv and test.csv. One thread; the time is that of the processor, not of the clock, so that other
 * programs of a shared machine disturb it less.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { agNews, type LabelledText, Random, TextClassifier, type TrainOptions } from '../../src/index.js';

const CHOICES: [name: string, options: TrainOptions][] = [
  ["the defaults: LSTM, both directions, `'max'`, 64 and 64", {}],
  ["`cell: 'gru'`", { cell: 'gru' }],
  ["`cell: 'rnn'`", { cell: 'rnn' }],
  ['`bidirectional: false`', { bidirectional: false }],
  ["`pooling: 'mean'`", { pooling: 'mean' }],
  ["`pooling: 'last'`", { pooling: 'last' }],
  ["`pooling: 'attention'`", { pooling: 'attention' }],
  ['`hiddenSize: 16`', { hiddenSize: 16 }],
  ['`hiddenSize: 128`', { hiddenSize: 128 }],
  ['`embeddingDim: 16`', { embeddingDim: 16 }],
  ['`numLayers: 2`', { numLayers: 2 }],
  ['`minFreq: 2`', { minFreq: 2 }],
  ['`ngrams: 2, minFreq: 2`', { ngrams: 2, minFreq: 2 }],
  ['`wordDropout: 0.1`', { wordDropout: 0.1 }],
];

const PAGE = 'docs/choosing-a-model.md';
const BETWEEN = /(<!-- table of scripts\/docs\/choose.ts -->\n)[\s\S]*?(<!-- end -->)/;

const { values } = parseArgs({
  options: { data: { type: 'string' }, rows: { type: 'string' }, seeds: { type: 'string' } },
});
if (values.data === undefined) throw new Error('Usage: choose.ts --data FOLDER [--rows 10000] [--seeds 2]');
const count = Number(values.rows ?? 10_000);
const seeds = Number(values.seeds ?? 2);

/** All rows of a part, in its order. */
async function rowsOf(part: AsyncIterable<LabelledText>): Promise<LabelledText[]> {
  const rows: LabelledText[] = [];
  for await (const row of part) rows.push(row);
  return rows;
}

const mean = (numbers: number[]) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;

const { train, test } = await agNews({ root: values.data });
const rows = new Random(0).shuffle(await rowsOf(train)).slice(0, count);
const testRows = await rowsOf(test);

const lines: string[] = [];
for (const [name, options] of CHOICES) {
  const accuracies: number[] = [];
  const seconds: number[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const before = process.cpuUsage();
    const model = await TextClassifier.train(rows, { ...options, seed, threads: 1 });
    const { user, system } = process.cpuUsage(before);
    seconds.push((user + system) / 1e6);
    accuracies.push((await model.evaluate(testRows)).accuracy);
    await model.close();
  }
  const shown = accuracies.map((each) => (100 * each).toFixed(1));
  console.error(name, shown.join(', '), seconds.map((each) => each.toFixed(1)).join(', '));
  lines.push(
    `| ${name} | ${(100 * mean(accuracies)).toFixed(1)} | ${shown.join(', ')} | ${mean(seconds).toFixed(1)} |`,
  );
}

const table = `| options | test accuracy, % | of each seed | processor seconds |
|---|---|---|---|
${lines.join('\n')}

${rows.length.toLocaleString('en-US')} training rows, ${testRows.length.toLocaleString('en-US')} test rows, 4 epochs, one thread, ${seeds} seeds.
`;
const page = readFileSync(PAGE, 'utf8');
if (!BETWEEN.test(page)) throw new Error(`${PAGE} has no place for the table`);
writeFileSync(
  `${PAGE}.new`,
  page.replace(BETWEEN, (_, begin, end) => `${begin}${table}${end}`),
);
renameSync(`${PAGE}.new`, PAGE);
