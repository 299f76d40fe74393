/** One training in its own process, of recurra or of another program. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BenchError } from '../compare/python.js';
import type { Work } from './ours.js';
import type { Program } from './programs.js';
import type { Figures } from './results.js';
import type { Split } from './sets.js';

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Rows in files that both sides read. */
export class Files {
  readonly train: string;
  readonly test: string;

  constructor(folder: string, { train, test }: Split) {
    this.train = join(folder, 'train.jsonl');
    this.test = join(folder, 'test.jsonl');
    for (const [file, rows] of [
      [this.train, train],
      [this.test, test],
    ] as const)
      writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  }
}

/** How a training is run. */
export interface RunOptions {
  python: string;
  threads: number;
}

/**
 * Runs one training and reads its figures.
 *
 * @param files - Where the rows are.
 * @param streamed - Whether recurra reads the rows as it trains, and holds them not as texts in memory.
 * @throws BenchError if the program fails.
 */
export function measured(
  { options, name }: Program,
  { train, test }: Pick<Files, 'train' | 'test'>,
  seed: number,
  { python, threads }: RunOptions,
  streamed = false,
): Figures {
  const work: Work = { train, test, options: { ...options, seed, threads }, streamed };
  const [command, args] = options
    ? [process.execPath, [...process.execArgv, here('ours.ts'), JSON.stringify(work)]]
    : [python, [here('theirs.py'), name, train, test, '--seed', `${seed}`, '--threads', `${threads}`]];
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (status !== 0) throw new BenchError(`${name} failed: ${stderr.trim().split('\n').slice(-3).join(' ')}`);
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Figures;
}
