/**
 * Writes docs/benchmarks.md, and what follows from it, from the files of results in `bench`: node --import tsx scripts/docs/comparison.ts
 *
 * `npm run bench -- page` measures, puts the rows into bench/compare/results.json and calls it.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Row } from '../../bench/compare/types.js';
import { shareOf, WHOLE } from '../../bench/roofline/bound.js';
import type { Roofline } from '../../bench/roofline/types.js';
import { PLACE as ROOFLINE, rooflineResults, writeRoofline } from './roofline.js';
import { PLACE as SEQUENCES, writeSequences } from './sequences.js';
import { writeSpeed } from './speed.js';
import { PLACE as TAGGING, writeTagging } from './tagging.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = 'docs/benchmarks.md';

/** The comparison's last measurements: `bench/compare/results.json`. */
export interface Compared {
  environment: { processor: string; cores: number; date: string; versions: Record<string, string | number | boolean> };
  /** Measurements that each figure is the median of: of the lesson's network, and the fewest of any. */
  repeats: number;
  fewest: number;
  rows: Row[];
}

/** Where the results are. */
export const RESULTS = `${root}bench/compare/results.json`;

/** Where those of {@link isPrediction} are, which may come from another machine. */
export const PREDICTIONS = `${root}bench/compare/predictions.json`;

/** What was measured last. */
export function comparedResults(path = RESULTS): Compared {
  return JSON.parse(readFileSync(path, 'utf8')) as Compared;
}

/** Whether a row is one of the bulk prediction of other shapes. */
export function isPrediction({ work }: Pick<Row, 'work'>): boolean {
  return isSweep({ work }) && work.includes('inference');
}

const number = (value: number) => (value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toPrecision(3));
const times = (ratio: number) => `${ratio.toPrecision(3)}x`;
const INT8 = 'int8 recurrent weights';
const isSweep = ({ work }: Pick<Row, 'work'>) => work.startsWith('every shape of the table');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const aligned = head.map((_, column) => (column === 0 ? '---' : '--:'));
  return [line(head), `|${aligned.join('|')}|`, ...rows.map(line)].join('\n');
}

/** The lesson's shape, which most others differ from in one thing. */
const LESSON = ['LSTM 64 -> 32', 'batch 16', '44 tokens', 'vocabulary 95812'];

/** A shape by what it differs in from the lesson's, and which of these things it is. */
export function shortShape(shape: string): { name: string; group: string } {
  const parts = shape.split(', ').filter((part) => !LESSON.includes(part));
  const [cell = ''] = shape.split(' ');
  const names = parts.flatMap((part) => {
    const hidden = /^\w+ 64 -> (\d+)$/.exec(part)?.[1];
    const words = /^vocabulary (\d+)$/.exec(part)?.[1];
    if (words !== undefined) return [`${Number(words).toLocaleString('en-US')} words`];
    if (hidden === undefined) return [part];
    return [...(cell === 'LSTM' ? [] : [cell]), ...(hidden === '32' ? [] : [`hidden ${hidden}`])];
  });
  const kinds = names.map((name) => {
    if (name.startsWith('hidden')) return 'Width';
    if (name.startsWith('batch')) return 'Rows of a batch';
    if (name.includes('tokens')) return 'Length of the texts';
    return name.endsWith('words') ? 'Size of the vocabulary' : 'Cell, layers and directions';
  });
  const group = names.length > 1 ? 'Several at once' : (kinds[0] ?? "The lesson's network");
  return { name: names.join(', ') || "the lesson's", group };
}

/** How much of the machine's bound a training step of the shape reaches, where it was measured. */
function shareOfStep(shape: string, threads: number, { sets }: Roofline): string {
  const measured = shape.replace(/, 44 tokens, vocabulary 95812$/, '');
  if (measured === shape) return '';
  const row = sets[0]!.rows.find(
    (row) =>
      row.kernel.endsWith('training step') && row.part === WHOLE && row.threads === threads && row.shape === measured,
  );
  const share = row && shareOf(row);
  return share === undefined ? '' : `${Math.round(100 * share)} %`;
}

const codedCells = (row: Row | undefined) => (row ? [number(row.ours), times(row.ratio)] : ['', '']);

/** The lowest ratio of some rows and the middle one. */
function range(rows: readonly Row[]): string {
  const ratios = rows.map(({ ratio }) => ratio).sort((a, b) => a - b);
  const middle = (ratios[Math.floor((ratios.length - 1) / 2)]! + ratios[Math.ceil((ratios.length - 1) / 2)]!) / 2;
  return `lowest ratio ${times(ratios[0]!)}, median ${times(middle)}`;
}

/** Shapes of one kind of work by group, and their ratios in short. */
function sweep({ rows }: Compared, kind: 'training' | 'inference', limits?: Roofline): string {
  const list = rows.filter((row) => isSweep(row) && row.work.endsWith(kind));
  const coded = new Map(
    rows.filter(({ work }) => isSweep({ work }) && work.endsWith(INT8)).map((row) => [row.shape, row]),
  );
  if (list.length === 0) return 'Not measured in this run.';
  const [one] = list as [Row];
  const training = kind === 'training';
  const groups = new Map<string, string[][]>();
  for (const row of list) {
    const { name, group } = shortShape(row.shape);
    const cells = [name, number(row.ours), number(row.theirs), times(row.ratio)];
    if (limits) cells.push(shareOfStep(row.shape, row.threads, limits));
    if (!training) cells.push(...codedCells(coded.get(row.shape)));
    groups.set(group, [...(groups.get(group) ?? []), cells]);
  }
  const head = (group: string) => [
    group,
    'recurra',
    'PyTorch',
    'ratio',
    ...(training ? (limits ? ['of the bound'] : []) : ['int8', 'ratio']),
  ];
  const tables = [...groups].map(([group, cells]) => table(head(group), cells));
  const ofCoded = training || coded.size === 0 ? '' : ` With int8: ${range([...coded.values()])}.`;
  const short = `${list.length} shapes: ${range(list)}.${ofCoded}`;
  const unit = one.unit === 'samples/s' ? 'Texts per second in training' : 'Texts per second';
  return `${unit}, ${one.threads} threads. Each row names what differs from the lesson's network and texts. ${short}\n\n${tables.join('\n\n')}`;
}

/** The lesson's network. */
function lesson({ rows }: Compared): string {
  const own = rows.filter((row) => !isSweep(row));
  const training = own.filter(({ work }) => work.startsWith("lesson's packed LSTM, training"));
  const cost = own.filter(({ work }) => work.startsWith('training cost per sample'));
  const beside = own.filter((row) => ['itself', 'one alone'].includes(row.against) && !cost.includes(row));
  const prediction = own.filter((row) => ![...training, ...cost, ...beside].includes(row));
  const without = (text: string) =>
    text.replace(/^lesson's packed LSTM, training, (?:user-composed )?/, '').replace(/, 2 threads$/, '');
  const figures = ({ ours, theirs, ratio }: Row) => [number(ours), number(theirs), times(ratio)];
  const texts = (row: Row) => /\d+ tokens(?: even| uneven)?/.exec(row.shape)![0];
  return [
    'LSTM with 64 numbers per word and 32 units, batches of 16, texts of 44 tokens, 95,812 words; two threads unless a row says otherwise.',
    '### Training, texts per second',
    table(
      ['what is compared', 'recurra', 'PyTorch', 'ratio'],
      training.map((row) => [`${without(row.work)}; ${without(row.against)}`, ...figures(row)]),
    ),
    '"PyTorch\'s best" is the fastest of its settings: optimizer, padded or packed, oneDNN, threads, order of rows. `bench/compare/results.json` names the one that won.',
    '### Prediction',
    table(
      ['what is compared', 'recurra', 'PyTorch', 'ratio'],
      prediction.map((row) => [
        `${row.unit === 'us' ? 'one text, microseconds' : 'many texts, texts per second'}; ${row.against}`,
        ...figures(row),
      ]),
    ),
    '### recurra compared with itself',
    table(
      ['vocabulary, time of a training step', 'us per text', 'with 5,000 words', 'ratio'],
      cost.map((row) => [`${/to ([\d,]+)$/.exec(row.work)![1]} words`, ...figures(row)]),
    ),
    table(
      ['texts per second in training', 'first', 'second', 'ratio'],
      beside.map((row) => [
        row.against === 'itself' ? `packed and padded: ${texts(row)}` : `${row.work}; one alone`,
        ...figures(row),
      ]),
    ),
  ].join('\n\n');
}

/** The machine and the programs of some measurements. */
function machine({ processor, cores, date, versions }: Compared['environment']): string {
  return `${processor}, ${cores} cores, ${date.slice(0, 10)}; recurra ${versions.recurra}, Node.js ${versions.node}, PyTorch ${versions.torch} (${versions.capability}).`;
}

/** The page without the figures of its other scripts. */
export function comparisonPage(compared: Compared, predictions: Compared, rooflines: readonly Roofline[]): string {
  const { environment, repeats, fewest } = compared;
  // Those of another processor say nothing about these figures.
  const limits = rooflines.find(({ processor }) => processor === environment.processor);
  return `# Speed, compared with PyTorch

Written by \`npm run bench -- page\` from the results of \`npm run bench\`; [bench/README.md](../bench/README.md) says what is compared, and how it is
kept fair. Both sides take turns in one run; each figure is the median of ${repeats}${fewest < repeats ? `, of ${fewest} for other shapes` : ''}. On a shared machine, trust the ratios more than the times.
If something was measured more than once, the last measurement counts.

${machine(environment)}

## The lesson's network

${lesson(compared)}

## Other shapes, training

PyTorch's figure is the better of its packed and padded settings.${
    limits
      ? ' "Of the bound" is how much of the machine\'s limit a step reaches\n([below](#the-machines-limit)), where that was measured.'
      : ''
  }

${sweep(compared, 'training', limits)}

## Other shapes, prediction

PyTorch's figure is its forward pass alone, on tensors that are ready; recurra reads strings and returns their labels. "int8" is recurra with
\`recurrentWeights: 'int8'\` ([compressing](compressing.md) has its accuracy), and PyTorch stays at 32 bits.

${machine(predictions.environment)}

${sweep(predictions, 'inference')}

## The machine's limit

\`npm run bench -- roofline\` measures what the machine can do, and how much of that each kernel reaches. The bound of some work is the least time that it
needs: its multiply-adds, its divisions and its bytes, each counted by formula (\`crates/kernels/benches/roofline/work.rs\`) and
divided by the measured rate; the slowest counts. Bytes come from the nearest level of memory that holds all data that the work uses again.
A share above 100 % means that part of the data was nearer. Other virtual machines use the Xeon's L3 too: its measured rates are those of the memory.

${ROOFLINE}

## Taggers

Measured by \`npm run bench -- tagger\`; the times are only as good as the machine was quiet.

${TAGGING}

## Sequence to sequence

\`npm run bench -- seq2seq\` compares the network of \`Seq2Seq\` with the same one in PyTorch: a bidirectional encoder, and a decoder with attention and input
feeding, on pronunciations of the CMU dictionary. Both start with the same weights, take turns, and read the same batches; each figure is a median.

${SEQUENCES}
`;
}

/** Writes the page with all its figures, and what is made of them. */
export function writeComparison(): void {
  const path = `${root}${PAGE}`;
  writeFileSync(`${path}.new`, comparisonPage(comparedResults(), comparedResults(PREDICTIONS), rooflineResults()));
  renameSync(`${path}.new`, path);
  writeRoofline();
  writeTagging();
  writeSequences();
  writeSpeed(comparedResults().rows);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeComparison();
  console.log('written: docs/benchmarks.md, its picture, and the figures of README.md and docs/how-it-works.md');
}
