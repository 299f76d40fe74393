import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BenchError } from '../compare/python.js';
import { PROGRAMS, type Program } from './programs.js';
import { type QualitySet, SETS } from './sets.js';

/** What the command line says. */
export interface QualityOptions {
  sets: readonly QualitySet[];
  programs: readonly Program[];
  seeds: number[];
  threads: number;
  python: string;
  /** File of results. */
  results: string;
  /** Whether the page is written. */
  page: boolean;
  /** Whether nothing is measured. */
  pageOnly: boolean;
}

const RESULTS = fileURLToPath(new URL('results.jsonl', import.meta.url));

export const USAGE = `usage: npm run bench -- quality [OPTIONS]

  --sets NAMES      only these sets: ${SETS.map(({ name }) => name).join(', ')}
  --programs NAMES  only these: ${PROGRAMS.map(({ name }) => name).join(', ')}
  --seeds N         seeds 0 to N - 1 (default 3; quick: 1). One is enough for what hardly depends on it
  --quick           small sets and fast programs, under two minutes; does not write the page
  --threads N       threads of each training (default: as many as processors)
  --results FILE    where results are kept and looked for (default bench/quality/results.jsonl)
  --page            nothing but the page, from the results at hand
  --no-page         measures, but does not write the page
  --python FILE     a Python that has scikit-learn and fasttext (or RECURRA_BENCH_PYTHON; default python3)`;

function count(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new BenchError(`--${name} must be a whole number above 0, not ${JSON.stringify(text)}\n${USAGE}`);
}

/** The entries that are named, or all of them. */
function chosen<T extends { name: string }>(
  option: string,
  all: readonly T[],
  names: string | undefined,
): readonly T[] {
  if (names === undefined) return all;
  return names.split(',').map((name) => {
    const found = all.find((entry) => entry.name === name.trim());
    if (!found) throw new BenchError(`--${option}: there is no ${JSON.stringify(name)}\n${USAGE}`);
    return found;
  });
}

function parsed(args: readonly string[]) {
  const words = ['sets', 'programs', 'seeds', 'threads', 'results', 'python'] as const;
  const flags = ['quick', 'page', 'no-page', 'help'] as const;
  const options = Object.fromEntries([
    ...words.map((name) => [name, { type: 'string' as const }]),
    ...flags.map((name) => [name, { type: 'boolean' as const }]),
  ]);
  const { values } = parseArgs({ args: [...args], options });
  return values as Partial<Record<(typeof words)[number], string> & Record<(typeof flags)[number], boolean>>;
}

/** Reads the command line. */
export function readQualityOptions(args: readonly string[]): QualityOptions | 'help' {
  let values: ReturnType<typeof parsed>;
  try {
    values = parsed(args);
  } catch (error) {
    throw new BenchError(`${(error as Error).message}\n${USAGE}`);
  }
  if (values.help) return 'help';
  const { quick = false } = values;
  const sets = chosen('sets', SETS, values.sets);
  const programs = chosen('programs', PROGRAMS, values.programs);
  const seeds = values.seeds === undefined ? (quick ? 1 : 3) : count('seeds', values.seeds);
  return {
    sets: quick && values.sets === undefined ? sets.filter((set) => set.quick) : sets,
    programs:
      values.programs === undefined ? programs.filter(({ slow, named }) => !named && !(quick && slow)) : programs,
    seeds: Array.from({ length: seeds }, (_, seed) => seed),
    threads: values.threads === undefined ? availableParallelism() : count('threads', values.threads),
    python: values.python ?? process.env.RECURRA_BENCH_PYTHON ?? 'python3',
    results: values.results ?? RESULTS,
    page: !values['no-page'] && (values.page === true || !quick),
    pageOnly: values.page === true,
  };
}
