import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./rank.mjs', import.meta.url));

/** What a rank writes. */
export interface RankLine {
  type: string;
  step?: number;
  ranks?: number;
  rank?: number;
  history?: [loss: number, validation: number][];
  name?: string;
  code?: string;
  message?: string;
}

/** What became of a rank. */
export interface RankEnd {
  lines: RankLine[];
  last: RankLine;
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The file of its model. */
  model: string;
  /** When it ended, in milliseconds. */
  at: number;
}

/** A training in several processes. */
export interface RanksToRun {
  size: number;
  folder: string;
  task: 'classify' | 'tag' | 'language' | 'seq2seq';
  /** Of all ranks, or of each. */
  options: object | ((rank: number) => object);
  rows: unknown | ((rank: number) => unknown);
  /** Called with each line of each rank. */
  onLine?: (rank: number, line: RankLine, children: readonly ChildProcess[]) => void;
}

/** A port that nobody uses. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

let runs = 0;

/** Starts all ranks of a training, as torchrun does, and waits until all have ended. */
export async function runRanks({ size, folder, task, options, rows, onLine }: RanksToRun): Promise<RankEnd[]> {
  const port = await freePort();
  const run = ++runs;
  const of = (value: unknown, rank: number) => (typeof value === 'function' ? value(rank) : value);
  const children: ChildProcess[] = [];
  const ends = Array.from({ length: size }, async (_, rank): Promise<RankEnd> => {
    const model = join(folder, `model ${run} ${rank}`);
    const file = join(folder, `rows ${run} ${rank}.json`);
    writeFileSync(file, JSON.stringify(of(rows, rank)));
    const group =
      size === 1 ? {} : { RANK: rank, WORLD_SIZE: size, LOCAL_RANK: rank, MASTER_ADDR: '127.0.0.1', MASTER_PORT: port };
    const env = {
      ...process.env,
      ...Object.fromEntries(Object.entries(group).map(([name, value]) => [name, `${value}`])),
    };
    const given = JSON.stringify({ distributed: true, ...of(options, rank) });
    const child = spawn(process.execPath, [script, model, task, given, file], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children[rank] = child;
    const exit = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
    const lines: RankLine[] = [];
    for await (const text of createInterface(child.stdout)) {
      const line = JSON.parse(text) as RankLine;
      lines.push(line);
      onLine?.(rank, line, children);
    }
    const [code, signal] = await exit;
    return { lines, last: lines.at(-1) ?? { type: 'nothing' }, code, signal, model, at: performance.now() };
  });
  return Promise.all(ends);
}
