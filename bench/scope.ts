/**
 * How many texts that a classifier was not made for it finds, if one in twenty texts of its kind may be flagged: `npm run bench -- scope --help`.
 *
 * Nothing of the other texts is seen before: the model's limit comes from its validation rows.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { type LabelledText, TextClassifier, type TrainOptions } from 'recurra';
import { SETS, type Split } from './quality/sets.js';

const NAMES = ['banking77', 'snips'] as const;
const KINDS: Record<string, TrainOptions> = { both: {}, network: { linear: false }, linear: { recurrent: false } };

const USAGE = `usage: npm run bench -- scope [SET ...] [OPTIONS]

  SET            of ${NAMES.join(', ')}, whose texts a model is made for (default: both)
  --kind NAME    of ${Object.keys(KINDS).join(', ')}: what the classifier is made of (default both)
  --seeds N      seeds (default 3)
  --from N       the first one (default 0)
  --threads N    of each training (default: as many as processors)
  --held-out     only the labels that are left out of the training`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kind: { type: 'string', default: 'both' },
    seeds: { type: 'string', default: '3' },
    from: { type: 'string', default: '0' },
    threads: { type: 'string', default: String(availableParallelism()) },
    'held-out': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** One label in this many is left out. */
const LEFT_OUT = 5;
/** Texts that are measured at most of each kind. */
const MOST = 3_000;

const print = (line: string) => process.stdout.write(`${line}\n`);
const load = (name: string) => SETS.find((set) => set.name === name)!.load();
const thinned = (rows: readonly LabelledText[]) =>
  rows.filter((_, at) => at % Math.ceil(rows.length / MOST) === 0).map(({ text }) => text);

/** The share of texts that are flagged. */
async function flagged(model: TextClassifier, rows: readonly LabelledText[]): Promise<number> {
  const found = await model.predictMany(thinned(rows), { outOfScope: true, topK: 1 });
  return found.filter(({ outOfScope }) => outOfScope).length / found.length;
}

/** Trains on a tenth less than all rows, and measures. */
async function measure(name: string, seed: number, { train, test }: Split, others: Record<string, LabelledText[]>) {
  const threads = Number(values.threads);
  const own = values.kind === 'linear' ? {} : { seed };
  await using model = await TextClassifier.train(train, {
    ...KINDS[values.kind],
    ...own,
    validation: 0.1,
    threads,
    onEvent() {},
  });
  const { accuracy } = await model.evaluate(test);
  const parts = [
    `accuracy ${(100 * accuracy).toFixed(1)}`,
    `false alarms ${(100 * (await flagged(model, test))).toFixed(1)} %`,
  ];
  for (const [other, rows] of Object.entries(others))
    parts.push(`${other} ${(100 * (await flagged(model, rows))).toFixed(1)} %`);
  print(`${name}, ${values.kind}, seed ${seed}: ${parts.join(', ')}`);
}

async function bench(): Promise<void> {
  const sets = Object.fromEntries(await Promise.all(NAMES.map(async (name) => [name, await load(name)] as const)));
  for (const name of positionals.length > 0 ? positionals : NAMES) {
    const set = sets[name]!;
    const labels = [...new Set(set.train.map(({ label }) => String(label)))].sort();
    const from = Number(values.from);
    for (let seed = from; seed < from + Number(values.seeds); seed++) {
      if (!values['held-out'])
        await measure(
          name,
          seed,
          set,
          Object.fromEntries(NAMES.filter((each) => each !== name).map((each) => [each, sets[each]!.test])),
        );
      const left = new Set(labels.filter((_, at) => (at + seed) % LEFT_OUT === 2));
      const kept = ({ label }: LabelledText) => !left.has(String(label));
      const split = { train: set.train.filter(kept), test: set.test.filter(kept) };
      await measure(`${name} without ${left.size} labels`, seed, split, {
        'their texts': [...set.train, ...set.test].filter((row) => !kept(row)),
      });
    }
  }
}

if (values.help) print(USAGE);
else await bench();
