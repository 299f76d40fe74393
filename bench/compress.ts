/**
 * What compression costs a classifier, next to fastText's own where there is one: `npm run bench -- compress --help`.
 *
 * Nothing is chosen by the test rows: recurra's compression sees no rows, fastText's retrains on the training rows.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { basicEnglish, type CompressOptions, type LabelledText, TextClassifier } from 'recurra';
import { SETS } from './quality/sets.js';

const USAGE = `usage: npm run bench -- compress [OPTIONS]

  --set NAME      of ${SETS.map(({ name }) => name).join(', ')} (default ag-news)
  --rows N        training rows (default: all)
  --sizes N,N     bytes of the files (default 500000,1000000,1600000,2000000,5000000)
  --bits N,N      compression without a size, by bits (default 8)
  --seed N        of the training (default 0)
  --threads N     of both (default: as many as processors)
  --python FILE   a Python that has fasttext (or RECURRA_BENCH_PYTHON; default python3); "none" measures recurra alone`;

const { values } = parseArgs({
  options: {
    set: { type: 'string', default: 'ag-news' },
    rows: { type: 'string', default: '0' },
    sizes: { type: 'string', default: '500000,1000000,1600000,2000000,5000000' },
    bits: { type: 'string', default: '8' },
    seed: { type: 'string', default: '0' },
    threads: { type: 'string', default: String(availableParallelism()) },
    python: { type: 'string', default: process.env.RECURRA_BENCH_PYTHON ?? 'python3' },
    help: { type: 'boolean', default: false },
  },
});
const [sizes, bits] = [values.sizes, values.bits].map((list) => list.split(',').filter(Boolean).map(Number)) as [
  number[],
  number[],
];
const threads = Number(values.threads);

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
const cells = (list: readonly string[]): void => console.log(`| ${list.join(' | ')} |`);
const count = (number: number) => number.toLocaleString('en-US');
const percent = (share: number) => `${(100 * share).toFixed(2)} %`;

/** A model's file and its share of right labels. */
interface Measured {
  bytes: number;
  accuracy: number;
}

/** What fastText makes for each size, after the whole model; undefined without fastText, null for a size that it cannot make. */
function theirs(folder: string, train: readonly LabelledText[], test: readonly LabelledText[]) {
  if (values.python === 'none') return undefined;
  const labels = [...new Set(train.map(({ label }) => label))];
  const write = (name: string, rows: readonly LabelledText[]) => {
    const lines = rows.map(({ text, label }) => `__label__${labels.indexOf(label)} ${basicEnglish(text).join(' ')}\n`);
    writeFileSync(join(folder, name), lines.join(''));
    return join(folder, name);
  };
  const program = fileURLToPath(new URL('compress/fasttext.py', import.meta.url));
  const args = [program, write('train.txt', train), write('test.txt', test), folder, String(threads)];
  const { status, stdout, stderr, error } = spawnSync(values.python, [...args, ...sizes.map(String)], {
    encoding: 'utf8',
  });
  if (status !== 0) {
    say(`without fastText: ${values.python}: ${error?.message ?? stderr.trim().split('\n').at(-1)}`);
    return undefined;
  }
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Measured | null);
}

async function main(folder: string): Promise<void> {
  const { train: all, test } = await SETS.find(({ name }) => name === values.set)!.load();
  const train = all.slice(0, Number(values.rows) || undefined);
  await using model = await TextClassifier.train(train, { seed: Number(values.seed), threads, onEvent() {} });
  const file = join(folder, 'whole.safetensors');
  await model.save(file);
  const before = (await model.evaluate(test)).accuracy;
  say(`${count(train.length)} training rows, ${count(test.length)} test rows, ${threads} threads`);
  const [whole, ...others] = theirs(folder, train, test) ?? [];
  const lost = (accuracy: number, of: number) => (100 * (of - accuracy)).toFixed(2);
  const beside = (found: Measured | null | undefined) =>
    found && whole ? [percent(found.accuracy), lost(found.accuracy, whole.accuracy), count(found.bytes)] : ['', '', ''];
  cells(['limit', 'recurra', 'points lost', 'bytes', 'words, n-grams', 'fastText', 'points lost', 'bytes']);
  console.log(`|${'---|'.repeat(8)}`);
  cells(['none', percent(before), '', count(statSync(file).size), '', ...beside(whole)]);
  const asked: [CompressOptions, string][] = [
    ...sizes.map((maxBytes): [CompressOptions, string] => [{ maxBytes }, count(maxBytes)]),
    ...bits.map((of): [CompressOptions, string] => [{ bits: of as 8 }, `${of} bits`]),
  ];
  for (const [at, [options, title]] of asked.entries()) {
    await using small = await model.compress(options);
    const { bytes, code, words, features } = small.compression!;
    const { accuracy } = await small.evaluate(test);
    const kept = `${count(words)} as ${code}, ${count(features ?? 0)}`;
    cells([title, percent(accuracy), lost(accuracy, before), count(bytes), kept, ...beside(others[at])]);
  }
}

if (values.help) console.log(USAGE);
else if (!SETS.some(({ name }) => name === values.set)) {
  say(`there is no set ${values.set}\n\n${USAGE}`);
  process.exitCode = 2;
} else {
  const folder = mkdtempSync(join(tmpdir(), 'recurra-compress-'));
  try {
    await main(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
