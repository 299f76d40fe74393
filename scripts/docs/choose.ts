/**
 * Measures what the choices of docs/choosing-a-model.md do to a classifier, and writes the page's tables.
 *
 *     node --import tsx scripts/docs/choose.ts [--vectors FILE] [--seeds 2] [--page]
 *
 * The data sets are those of the bench `quality`; FILE has GloVe's vectors. Figures are kept in `bench/quality/choices.jsonl`, and what
 * stands there is not measured again; `--page` only writes the page. One thread; the time is the processor's, which other programs
 * on a shared machine disturb less.
 */
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { readResults } from '../../bench/quality/results.js';
import { SETS, type Split } from '../../bench/quality/sets.js';
import { TextClassifier, type TrainOptions } from '../../src/index.js';
import { between } from './write.js';

const PAGE = 'docs/choosing-a-model.md';
const FIGURES = 'bench/quality/choices.jsonl';
/** Sets of the table of single settings. */
const NAMES = ['ag-news-2000', 'banking77', 'wordnet-nouns-2000'];
/** Sets of the table of the two models. */
const MIXED = [
  'ag-news-500',
  'ag-news-2000',
  'ag-news-8000',
  'ag-news',
  'banking77',
  'snips',
  'wordnet-verbs',
  'wordnet-nouns-2000',
];
/** Sets of the table of texts without labels: the first rows of a larger one, whose other texts are read without labels. */
const UNLABELLED = ['ag-news-500', 'ag-news-2000', 'ag-news-8000'];

/** One training, measured on the test rows. */
interface Figure {
  choice: string;
  set: string;
  seed: number;
  /** Which of the two models predict. */
  models: 'network' | 'linear' | 'both';
  accuracy: number;
  logLoss: number;
  processorSeconds: number;
}

const { values } = parseArgs({
  options: {
    vectors: { type: 'string' },
    seeds: { type: 'string', default: '2' },
    page: { type: 'boolean', default: false },
  },
});
const seeds = Number(values.seeds);

const DEFAULTS = 'the defaults';
const CHOICES: { name: string; options: TrainOptions }[] = [
  { name: DEFAULTS, options: {} },
  { name: "`cell: 'gru'`", options: { cell: 'gru' } },
  { name: "`cell: 'rnn'`", options: { cell: 'rnn' } },
  { name: "`cell: 'mingru'`", options: { cell: 'mingru' } },
  { name: '`bidirectional: false`', options: { bidirectional: false } },
  { name: "`pooling: 'mean'`", options: { pooling: 'mean' } },
  { name: "`pooling: 'last'`", options: { pooling: 'last' } },
  { name: "`pooling: 'attention'`", options: { pooling: 'attention' } },
  { name: '`hiddenSize: 16`', options: { hiddenSize: 16 } },
  { name: '`hiddenSize: 128`', options: { hiddenSize: 128 } },
  { name: '`embeddingDim: 16`', options: { embeddingDim: 16 } },
  { name: '`embeddingDim: 128`', options: { embeddingDim: 128 } },
  { name: '`numLayers: 2`', options: { numLayers: 2 } },
  { name: '`minFreq: 2`', options: { minFreq: 2 } },
  { name: '`wordDropout: 0`', options: { wordDropout: 0 } },
  { name: '`embeddings`: GloVe, 50 numbers a word', options: { embeddings: values.vectors ?? '' } },
];

const figures = readResults<Figure>(FIGURES);

type Models = Figure['models'];
const MODEL_NAMES = ['network', 'linear', 'both'] as const;
const MODELS: Readonly<Record<Models, TrainOptions>> = {
  network: { linear: false },
  linear: { recurrent: false },
  both: {},
};

const load = (name: string) => SETS.find((set) => set.name === name)!.load();

/** Trains once and keeps the figures, unless they are known. */
async function measure(split: Split, key: Pick<Figure, 'choice' | 'set' | 'seed' | 'models'>, options: TrainOptions) {
  const { choice, set, seed, models } = key;
  if (figures.some((f) => f.choice === choice && f.set === set && f.seed === seed && f.models === models)) return;
  const begun = process.cpuUsage();
  const model = await TextClassifier.train(split.train, { ...options, ...MODELS[models], seed, threads: 1 });
  const { user, system } = process.cpuUsage(begun);
  const evaluation = await model.evaluate(split.test);
  await model.close();
  if (evaluation.multiLabel) throw new Error('every row has one label');
  const { accuracy, logLoss } = evaluation;
  const figure: Figure = { ...key, accuracy, logLoss, processorSeconds: (user + system) / 1e6 };
  figures.push(figure);
  appendFileSync(FIGURES, `${JSON.stringify(figure)}\n`);
  console.error(JSON.stringify(figure));
}

/** Measures seed by seed, so that a run that is stopped leaves every choice with as many seeds. */
async function measureAll(): Promise<void> {
  for (let seed = 0; seed < seeds; seed++) {
    for (const set of NAMES) {
      const split = await load(set);
      for (const { name: choice, options } of CHOICES) {
        if (options.embeddings === '') continue;
        await measure(split, { choice, set, seed, models: 'network' }, options);
        await measure(split, { choice, set, seed, models: 'both' }, options);
      }
    }
    for (const set of MIXED) {
      if (set === 'ag-news' && seed > 0) continue;
      const split = await load(set);
      for (const models of MODEL_NAMES) {
        await measure(split, { choice: DEFAULTS, set, seed, models }, {});
      }
    }
    const unlabelled = (await load('ag-news')).train.map(({ text }) => text);
    for (const set of UNLABELLED) {
      await measure(await load(set), { choice: '`unlabelled`', set, seed, models: 'both' }, { unlabelled });
    }
  }
}

const mean = (numbers: number[]) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;

function of(choice: string, set: string, models: Models): Figure[] {
  return figures.filter((f) => f.choice === choice && f.set === set && f.models === models && f.seed < seeds);
}

function percent(choice: string, set: string, models: Models): string {
  return (100 * mean(of(choice, set, models).map((f) => f.accuracy))).toFixed(1);
}

const title = (name: string) => SETS.find((set) => set.name === name)!.title;
const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

/** What single settings do: accuracies, and the time relative to the defaults. */
function settings(): string {
  const time = (choice: string, set: string) => mean(of(choice, set, 'both').map((f) => f.processorSeconds));
  const measured = CHOICES.filter(({ name }) => NAMES.every((set) => of(name, set, 'both').length > 0));
  return [
    line(['options', ...NAMES.flatMap((name) => [`${title(name)}: network`, 'both']), 'time']),
    `|---|${'--:|'.repeat(2 * NAMES.length + 1)}`,
    ...measured.map(({ name }) =>
      line([
        name,
        ...NAMES.flatMap((set) => [percent(name, set, 'network'), percent(name, set, 'both')]),
        `${mean(NAMES.map((set) => time(name, set) / time(DEFAULTS, set))).toFixed(1)}x`,
      ]),
    ),
  ].join('\n');
}

/** The network, the linear model and both: accuracy, log loss in brackets, and the processor time of training. */
function models(): string {
  const cell = (set: string, models: Models) =>
    `${percent(DEFAULTS, set, models)} (${mean(of(DEFAULTS, set, models).map((f) => f.logLoss)).toFixed(2)})`;
  const seconds = (set: string) =>
    MODEL_NAMES.map((models) => mean(of(DEFAULTS, set, models).map((f) => f.processorSeconds)).toFixed(1)).join(', ');
  return [
    line(['data', 'network', 'linear', 'both', 'processor seconds: network, linear, both']),
    '|---|--:|--:|--:|--:|',
    ...MIXED.filter((set) => MODEL_NAMES.every((models) => of(DEFAULTS, set, models).length > 0)).map((set) =>
      line([title(set), ...MODEL_NAMES.map((models) => cell(set, models)), seconds(set)]),
    ),
  ].join('\n');
}

/** Few rows, with and without the other texts. */
function unlabelled(): string {
  return [
    line(['rows', 'labelled rows alone', 'with `unlabelled`']),
    '|---|--:|--:|',
    ...UNLABELLED.filter((set) => of('`unlabelled`', set, 'both').length > 0).map((set) =>
      line([title(set), percent(DEFAULTS, set, 'both'), percent('`unlabelled`', set, 'both')]),
    ),
  ].join('\n');
}

if (!values.page) await measureAll();
let page = readFileSync(PAGE, 'utf8');
page = between(page, 'choose', `${settings()}\n`, 'settings');
page = between(page, 'choose', `${models()}\n`, 'models');
page = between(page, 'choose', `${unlabelled()}\n`, 'unlabelled');
writeFileSync(`${PAGE}.new`, page);
renameSync(`${PAGE}.new`, PAGE);
