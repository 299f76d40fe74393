import { parseArgs } from 'node:util';
import { BenchError } from '../compare/python.js';
import { TAGGERS, type Tagger } from './programs.js';
import { TAGGED_SETS, type TaggedSet } from './sets.js';

/** What the command line says. */
export interface TaggerBenchOptions {
  sets: readonly TaggedSet[];
  programs: readonly Tagger[];
  seeds: number[];
  threads: number;
  /** Sentences to learn from, at most. */
  rows: number;
  /** Most processor seconds of each training of another program. */
  seconds: number;
  /** Most passes of the PyTorch network. */
  epochs: number;
  /** How often each speed is measured, and for how long each time. */
  turns: number;
  turnSeconds: number;
  python: string | undefined;
  json: string | undefined;
  /** Whether what `json` has is kept. */
  resume: boolean;
}

export const USAGE = `usage: npm run bench -- tagger [quick|full] [OPTIONS]

  quick             2,000 sentences of one set, short trainings of the others: under two minutes
  full              all sets to the end (default): over an hour, most of it for the others
  --sets NAMES      only these sets: ${TAGGED_SETS.map(({ name }) => name).join(', ')}
  --programs NAMES  only these: ${TAGGERS.map(({ name }) => name).join(', ')}
  --seeds N         seeds 0 to N - 1 of recurra's trainings (default 3; quick: 1); the others have one
  --threads N       threads of each program (default 1)
  --minutes N       the most minutes of processor time of each training of the others (default 10)
  --python FILE     a Python that has torch 2.11.0, pytorch-crf 0.7.2 and spacy 3.8 (or RECURRA_BENCH_PYTHON); default: one in
                    the cache folder, which is made if it is not there
  --turns N         how often each speed is measured (default 5; quick: 3); 0 for accuracy and time alone
  --json FILE       writes the figures to a file too, after each training
  --resume          keeps the trainings that FILE has, and does the others`;

function count(name: string, text: string, least = 1): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least) return value;
  throw new BenchError(`--${name} must be a whole number from ${least}, not ${JSON.stringify(text)}\n${USAGE}`);
}

function chosen<T extends { name: string }>(option: string, all: readonly T[], names: string): readonly T[] {
  return names.split(',').map((name) => {
    const found = all.find((entry) => entry.name === name.trim());
    if (!found) throw new BenchError(`--${option}: there is no ${JSON.stringify(name)}\n${USAGE}`);
    return found;
  });
}

function parsed(args: readonly string[]) {
  const words = ['sets', 'programs', 'seeds', 'threads', 'minutes', 'turns', 'python', 'json'] as const;
  const options = Object.fromEntries(words.map((name) => [name, { type: 'string' as const }]));
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { ...options, help: { type: 'boolean' }, resume: { type: 'boolean' } },
    allowPositionals: true,
  });
  return {
    values: values as Partial<Record<(typeof words)[number], string> & { help: boolean; resume: boolean }>,
    positionals,
  };
}

/** Reads the command line. */
export function readTaggerOptions(args: readonly string[]): TaggerBenchOptions | 'help' {
  let line: ReturnType<typeof parsed>;
  try {
    line = parsed(args);
  } catch (error) {
    throw new BenchError(`${(error as Error).message}\n${USAGE}`);
  }
  const { values, positionals } = line;
  if (values.help) return 'help';
  const [mode = 'full', ...others] = positionals;
  if (!['quick', 'full'].includes(mode) || others.length > 0)
    throw new BenchError(`expected quick or full, not ${JSON.stringify(positionals.join(' '))}\n${USAGE}`);
  if (values.resume && values.json === undefined) throw new BenchError(`--resume needs --json FILE\n${USAGE}`);
  const quick = mode === 'quick';
  const sets =
    values.sets === undefined
      ? TAGGED_SETS.filter(({ name }) => !quick || name === 'ud-ewt')
      : chosen('sets', TAGGED_SETS, values.sets);
  const seeds = values.seeds === undefined ? (quick ? 1 : 3) : count('seeds', values.seeds);
  const minutes = values.minutes === undefined ? (quick ? 0.3 : 10) : count('minutes', values.minutes);
  return {
    sets,
    programs: values.programs === undefined ? TAGGERS : chosen('programs', TAGGERS, values.programs),
    seeds: Array.from({ length: seeds }, (_, seed) => seed),
    threads: values.threads === undefined ? 1 : count('threads', values.threads),
    rows: quick ? 2_000 : Number.POSITIVE_INFINITY,
    seconds: 60 * minutes,
    epochs: 15,
    turns: values.turns === undefined ? (quick ? 3 : 5) : count('turns', values.turns, 0),
    turnSeconds: quick ? 1 : 3,
    python: values.python ?? process.env.RECURRA_BENCH_PYTHON,
    json: values.json,
    resume: values.resume === true,
  };
}
