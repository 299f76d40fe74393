/**
 * Language models compared with PyTorch: the same network with the same updates, in training and in writing, in turns:
 * `npm run bench -- language [quick]`. bench/README.md says how it is made fair.
 */
import { availableParallelism, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Child } from './compare/child.js';
import { median } from './compare/measure.js';
import { BenchError, setUpPython } from './compare/python.js';

const USAGE = `usage: npm run bench -- language [quick] [OPTIONS]

  quick           three turns of a second each, instead of seven of four
  --threads N     threads of each side (default: as many as processors)
  --only WORK     train or generate
  --clock cpu     divide by the processor's time, on a machine on which other programs run
  --python FILE   a Python with torch 2.11.0; default RECURRA_BENCH_PYTHON, else one that is set up in the cache folder`;

// Progress goes to standard error, results to standard output.
const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** What is measured: `least` is the ratio that recurra is to have at least. */
const WORKS = [
  { work: 'train', hidden: 128, least: 1.5 },
  { work: 'train', hidden: 256, least: 1.15 },
  { work: 'generate', hidden: 128, least: 15 },
] as const;

const file = (name: string) => fileURLToPath(new URL(`language/${name}`, import.meta.url));

/** One work by one contender: figures, of which the largest is the best in training and the smallest in writing. */
interface Contender {
  title: string;
  child: Child;
  settings: { onednn?: boolean };
  values: number[];
}

/** Measures a work by all contenders in turns, beginning with another one each time. */
async function inTurns(
  contenders: Contender[],
  work: 'train' | 'generate',
  hidden: number,
  turns: number,
  seconds: number,
): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    for (let at = 0; at < contenders.length; at++) {
      const { child, settings, values } = contenders[(turn + at) % contenders.length]!;
      values.push(await child.request<number>(work, { hidden, seconds, ...settings }));
    }
  }
}

function read() {
  const { values, positionals } = parseArgs({
    args: process.argv.slice(2),
    options: {
      threads: { type: 'string' },
      only: { type: 'string' },
      clock: { type: 'string', default: 'wall' },
      python: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
    allowPositionals: true,
  });
  if (positionals.some((word) => word !== 'quick' && word !== 'full')) throw new BenchError(USAGE);
  const threads = Number(values.threads ?? availableParallelism());
  if (!['wall', 'cpu'].includes(values.clock)) throw new BenchError(`--clock must be wall or cpu\n${USAGE}`);
  if (!Number.isInteger(threads) || threads < 1)
    throw new BenchError(`--threads must be a number of threads\n${USAGE}`);
  return { ...values, threads, quick: positionals.includes('quick') };
}

async function main(): Promise<void> {
  const { help, threads, only, quick, clock, python: given } = read();
  if (help) return say(USAGE);
  const python = setUpPython(given ?? process.env.RECURRA_BENCH_PYTHON, say);
  if (loadavg()[0]! > availableParallelism() / 2)
    say('Other programs are running: times are worth little, ratios more.');
  const env = (count: number) => ({ OMP_NUM_THREADS: `${count}`, MKL_NUM_THREADS: `${count}` });
  const children: Child[] = [];
  const start = (title: string, command: string, args: string[], count: number): Child => {
    const child = new Child(title, command, [...args, `${count}`, clock], env(count));
    children.push(child);
    return child;
  };
  const node = (count: number) => start('recurra', process.execPath, [...process.execArgv, file('ours.ts')], count);
  const torch = (count: number) => start('PyTorch', python, ['-B', '-u', '-W', 'ignore', file('network.py')], count);
  try {
    const many = { recurra: node(threads), PyTorch: torch(threads) };
    // One character after another leaves nothing for a second thread.
    const alone = threads === 1 ? many : { recurra: node(1), PyTorch: torch(1) };
    console.log('| work | recurra | PyTorch | ratio | at least |\n|---|---|---|---|---|');
    for (const { work, hidden, least } of WORKS.filter((row) => only === undefined || row.work === only)) {
      const { recurra, PyTorch } = work === 'train' ? many : alone;
      const ours: Contender = { title: 'recurra', child: recurra, settings: {}, values: [] };
      const theirs = [true, false].map(
        (onednn): Contender => ({
          title: `PyTorch, oneDNN ${onednn ? 'on' : 'off'}`,
          child: PyTorch,
          settings: { onednn },
          values: [],
        }),
      );
      const contenders = [ours, ...theirs];
      await inTurns(contenders, work, hidden, quick ? 3 : 7, quick ? 1 : 4);
      for (const { title, values } of contenders)
        say(`${work} ${hidden}: ${title}: ${values.map(Math.round).join(', ')}`);
      const better = work === 'train' ? Math.max : Math.min;
      const [mine, best] = [median(ours.values), better(...theirs.map(({ values }) => median(values)))];
      const ratio = work === 'train' ? mine / best : best / mine;
      const unit = work === 'train' ? 'characters/s' : 'us/character';
      const digits = work === 'train' ? 0 : 1;
      console.log(
        `| ${work}, LSTM ${hidden} x 2 | ${mine.toFixed(digits)} ${unit} | ${best.toFixed(digits)} ${unit} | ${ratio.toFixed(2)} | ${least} |`,
      );
    }
  } finally {
    for (const child of children) child.close();
  }
}

await main().catch((error: unknown) => {
  if (!(error instanceof BenchError)) throw error;
  say(error.message);
  process.exitCode = 2;
});
