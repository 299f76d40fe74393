/**
 * Two ranks of one thread compared with one process of two: `npm run bench -- distributed --help`.
 *
 * Both make the same steps with the same rows, in turns, so that a machine which others use slows both; the ratio is the median of those of the turns.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { DataSet, makeTexts } from './compare/data.js';
import { LESSON } from './compare/shapes.js';
import type { Spec, Timed, Work } from './distributed/types.js';
import { loopback, type Wire, wire } from './distributed/wire.js';

const USAGE = `usage: npm run bench -- distributed [OPTIONS]

  --rows LIST       rows of each rank in a step (default 64,256,1024)
  --hidden LIST     sizes of the LSTM (default 32, the lesson's, and 256)
  --turns N         times that each is measured (default 7)
  --seconds S       of each measurement (default 1)
  --wire            also with two network namespaces, 1 Gbit/s and 0.5 ms between them
  --json FILE       write the figures
It needs Linux and root, for the namespaces that count the bytes, and libtorch (recurra libtorch install).`;

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '64,256,1024' },
    hidden: { type: 'string', default: '32,256' },
    turns: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '1' },
    wire: { type: 'boolean', default: false },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const numbers = (list: string) => list.split(',').map(Number);
const median = (list: readonly number[]) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]!;
const RANK = fileURLToPath(new URL('distributed/rank.ts', import.meta.url));
const MEGABITS = 1_000;
const DELAY = 0.5;

/** A process that makes steps. */
class Trainer {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(spec: Spec, { prefix, environment }: Wire, port: number) {
    const [program, ...args] = [
      ...prefix(spec.rank),
      process.execPath,
      ...process.execArgv,
      RANK,
      JSON.stringify(spec),
    ];
    const ranks = {
      RANK: String(spec.rank),
      WORLD_SIZE: String(spec.size),
      MASTER_PORT: String(port),
      OMP_NUM_THREADS: '1',
    };
    this.#child = spawn(program!, args, {
      env: { ...process.env, ...environment, ...ranks },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines: Interface = createInterface({ input: this.#child.stdout! });
    this.#lines = lines[Symbol.asyncIterator]();
  }

  async #next(): Promise<unknown> {
    const { done, value } = await this.#lines.next();
    if (done) throw new Error('a process that trains has ended');
    return JSON.parse(value);
  }

  async ready(): Promise<void> {
    await this.#next();
  }

  async steps(count: number): Promise<Timed> {
    this.#child.stdin!.write(`${count}\n`);
    return (await this.#next()) as Timed;
  }

  async end(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin!.end();
    await ended;
  }
}

/** What was found of a work. */
interface Found extends Work {
  wire: string;
  /** Steps in a second of the group of ranks, and of one process with all rows. */
  ranks: number;
  alone: number;
  ratio: number;
  /** The same ratio in seconds of processors, which says less of waiting and more of work; it hardly depends on other programs. */
  processorRatio: number;
  /** Bytes that both ranks together sent in a step, and what dense gradients would take: each rank once, two ranks. */
  bytes: number;
  dense: number;
  /** Seconds of a step of one rank's rows by one thread, without a group. */
  compute: number;
}

/** Numbers of all weights. */
function weights({ hidden }: Work): { embedding: number; others: number } {
  const { embedding, vocabulary, classes } = LESSON;
  return {
    embedding: vocabulary * embedding,
    others: 4 * hidden * (embedding + hidden + 2) + classes * (hidden + 1),
  };
}

let port = 20_000 + (process.pid % 20_000);

async function compared(work: Work, place: Wire, folder: string): Promise<Found> {
  const base = { ...work, vocabulary: LESSON.vocabulary, folder, shares: 2 };
  port++;
  const group = [0, 1].map((rank) => new Trainer({ ...base, rank, size: 2, threads: 1 }, place, port));
  const alone = new Trainer({ ...base, rank: 0, size: 1, threads: 2 }, place, port);
  const single = new Trainer({ ...base, shares: 1, rank: 0, size: 1, threads: 1 }, place, port);
  const all = [...group, alone, single];
  try {
    await Promise.all(all.map((each) => each.ready()));
    const both = async (count: number) => {
      const [first, second] = await Promise.all(group.map((each) => each.steps(count)));
      const bytes = place.prefix(0).join() === place.prefix(1).join() ? first!.bytes : first!.bytes + second!.bytes;
      const processor = first!.processor + second!.processor;
      return { steps: first!.steps, seconds: Math.max(first!.seconds, second!.seconds), processor, bytes };
    };
    await both(4);
    await alone.steps(4);
    await single.steps(4);
    const tried = await alone.steps(3);
    const count = Math.max(3, Math.round((tried.steps * Number(values.seconds)) / tried.seconds));
    const turns: { ranks: number; alone: number; bytes: number; compute: number; processor: number }[] = [];
    for (let turn = 0; turn < Number(values.turns); turn++) {
      const ranks = await both(count);
      const one = await alone.steps(count);
      const own = await single.steps(count);
      turns.push({
        ranks: ranks.steps / ranks.seconds,
        alone: one.steps / one.seconds,
        bytes: ranks.bytes / ranks.steps,
        compute: own.seconds / own.steps,
        processor: one.processor / one.steps / (ranks.processor / ranks.steps),
      });
    }
    const { embedding, others } = weights(work);
    return {
      ...work,
      wire: place.name,
      ranks: median(turns.map(({ ranks }) => ranks)),
      alone: median(turns.map((each) => each.alone)),
      ratio: median(turns.map((each) => each.ranks / each.alone)),
      processorRatio: median(turns.map(({ processor }) => processor)),
      bytes: median(turns.map(({ bytes }) => bytes)),
      dense: 2 * 4 * (embedding + others),
      compute: median(turns.map(({ compute }) => compute)),
    };
  } finally {
    await Promise.all(all.map((each) => each.end().catch(() => {})));
  }
}

const print = (line: string) => process.stdout.write(`${line}\n`);

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'recurra-bench-distributed-'));
  const found: Found[] = [];
  try {
    new DataSet(folder, makeTexts(LESSON.vocabulary, LESSON.lengths, LESSON.classes));
    const titles = [
      'hidden',
      'network',
      'rows a rank',
      'steps/s, 2 ranks',
      'steps/s, 2 threads',
      'ms of one rank alone',
    ];
    print(`| ${[...titles, 'ratio', 'ratio of processor time', 'MB sent in a step', 'dense, MB'].join(' | ')} |`);
    print(`|${'---|'.repeat(titles.length + 4)}`);
    for (const make of [() => loopback(), ...(values.wire ? [() => wire(MEGABITS, DELAY)] : [])]) {
      const place = await make();
      try {
        for (const hidden of numbers(values.hidden)) {
          for (const rows of numbers(values.rows)) {
            const each = await compared({ hidden, rows }, place, folder);
            found.push(each);
            const speeds = [each.ranks.toFixed(1), each.alone.toFixed(1), (1000 * each.compute).toFixed(1)];
            const ratios = [each.ratio.toFixed(2), each.processorRatio.toFixed(2)];
            const bytes = [(each.bytes / 1e6).toFixed(2), (each.dense / 1e6).toFixed(1)];
            print(`| ${[hidden, place.name, rows, ...speeds, ...ratios, ...bytes].join(' | ')} |`);
            if (values.json) writeFileSync(values.json, `${JSON.stringify(found, null, 1)}\n`);
          }
        }
      } finally {
        place.close();
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (values.help) print(USAGE);
else await main();
