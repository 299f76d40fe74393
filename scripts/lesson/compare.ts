/**
 * Trains the lesson's networks with several seeds and writes docs/lesson.md, which has the result next to PyTorch's.
 *
 *   node --import tsx scripts/lesson/compare.ts [REFERENCE...] [--data DIR] [--seeds 0,1,2] [--models rnn,lstm,lstm-packed,gru]
 *     [--orders own,torch] [--exchange DIR] [--runs FILE] [--out FILE]
 *
 * REFERENCE: PyTorch's runs, as reference.py writes them; of several files the runs are put together. Default:
 * ../shared/golden/lesson_reference.json next to the checkout, if it is there, and reference.json in this folder.
 * --orders: trainings with rows in an order of our own, and in PyTorch's order. --exchange: a folder that exchange.py
 * wrote from AG News; the table of the first steps is made from it. --runs: a JSON file that keeps our runs (default
 * target/lesson-runs.json); runs that it has already are not done again, so that an interrupted comparison resumes.
 * OMP_NUM_THREADS=1 is faster where other programs use the processor's cores.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { randperm } from 'recurra/torch';
import { defaultRoot, type LessonData, loadLessonData } from '../../examples/lesson/data.js';
import { MODELS } from '../../examples/lesson/models.js';
import { runLesson } from '../../examples/lesson/train.js';
import { type OurRun, page, type Reference, type StepsCheck } from './page.js';
import { largestDifference, replay, STEPS } from './replay.js';

const checkout = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string', default: defaultRoot() },
    seeds: { type: 'string', default: '0,1,2' },
    models: { type: 'string', default: Object.keys(MODELS).join(',') },
    orders: { type: 'string', default: 'own,torch' },
    exchange: { type: 'string' },
    runs: { type: 'string', default: join(checkout, 'target', 'lesson-runs.json') },
    out: { type: 'string', default: join(checkout, 'docs', 'lesson.md') },
  },
});
const usual = [
  join(checkout, '..', 'shared', 'golden', 'lesson_reference.json'),
  join(checkout, 'scripts', 'lesson', 'reference.json'),
];
const paths = positionals.length > 0 ? positionals : usual.filter((path) => existsSync(path));
const references = paths.map((path) => JSON.parse(readFileSync(path, 'utf8')) as Reference);
const reference: Reference = { ...references[0]!, runs: references.flatMap((part) => part.runs) };
const seeds = values.seeds.split(',').map(Number);
const names = values.models.split(',');
const orders = (['own', 'torch'] as const).filter((order) => values.orders.split(',').includes(order));
for (const name of names) if (!Object.hasOwn(MODELS, name)) throw new Error(`--models: there is no ${name}`);
if (seeds.some((seed) => !Number.isSafeInteger(seed) || seed < 0))
  throw new Error(`--seeds: not numbers: ${values.seeds}`);

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

// The same texts, split and counted in the same way, or nothing that follows would compare.
function checkData({ train, test, vocab }: LessonData): void {
  const ours = { rows: train.length, testRows: test.length, vocabulary: vocab.size, tokens: train.tokens.length };
  for (const part of references) {
    for (const [what, value] of Object.entries(ours)) {
      const expected = part[what as keyof typeof ours];
      if (expected !== value) throw new Error(`${what}: PyTorch had ${expected}, we have ${value}`);
    }
  }
}

const runs: OurRun[] = existsSync(values.runs) ? (JSON.parse(readFileSync(values.runs, 'utf8')) as OurRun[]) : [];
const data = await loadLessonData(values.data, reference.rows);
checkData(data);
for (const seed of seeds) {
  for (const model of names) {
    for (const order of orders) {
      const known = runs.some((run) => run.model === model && run.seed === seed && run.order === order);
      if (known) continue;
      const result = await runLesson(MODELS[model]!, data, {
        seed,
        order:
          order === 'torch'
            ? (rows) => Int32Array.from(randperm(rows).toTypedArray() as BigInt64Array, Number)
            : undefined,
      });
      runs.push({ model, seed, order, ...result });
      write(values.runs, JSON.stringify(runs));
      console.log(
        `${model} seed ${seed} order ${order}: training ${result.trainAccuracy.toFixed(4)}, test ${result.testAccuracy.toFixed(4)}, ${result.seconds.toFixed(0)} s`,
      );
    }
  }
}

const checks: StepsCheck[] = [];
if (values.exchange !== undefined) {
  for (const file of readdirSync(values.exchange).filter((name) => name.startsWith('lesson_steps_'))) {
    const result = await replay(join(values.exchange, file));
    checks.push({
      network: result.network,
      first: result.losses[0]!,
      last: result.losses[STEPS - 1]!,
      difference: largestDifference(result),
    });
  }
}
// All runs that are kept, those of an earlier call with other seeds included.
write(values.out, page(reference, runs, checks));
console.log(`written: ${values.out}`);
