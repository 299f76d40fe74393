import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataSets } from './data.js';
import { type Environment, environment } from './environment.js';
import { Bench } from './measure.js';
import { type CompareOptions, readOptions } from './options.js';
import { BenchError, setUpPython } from './python.js';
import { printReport, writeReport } from './report.js';
import { LESSON } from './shapes.js';
import type { Row } from './types.js';
import { Workers } from './workers.js';
import { Context, THREADS, type Work } from './works/context.js';

/** Other work on the machine beyond this is worth a warning. */
const QUIET_LOAD = 0.5;

// Progress goes to standard error, results to standard output.
const begun = performance.now();
const say = (line: string) => console.error(line);
const secondsSoFar = () => ((performance.now() - begun) / 1000).toFixed(0);

async function run(
  options: CompareOptions,
  all: readonly Work[],
  python: string,
  folder: string,
  check?: (where: Environment) => void,
): Promise<void> {
  const chosen = all.filter(({ name }) => options.only?.test(name) ?? true);
  if (chosen.length === 0) throw new BenchError(`--only ${options.only?.source} fits none of the comparisons`);
  const workers = new Workers(python);
  process.once('exit', () => workers.close());
  try {
    const sets = new DataSets(folder);
    const [where, lesson] = [await environment(workers, THREADS), sets.get(LESSON)];
    check?.(where);
    if (where.load > QUIET_LOAD) {
      say(`Other programs are running (load ${where.load.toFixed(1)}): the figures will be those of a busy machine.`);
    }
    say(`Made-up texts: ${lesson.differentPerBatch.toFixed(0)} different words in 702 tokens.`);
    const bench = new Bench(options, say);
    const context = new Context(bench, workers, sets, options.quick);
    const rows: Row[] = [];
    const failures: string[] = [];
    for (const [i, work] of chosen.entries()) {
      say(`[${i + 1}/${chosen.length}, ${secondsSoFar()} s] ${work.name}`);
      try {
        rows.push(...(await work.run(context)));
      } catch (error) {
        failures.push(work.name);
        say(`  failed: ${(error as Error).stack}`);
      }
      // After each, so that nothing is lost when it is stopped.
      if (options.json !== undefined) writeReport(options.json, where, rows, bench.measurements, options);
    }
    printReport(where, rows);
    say(`Took ${secondsSoFar()} s.`);
    if (failures.length > 0) throw new BenchError(`These comparisons failed, see above: ${failures.join('; ')}`);
  } finally {
    workers.close();
  }
}

/** Runs a comparison as the command line says. */
export async function compare(works: (quick: boolean) => Work[], check?: (where: Environment) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'recurra-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  // So that the folder goes, and the workers end, when it is stopped.
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  try {
    const options = readOptions(process.argv.slice(2));
    await run(options, works(options.quick), setUpPython(options.python, say), folder, check);
  } catch (error) {
    if (!(error instanceof BenchError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}
