/**
 * Trains recurra, scikit-learn and fastText on the same rows and writes docs/quality.md: `npm run bench -- quality --help`.
 *
 * Each training is its own process, one after the other. Results are kept line by line, so that a run that broke off
 * resumes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeQuality } from '../scripts/docs/quality.js';
import { BenchError } from './compare/python.js';
import { oursCode, theirCode } from './quality/code.js';
import { type QualityOptions, readQualityOptions, USAGE } from './quality/options.js';
import { Missing } from './quality/packages.js';
import type { Program } from './quality/programs.js';
import { Results } from './quality/results.js';
import { Files, measured } from './quality/run.js';
import type { QualitySet } from './quality/sets.js';

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

/** Measures all programs on a set. */
async function measure(
  set: QualitySet,
  options: QualityOptions,
  results: Results,
  code: (program: Program) => string,
): Promise<void> {
  const { programs, seeds, threads } = options;
  const wanted = programs.flatMap((program) =>
    (program.oneSeed ? seeds.slice(0, 1) : seeds)
      .map((seed) => ({ program, seed, code: code(program) }))
      .filter((one) => !results.has({ set: set.name, program: program.name, seed: one.seed, threads, code: one.code })),
  );
  if (wanted.length === 0) return say(`${set.name}: measured already`);
  const split = await set.load();
  const folder = mkdtempSync(join(tmpdir(), 'recurra-quality-'));
  try {
    const files = new Files(folder, split);
    const about = {
      set: set.name,
      rows: split.train.length,
      testRows: split.test.length,
      labels: new Set(split.train.map(({ label }) => label)).size,
      threads,
      processor: cpus()[0]?.model ?? 'unknown',
    };
    for (const { program, seed, code } of wanted) {
      const load = loadavg()[0]!;
      const figures = measured(program, files, seed, options);
      results.add({ ...about, program: program.name, seed, code, load, date: new Date().toISOString(), ...figures });
      const { accuracy, logLoss, seconds } = figures;
      say(
        `${set.name}, ${program.name}, seed ${seed}: ${(100 * accuracy).toFixed(1)} %, log loss ${logLoss.toFixed(3)}, ${seconds.toFixed(1)} s`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function main(): Promise<void> {
  const options = readQualityOptions(process.argv.slice(2));
  if (options === 'help') return say(USAGE);
  const { sets, results: path, threads } = options;
  if (!options.pageOnly) {
    const others = options.programs.some((program) => !program.options);
    const [own, their] = [oursCode(), others ? theirCode(options.python) : ''];
    const results = new Results(path);
    if (loadavg()[0]! > availableParallelism() / 2)
      say('Other programs are running: the times of this run are worth little, the rest is not touched by them.');
    say(`${sets.length} sets, ${threads} threads; results go to ${path}`);
    for (const set of sets) {
      try {
        await measure(set, options, results, (program) => (program.options ? own : their));
      } catch (error) {
        if (!(error instanceof Missing)) throw error;
        say(`${set.name} is SKIPPED: ${error.message}`);
      }
    }
  }
  if (options.page) say(`written: ${writeQuality(path).join(', ')}`);
}

await main().catch((error: unknown) => {
  if (!(error instanceof BenchError)) throw error;
  say(error.message);
  process.exitCode = 2;
});
