import { parseArgs } from 'node:util';
import type { MeasureOptions } from './measure.js';
import { BenchError } from './python.js';

/** What the command line says. */
export interface CompareOptions extends MeasureOptions {
  /** Few settings and shapes, short measurements. */
  quick: boolean;
  only: RegExp | undefined;
  python: string | undefined;
  json: string | undefined;
}

export const USAGE = `usage: npm run bench -- [quick|full] [--only PATTERN] [--repeats N] [--seconds S] [--python FILE] [--json FILE]

  quick            the same works with few settings and shapes, in under two minutes
  full             everything (default)
  --only PATTERN   only comparisons whose name or shape matches this regular expression
  --repeats N      measurements of each contender, of which the median counts (default 5)
  --seconds S      length of a measurement (default 1, quick 0.25)
  --python FILE    a Python that has PyTorch and numpy (or RECURRA_BENCH_PYTHON); default: one set up in the cache folder
  --json FILE      writes the rows to FILE, and machine, versions and every measurement to FILE with .details.json`;

function positive(name: string, text: string, whole: boolean): number {
  const value = Number(text);
  if (!(value > 0) || !Number.isFinite(value) || (whole && !Number.isInteger(value))) {
    throw new BenchError(
      `--${name} must be a ${whole ? 'whole ' : ''}number above 0, not ${JSON.stringify(text)}\n${USAGE}`,
    );
  }
  return value;
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text, 'i');
  } catch (error) {
    throw new BenchError(`--only: ${(error as Error).message}`);
  }
}

/** Reads the command line. */
export function readOptions(args: readonly string[]): CompareOptions {
  const strings = ['only', 'repeats', 'seconds', 'python', 'json'] as const;
  let parsed: { values: Partial<Record<(typeof strings)[number], string>>; positionals: string[] };
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: Object.fromEntries(strings.map((name) => [name, { type: 'string' as const }])),
    });
  } catch (error) {
    throw new BenchError(`${(error as Error).message}\n${USAGE}`);
  }
  const { values, positionals } = parsed;
  const [mode = 'full', ...more] = positionals;
  if ((mode !== 'quick' && mode !== 'full') || more.length > 0) {
    throw new BenchError(`expected quick or full, not ${JSON.stringify(positionals.join(' '))}\n${USAGE}`);
  }
  const quick = mode === 'quick';
  const seconds = values.seconds === undefined ? (quick ? 0.25 : 1) : positive('seconds', values.seconds, false);
  return {
    quick,
    repeats: values.repeats === undefined ? 5 : positive('repeats', values.repeats, true),
    timing: { warmup: seconds / 5, seconds },
    finalists: quick ? 1 : 2,
    probe: { warmup: seconds / 10, seconds: seconds / 3 },
    only: values.only === undefined ? undefined : pattern(values.only),
    python: values.python ?? process.env.RECURRA_BENCH_PYTHON,
    json: values.json,
  };
}
