/**
 * Trains recurra's tagger, the usual BiLSTM-CRF in PyTorch and spaCy on the same sentences and compares accuracy and speed:
 * `npm run bench -- tagger --help`. bench/README.md says how it is made fair.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { BenchError, setUpPython } from './compare/python.js';
import { Missing } from './quality/packages.js';
import { type Kept, measureSet, type SetOutcome, twentyTokens } from './tagger/measure.js';
import { readTaggerOptions, type TaggerBenchOptions, USAGE } from './tagger/options.js';
import type { Tagger } from './tagger/programs.js';
import { setUpTaggers } from './tagger/python.js';
import { type Measured, tablesOf } from './tagger/report.js';
import { glove, type TaggedSet, writeParts } from './tagger/sets.js';

// Progress goes to standard error, results to standard output.
const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

async function one(set: TaggedSet, options: TaggerBenchOptions, python: string, kept: Kept): Promise<SetOutcome> {
  const read = await set.load();
  const parts = { ...read, train: read.train.slice(0, options.rows) };
  const folder = mkdtempSync(join(tmpdir(), 'recurra-tagger-'));
  try {
    const work = {
      parts: writeParts(folder, parts),
      scheme: set.scheme,
      vectors: set.vectors ? glove() : null,
      one: twentyTokens(parts.test),
    };
    say(`${set.title}: ${parts.train.length} sentences`);
    return await measureSet(set, parts, work, options, python, say, kept);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function about(outcomes: SetOutcome[], { threads, seconds }: TaggerBenchOptions, busy: boolean): Measured {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    threads,
    limit: seconds,
    date: new Date().toISOString(),
    busy,
    versions: Object.assign({}, ...outcomes.flatMap((set) => set.outcomes.map(({ versions }) => versions))),
    outcomes,
  };
}

/** The sets of an earlier run that this one resumes. */
function earlier({ json, resume, threads, seconds }: TaggerBenchOptions): SetOutcome[] {
  if (!resume || json === undefined || !existsSync(json)) return [];
  const measured = JSON.parse(readFileSync(json, 'utf8')) as Measured;
  if (measured.threads !== threads || measured.limit !== seconds)
    throw new BenchError(`${json} was measured with other --threads or --minutes; give the same ones to resume it`);
  return measured.outcomes;
}

async function main(): Promise<void> {
  const options = readTaggerOptions(process.argv.slice(2));
  if (options === 'help') return say(USAGE);
  const begun = performance.now();
  const others = options.programs.some(({ other }) => other);
  const python = others ? setUpTaggers(setUpPython(options.python, say), options.python !== undefined, say) : '';
  const busy = loadavg()[0]! > availableParallelism() / 2;
  if (busy) say('Other programs are running: times are worth little, ratios more.');
  const before = earlier(options);
  const outcomes = new Map(before.map((outcome) => [outcome.set, outcome]));
  // After each training, so that nothing is lost when it is stopped.
  const keep = (outcome: SetOutcome) => {
    outcomes.set(outcome.set, outcome);
    if (options.json !== undefined)
      writeFileSync(options.json, `${JSON.stringify(about([...outcomes.values()], options, busy), null, 1)}\n`);
  };
  const stored = (set: string, { name }: Tagger) =>
    before.find((outcome) => outcome.set === set)?.outcomes.find(({ program }) => program === name);
  for (const set of options.sets) {
    const known = (tagger: Tagger) => stored(set.name, tagger);
    try {
      const outcome = await one(set, options, python, { known, keep });
      keep(outcome);
      console.log(`\n${tablesOf(outcome)}\n`);
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      say(`${set.title} is SKIPPED: ${error.message}`);
    }
  }
  say(`Took ${((performance.now() - begun) / 1000).toFixed(0)} s.`);
}

await main().catch((error: unknown) => {
  if (!(error instanceof BenchError)) throw error;
  say(error.message);
  process.exitCode = 2;
});
