import { MODELS } from '../../examples/lesson/models.js';
import type { LessonResult } from '../../examples/lesson/train.js';

/** One training. */
export interface Run extends Omit<LessonResult, 'rows'> {
  /** Name of the network. */
  model: string;
  /** Seed. */
  seed: number;
}

/** One of our trainings, with the rows in an order of the loader's own or in the order that PyTorch had for this seed. */
export interface OurRun extends Run {
  /** Which order of rows it had. */
  order: 'own' | 'torch';
}

/** PyTorch's trainings, as lesson_reference.json has them. */
export interface Reference {
  /** PyTorch's version. */
  torch: string;
  /** Training rows. */
  rows: number;
  /** Test rows. */
  testRows: number;
  /** Size of the vocabulary. */
  vocabulary: number;
  /** Tokens of the training rows. */
  tokens: number;
  /** The trainings; its networks' names have `_` where ours have `-`. */
  runs: Run[];
}

/** How the first training steps of a network compare. */
export interface StepsCheck {
  /** Name of the network. */
  network: string;
  /** Loss of the first step. */
  first: number;
  /** Loss of the last compared step. */
  last: number;
  /** Largest difference of a step's loss. */
  difference: number;
}

/** Samples at which running accuracies are shown; the reference has every 3,200. */
const COUNTS = [3200, 16000, 32000, 48000, 64000];

/** One compared figure of a training. */
interface Figure {
  name: string;
  digits: number;
  of(run: Run): number;
}

const FIGURES: Figure[] = [
  ...COUNTS.map((count) => ({
    name: `running accuracy at ${count.toLocaleString('en')}`,
    digits: 4,
    of: (run: Run) => run.curve.find(([at]) => at === count)?.[1] ?? Number.NaN,
  })),
  { name: 'loss per sample', digits: 5, of: (run) => run.lossPerSample },
  { name: 'training accuracy', digits: 4, of: (run) => run.trainAccuracy },
  { name: 'test accuracy', digits: 4, of: (run) => run.testAccuracy },
];

interface Spread {
  values: number[];
  mean: number;
  /** Standard deviation of the sample, with n - 1. */
  sd: number;
}

function spreadOf(runs: readonly Run[], figure: Figure): Spread {
  const values = runs.map((run) => figure.of(run));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { values, mean, sd: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : Number.NaN };
}

/**
 * Two-sided p-value of the rank-sum test of Mann and Whitney (1947), exact for values without ties: how often two samples of one
 * distribution would differ in their order by as much.
 */
export function rankSumP(a: readonly number[], b: readonly number[]): number {
  const pairs = a.length * b.length;
  const wins = a.reduce((sum, x) => sum + b.reduce((count, y) => count + (x > y ? 1 : x === y ? 0.5 : 0), 0), 0);
  // counts[i][u]: orders of i values of a among j of b in which pairs are won u times by a, for growing j.
  let counts = Array.from({ length: a.length + 1 }, () => [1]);
  for (let j = 1; j <= b.length; j++) {
    const next: number[][] = [[1]];
    for (let i = 1; i <= a.length; i++) {
      // The largest value is one of a, which wins j pairs, or one of b, which wins none for a.
      next.push(Array.from({ length: i * j + 1 }, (_, u) => (next[i - 1]![u - j] ?? 0) + (counts[i]![u] ?? 0)));
    }
    counts = next;
  }
  const ways = counts[a.length]!;
  const far = Math.abs(wins - pairs / 2);
  const extreme = ways.reduce((sum, count, u) => (Math.abs(u - pairs / 2) >= far ? sum + count : sum), 0);
  return extreme / ways.reduce((sum, count) => sum + count, 0);
}

/** What is said about one figure of one network. */
interface Verdict {
  row: string;
  figure: string;
  /** Whether our mean lies within PyTorch's mean and twice its standard deviation. */
  within: boolean;
  /** p of the rank-sum test. */
  p: number;
  /** How many of our seeds lie within. */
  seedsWithin: number;
}

function compareFigure(figure: Figure, theirs: readonly Run[], ours: readonly Run[]): Verdict {
  const [a, b] = [spreadOf(theirs, figure), spreadOf(ours, figure)];
  const text = (value: number) => value.toFixed(figure.digits);
  const inside = (value: number) => Math.abs(value - a.mean) <= 2 * a.sd;
  const cell = ({ mean, sd, values }: Spread) => `${text(mean)} ± ${text(sd)} | ${values.map(text).join(', ')}`;
  const seedsWithin = b.values.filter(inside).length;
  const verdict = inside(b.mean) ? 'yes' : 'no';
  const p = rankSumP(a.values, b.values);
  return {
    row: `| ${figure.name} | ${cell(a)} | ${cell(b)} | ${verdict}; ${seedsWithin} of ${b.values.length} | ${p.toFixed(2)} |`,
    figure: figure.name,
    p,
    within: inside(b.mean),
    seedsWithin,
  };
}

const seedsOf = (runs: readonly Run[]) => runs.map(({ seed }) => seed).join(', ');

function tableOfSpreads(theirs: readonly Run[], ours: readonly Run[]): { lines: string[]; verdicts: Verdict[] } {
  const verdicts = FIGURES.map((figure) => compareFigure(figure, theirs, ours));
  const lines = [
    `| | PyTorch, mean ± sd | PyTorch, seeds ${seedsOf(theirs)} | recurra, mean ± sd | recurra, seeds ${seedsOf(ours)} | mean within; seeds within | p |`,
    '|---|---|---|---|---|---|---|',
    ...verdicts.map(({ row }) => row),
  ];
  return { lines, verdicts };
}

function tableOfPairs(theirs: readonly Run[], paired: readonly Run[]): string[] {
  const pairs = paired.flatMap((ours) => {
    const other = theirs.find((run) => run.seed === ours.seed);
    return other ? [{ ours, theirs: other }] : [];
  });
  if (pairs.length === 0) return [];
  return [
    '',
    `Same seed, same initial weights and same order of rows (PyTorch / recurra):`,
    '',
    `| | ${pairs.map(({ ours }) => `seed ${ours.seed}`).join(' | ')} |`,
    `|---|${pairs.map(() => '---|').join('')}`,
    ...FIGURES.map((figure) => {
      const cells = pairs.map((pair) =>
        [pair.theirs, pair.ours].map((run) => figure.of(run).toFixed(figure.digits)).join(' / '),
      );
      return `| ${figure.name} | ${cells.join(' | ')} |`;
    }),
  ];
}

/** Trainings of ours that differ by the order of rows alone, from seeds that PyTorch was not trained with. */
function tableOfOrders([own, torch]: readonly (readonly Run[])[]): string[] {
  if (own === undefined || torch === undefined || own.length < 2 || own.length !== torch.length) return [];
  return [
    '',
    `Does the order that \`DataLoader\` gives differ in kind from that of \`torch.randperm\`? ${own.length} more seeds of ours, in both orders:`,
    '',
    '| | order of `DataLoader`, mean ± sd | order of `torch.randperm`, mean ± sd | higher with `DataLoader` | p |',
    '|---|---|---|---|---|',
    ...FIGURES.slice(-3).map((figure) => {
      const spreads = [own, torch].map((list) => spreadOf(list, figure));
      const cells = spreads.map(({ mean, sd }) => `${mean.toFixed(figure.digits)} ± ${sd.toFixed(figure.digits)}`);
      const [a, b] = spreads.map(({ values }) => values) as [number[], number[]];
      const higher = a.filter((value, i) => value > b[i]!).length;
      return `| ${figure.name} | ${cells.join(' | ')} | ${higher} of ${a.length} | ${rankSumP(a, b).toFixed(2)} |`;
    }),
  ];
}

function tableOfOurs(ours: readonly Run[]): string[] {
  return [
    'PyTorch was not trained on this one (the lesson does not have it); its first steps are compared below.',
    '',
    `| | recurra${ours.length > 1 ? ', mean ± sd' : ''} | recurra, seed${ours.length > 1 ? 's' : ''} ${seedsOf(ours)} |`,
    '|---|---|---|',
    ...FIGURES.map((figure) => {
      const { mean, sd, values } = spreadOf(ours, figure);
      const text = (value: number) => value.toFixed(figure.digits);
      return `| ${figure.name} | ${text(mean)}${values.length > 1 ? ` ± ${text(sd)}` : ''} | ${values.map(text).join(', ')} |`;
    }),
  ];
}

function statement(model: string, verdicts: readonly Verdict[], ours: number, theirs: number): string {
  const outside = verdicts.filter(({ within }) => !within).map(({ figure }) => figure);
  const inside = verdicts.reduce((sum, { seedsWithin }) => sum + seedsWithin, 0);
  const runs = `${ours} trainings of ours, ${theirs} of PyTorch`;
  const means =
    outside.length === 0
      ? `the mean of ours lies within in all ${verdicts.length} figures`
      : `the mean of ours lies within in ${verdicts.length - outside.length} of ${verdicts.length} figures, outside in: ${outside.join(', ')}`;
  const least = verdicts.reduce((best, verdict) => (verdict.p < best.p ? verdict : best));
  const rest = `${inside} of ${ours * verdicts.length} do; the smallest p is ${least.p.toFixed(2)} (${least.figure})`;
  return `**${model}** (${runs}): ${means}. Of the single values ${rest}.`;
}

/** The page docs/lesson.md. */
export function page(reference: Reference, runs: readonly OurRun[], checks: readonly StepsCheck[]): string {
  const sections: string[] = [];
  const statements: string[] = [];
  const bySeed = (a: Run, b: Run) => a.seed - b.seed;
  for (const model of Object.keys(MODELS)) {
    const theirs = reference.runs.filter((run) => run.model === model.replace('-', '_')).sort(bySeed);
    const [ours, paired] = (['own', 'torch'] as const).map((order) =>
      runs.filter((run) => run.model === model && run.order === order).sort(bySeed),
    ) as [OurRun[], OurRun[]];
    if (ours.length === 0) continue;
    sections.push('', `## ${model}`, '');
    if (theirs.length === 0) {
      sections.push(...tableOfOurs(ours));
      continue;
    }
    const known = new Set(theirs.map(({ seed }) => seed));
    const same = ours.filter(({ seed }) => known.has(seed));
    const { lines, verdicts } = tableOfSpreads(theirs, same);
    statements.push(`- ${statement(model, verdicts, same.length, theirs.length)}`);
    sections.push(...lines, ...tableOfPairs(theirs, paired));
    sections.push(...tableOfOrders([ours, paired].map((list) => list.filter(({ seed }) => !known.has(seed)))));
  }
  const number = (value: number) => value.toLocaleString('en');
  const head = [
    '# The lesson, trained by PyTorch and by recurra',
    '',
    'Written by `scripts/lesson/compare.ts`; run it to get the page again (its head says how).',
    '',
    `AG News, ${number(reference.rows)} training rows (${number(reference.tokens)} tokens, vocabulary ${number(reference.vocabulary)}), ` +
      `${number(reference.testRows)} test rows. One epoch, batches of 16, Adam with 1e-3, embedding 64, hidden 32, float32, as the lesson has ` +
      `them. PyTorch ${reference.torch}. Both split and count the texts the same way: rows, tokens and vocabulary are equal, which the script ` +
      'checks.',
    '',
    'Loss per sample is what the lesson computes: the sum of the batches’ means over the number of samples. Running accuracy is the share of ' +
      'rows that were right when they were learned from.',
    '',
    '## Does ours lie within PyTorch’s spread?',
    '',
    'PyTorch’s spread is taken as its mean over the seeds, plus and minus twice the standard deviation of a single run (with n − 1). So few ' +
      'seeds give a rough standard deviation: after three, a fourth run of PyTorch itself would lie outside about one time in four or five ' +
      '(Student’s t with 2 degrees of freedom), and a mean of three about one time in seven. So every seed’s value is given, and p, the exact ' +
      'two-sided rank-sum test of PyTorch’s values against ours (three against three cannot be below 0.10). The figures of a network are ' +
      'not independent: a training that is ahead at one number of samples is ahead at the next.',
    '',
    ...statements,
    '',
    'The same seed gives the same initial weights in both. The rows come in different orders, PyTorch’s by `torch.randperm` and ours by ' +
      '`DataLoader`; the second table of each network has trainings in PyTorch’s own order, where only rounding is left to differ. The RNN and ' +
      'the padded LSTM amplify rounding: when PyTorch’s own RNN begins with recurrent weights changed by a relative 1e-7, it leaves its course ' +
      'at batch 435 of the rows that exchange.py exports for seed 0, where one step makes the difference of the loss about a hundred times larger, from below 0.001 to 0.1 ' +
      '(`scripts/lesson/chaos.py`); ours leaves it at that same batch.',
    '',
    'The padded LSTM reads its state after the filling of short texts, stands still for thousands of batches and begins to learn at a moment ' +
      'that differs from seed to seed; some hardly begin within the epoch. Its spread is wide and lopsided, so more seeds were run for it, and ' +
      'a small p of one of its figures was followed up: trainings of ours in PyTorch’s order of rows stay close to PyTorch’s seed by seed, and ' +
      'further seeds in both orders do not differ (the last two tables of its section).',
    ...sections,
  ];
  const steps =
    checks.length === 0
      ? []
      : [
          '',
          '## The first 50 steps, from the same weights, over the same rows',
          '',
          'Weights and rows exported from PyTorch by `scripts/lesson/exchange.py --data DIR --out DIR`, at the sizes above.',
          '',
          '| | loss of step 1 | loss of step 50 | largest difference of a loss in steps 1 to 50 |',
          '|---|---|---|---|',
          ...checks.map(
            ({ network, first, last, difference }) =>
              `| ${network} | ${first.toFixed(6)} | ${last.toFixed(6)} | ${difference.toExponential(1)} |`,
          ),
          '',
          'The tests repeat this with small networks on made-up rows (`test/lesson`).',
        ];
  return `${[...head, ...steps].join('\n')}\n`;
}
