/**
 * What a search for settings gains over the defaults, compared with scikit-learn's linear support vector machine on the
 * same rows: `npm run bench -- tune --help`.
 *
 * Settings are chosen by the training rows alone; the test rows measure what came out.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { TextClassifier } from 'recurra';
import { PROGRAMS } from './quality/programs.js';
import { Files, measured } from './quality/run.js';
import { SETS } from './quality/sets.js';

const USAGE = `usage: npm run bench -- tune [SET ...] [OPTIONS]

  SET            of ${SETS.map(({ name }) => name).join(', ')} (default: ag-news-2000, banking77)
  --minutes N    of each search (default 10)
  --seeds N      seeds 0 to N - 1 (default 3)
  --threads N    of each training (default: as many as processors)
  --python FILE  a Python that has scikit-learn (or RECURRA_BENCH_PYTHON; default python3)`;

/** Points that a search may lose against the defaults, on the mean of the seeds. */
const MAY_LOSE = 0.3;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '10' },
    seeds: { type: 'string', default: '3' },
    threads: { type: 'string', default: String(availableParallelism()) },
    python: { type: 'string', default: process.env.RECURRA_BENCH_PYTHON ?? 'python3' },
    help: { type: 'boolean', default: false },
  },
});
const [minutes, seeds, threads] = [values.minutes, values.seeds, values.threads].map(Number) as [
  number,
  number,
  number,
];
const names = positionals.length > 0 ? positionals : ['ag-news-2000', 'banking77'];
const sets = names.map((name) => SETS.find((set) => set.name === name));

const print = (line: string) => process.stdout.write(`${line}\n`);
const mean = (list: number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
const percent = (share: number) => (100 * share).toFixed(2);

async function bench(): Promise<void> {
  for (const set of sets) {
    const { name, load } = set!;
    const { train, test } = await load();
    const folder = mkdtempSync(join(tmpdir(), 'recurra-tune-'));
    try {
      const files = new Files(folder, { train, test });
      const theirs = measured(PROGRAMS.find((each) => each.name === 'scikit-learn')!, files, 0, {
        python: values.python,
        threads,
      });
      print(`${name}: ${train.length} rows, ${test.length} test rows; scikit-learn ${percent(theirs.accuracy)}`);
      const results: { usual: number; tuned: number }[] = [];
      for (let seed = 0; seed < seeds; seed++) {
        const usual = await TextClassifier.train(train, { seed, threads });
        const { accuracy } = await usual.evaluate(test);
        await usual.close();
        const tuning = await TextClassifier.tune(train, { seed, threads, minutes });
        const found = await tuning.model.evaluate(test);
        await tuning.model.close();
        results.push({ usual: accuracy, tuned: found.accuracy });
        const { leaderboard, seconds, verdict } = tuning;
        print(
          `  seed ${seed}: the defaults ${percent(accuracy)}, tuned ${percent(found.accuracy)} (${leaderboard.length} settings in ${seconds.toFixed(0)} s: ${verdict})`,
        );
      }
      const [usual, tuned] = [mean(results.map((each) => each.usual)), mean(results.map((each) => each.tuned))];
      const fine = tuned >= usual - MAY_LOSE / 100 && tuned >= theirs.accuracy;
      print(
        `  mean: the defaults ${percent(usual)}, tuned ${percent(tuned)}, scikit-learn ${percent(theirs.accuracy)}: ${fine ? 'as promised' : 'WORSE THAN PROMISED'}`,
      );
      if (!fine) process.exitCode = 1;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

if (values.help || sets.includes(undefined)) {
  print(USAGE);
  process.exitCode = values.help ? 0 : 2;
} else {
  await bench();
}
