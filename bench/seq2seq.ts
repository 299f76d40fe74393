/**
 * Seq2Seq's network compared with the same one in PyTorch: pronunciations of English words, one unit after the other:
 * `npm run bench -- seq2seq [quick|full] [OPTIONS]`.
 *
 * Both begin with the same weights and read the same batches; the loss of the first batch shows that they compute the same. PyTorch is
 * measured in all its settings, and the best counts for each work.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Child } from './compare/child.js';
import { median } from './compare/measure.js';
import { BenchError, setUpPython } from './compare/python.js';
import { Missing } from './quality/packages.js';
import { pronunciations } from './seq2seq/data.js';
import type { Spec } from './seq2seq/ours.js';
import { type Measured, type Row, TITLES, tableOf, WORKS, type Work } from './seq2seq/report.js';

const USAGE = `usage: npm run bench -- seq2seq [quick|full] [OPTIONS]

  quick          the first shape, short measurements: about a minute
  full           all shapes (default): about ten minutes
  --threads N    of both in training and with many words (default: as many as processors)
  --python FILE  a Python that has torch 2.11.0 and numpy (or RECURRA_BENCH_PYTHON); default: one in the cache folder, which is made if
                 it is not there
  --json FILE    writes the figures to a file too`;

type Shape = Pick<Spec, 'cell' | 'attention' | 'hidden' | 'embedding' | 'batch'>;

const SHAPES: readonly Shape[] = [
  { cell: 'lstm', attention: 'luong', hidden: 128, embedding: 64, batch: 64 },
  { cell: 'lstm', attention: 'luong', hidden: 256, embedding: 64, batch: 128 },
  { cell: 'gru', attention: 'bahdanau', hidden: 128, embedding: 64, batch: 64 },
];

/** PyTorch's ways: the encoder packed, or padded, which reads the padding too; a step by the layer or by the cell; its threads. */
interface Setting {
  encoder: 'packed' | 'padded';
  step: 'layer' | 'cell';
  threads: number;
}

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const shapeName = ({ cell, attention, hidden, batch }: Shape): string =>
  `${cell.toUpperCase()} ${hidden}, ${attention}, batch ${batch}`;

const settingName = ({ encoder, step, threads }: Setting): string =>
  `${encoder}, step by ${step}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;

/** A program of the other side with one of its settings. */
class Other {
  constructor(
    readonly setting: Setting,
    readonly child: Child,
  ) {}

  async measure(work: Work, seconds: number): Promise<number> {
    await this.child.request('threads', { threads: this.setting.threads });
    return this.child.request(work, { seconds });
  }
}

/** Measures a shape: short looks at all of PyTorch's settings, then both sides in turns. */
async function measureShape(
  shape: Shape,
  options: Options,
  python: string,
  folder: string,
  versions: Record<string, string>,
): Promise<Row[]> {
  const { threads, seconds } = options;
  const data = pronunciations(shape.batch * 160, shape.batch);
  const { train, words, one, sources, targets } = data;
  writeFileSync(join(folder, 'pairs.json'), JSON.stringify({ train, words, one }));
  const spec: Spec = { ...shape, sources, targets, longest: 30, folder };
  const file = (name: string) => fileURLToPath(new URL(`seq2seq/${name}`, import.meta.url));
  const ours = new Child('recurra', process.execPath, [...process.execArgv, file('ours.ts'), `${threads}`], {});
  const children: Child[] = [ours];
  try {
    Object.assign(versions, await ours.request('hello'));
    await ours.request('load', { ...spec, seconds: 4 * seconds });
    const loss = await ours.request<number>('loss');
    const others: Other[] = [];
    for (const encoder of ['packed', 'padded'] as const)
      for (const step of ['layer', 'cell'] as const) {
        const child = new Child('PyTorch', python, ['-B', '-u', '-W', 'ignore', file('network.py'), `${threads}`], {});
        children.push(child);
        Object.assign(versions, await child.request('hello'));
        await child.request('load', { ...spec, settings: { encoder, step } });
        const theirs = await child.request<number>('loss');
        // What reads the padding computes something else in batches of unequal lengths.
        if (encoder === 'packed' && Math.abs(theirs - loss) > 1e-4)
          throw new BenchError(`the losses of the first batch differ: ${loss} and ${theirs}`);
        for (const n of new Set([1, threads])) others.push(new Other({ encoder, step, threads: n }, child));
      }
    say(`${shapeName(shape)}: the loss of the first batch is ${loss.toFixed(5)} on both sides`);
    const rows: Row[] = [];
    for (const work of WORKS) rows.push(await measureWork(work, shape, ours, others, options));
    return rows;
  } finally {
    for (const child of children) child.close();
  }
}

/**
 * Measures a work in turns. Of PyTorch take part what looks best with one thread and with all: which of the two is better changes with
 * what else the machine does.
 */
async function measureWork(
  work: Work,
  shape: Shape,
  ours: Child,
  others: readonly Other[],
  { turns, seconds }: Options,
): Promise<Row> {
  const best: Other[] = [];
  for (const threads of new Set(others.map(({ setting }) => setting.threads))) {
    const same = others.filter(({ setting }) => setting.threads === threads);
    best.push(await bestOf(same, work, seconds / 3));
  }
  const mine: number[] = [];
  const theirs = best.map((): number[] => []);
  for (let turn = 0; turn < turns; turn++) {
    const sides = [
      async () => mine.push(await ours.request<number>(work, { seconds })),
      ...best.map((other, at) => async () => theirs[at]!.push(await other.measure(work, seconds))),
    ];
    for (let i = 0; i < sides.length; i++) await sides[(turn + i) % sides.length]!();
  }
  const figures = theirs.map(median);
  const figure = work === 'one' ? Math.min(...figures) : Math.max(...figures);
  const middle = median(mine);
  const ratio = work === 'one' ? figure / middle : middle / figure;
  const [title, unit] = TITLES[work];
  say(`  ${title}: ${middle.toFixed(0)} and ${figure.toFixed(0)} ${unit}, ${ratio.toPrecision(3)}x`);
  const setting = settingName(best[figures.indexOf(figure)]!.setting);
  return { work, shape: shapeName(shape), ours: middle, theirs: figure, setting, ratio };
}

/** The setting that looks best. */
async function bestOf(others: readonly Other[], work: Work, seconds: number): Promise<Other> {
  let [best, figure] = [others[0]!, Number.NaN];
  for (const other of others) {
    const value = await other.measure(work, seconds);
    if (Number.isNaN(figure) || (work === 'one' ? value < figure : value > figure)) [best, figure] = [other, value];
  }
  return best;
}

interface Options {
  shapes: readonly Shape[];
  threads: number;
  turns: number;
  seconds: number;
  python: string | undefined;
  json: string | undefined;
}

function readOptions(): Options | 'help' {
  const text = { type: 'string' } as const;
  const parse = () =>
    parseArgs({
      options: { threads: text, python: text, json: text, help: { type: 'boolean' } },
      allowPositionals: true,
    });
  let line: ReturnType<typeof parse>;
  try {
    line = parse();
  } catch (error) {
    throw new BenchError(`${(error as Error).message}\n${USAGE}`);
  }
  const { values, positionals } = line;
  if (values.help) return 'help';
  const [mode = 'full', ...more] = positionals;
  if (!['quick', 'full'].includes(mode) || more.length > 0)
    throw new BenchError(`expected quick or full, not ${JSON.stringify(positionals.join(' '))}\n${USAGE}`);
  const threads = values.threads === undefined ? availableParallelism() : Number(values.threads);
  if (!Number.isInteger(threads) || threads < 1)
    throw new BenchError(`--threads must be a whole number above 0, not ${JSON.stringify(values.threads)}\n${USAGE}`);
  const quick = mode === 'quick';
  return {
    shapes: quick ? SHAPES.slice(0, 1) : SHAPES,
    threads,
    turns: quick ? 3 : 5,
    seconds: quick ? 1 : 1.5,
    python: values.python ?? process.env.RECURRA_BENCH_PYTHON,
    json: values.json,
  };
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options === 'help') return say(USAGE);
  const python = setUpPython(options.python, say);
  const busy = loadavg()[0]! > availableParallelism() / 2;
  if (busy) say('Other programs are running: times are worth little, ratios more.');
  const [rows, versions]: [Row[], Record<string, string>] = [[], {}];
  for (const shape of options.shapes) {
    const folder = mkdtempSync(join(tmpdir(), 'recurra-seq2seq-'));
    try {
      rows.push(...(await measureShape(shape, options, python, folder, versions)));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    if (options.json !== undefined) {
      const measured: Measured = {
        processor: cpus()[0]?.model ?? 'unknown',
        cores: availableParallelism(),
        threads: options.threads,
        date: new Date().toISOString(),
        busy,
        versions,
        rows,
      };
      writeFileSync(options.json, `${JSON.stringify(measured, null, 2)}\n`);
    }
  }
  console.log(tableOf(rows));
}

await main().catch((error: unknown) => {
  if (!(error instanceof BenchError || error instanceof Missing)) throw error;
  say(error.message);
  process.exitCode = 2;
});
