/**
 * Puts what the comparison wrote with `--json` into bench/compare/results.json and predictions.json, and writes docs/benchmarks.md and what follows from it;
 * without a file it compares first, which takes 22 minutes on two quiet cores.
 *
 *     npm run bench -- page [RESULTS.json...]
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Compared,
  comparedResults,
  isPrediction,
  PREDICTIONS,
  RESULTS,
  writeComparison,
} from '../scripts/docs/comparison.js';
import type { Row } from './compare/types.js';

interface Details {
  environment: Compared['environment'];
  options: { repeats: number };
}

/** Runs the comparison, if the machine is quiet enough for its times to mean something. */
function compared(): string {
  const load = loadavg()[0]!;
  if (load > availableParallelism() / 4)
    throw new Error(
      `Other programs are running (load ${load.toFixed(1)}): measure at a quiet moment, or give files of results`,
    );
  const file = join(tmpdir(), 'recurra-benchmarks.json');
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  const args = [...process.execArgv, main, 'full', '--json', file];
  const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`The comparison ended with code ${status}; what it measured is in ${file}`);
  return file;
}

/** Puts rows into a file of results, with the machine of the first measurement. What was measured again counts with its last figures. */
function put(
  path: string,
  measured: readonly Row[],
  [{ environment, options }, ...others]: [Details, ...Details[]],
): void {
  if (measured.length === 0) return;
  const former = existsSync(path) ? comparedResults(path).rows : [];
  const rows = new Map([...former, ...measured].map((row) => [`${row.work} | ${row.against} | ${row.shape}`, row]));
  const { date, processor, cores, versions } = environment;
  const result: Compared = {
    environment: { processor, cores, date, versions },
    repeats: options.repeats,
    fewest: Math.min(options.repeats, ...others.map(({ options }) => options.repeats)),
    rows: [...rows.values()],
  };
  writeFileSync(`${path}.new`, `${JSON.stringify(result, null, 2)}\n`);
  renameSync(`${path}.new`, path);
}

const given = process.argv.slice(2);
const files = given.length > 0 ? given : [compared()];
const measured = files.flatMap((file) => JSON.parse(readFileSync(file, 'utf8')) as Row[]);
const details = files.map(
  (file) => JSON.parse(readFileSync(file.replace(/\.json$/, '.details.json'), 'utf8')) as Details,
) as [Details];
put(
  RESULTS,
  measured.filter((row) => !isPrediction(row)),
  details,
);
put(PREDICTIONS, measured.filter(isPrediction), details);
writeComparison();
console.log('written: docs/benchmarks.md, its picture, and the figures of README.md and docs/how-it-works.md');
