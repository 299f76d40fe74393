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

/** What is said about one figure of one network. */
interface Verdict {
  row: string;
  figure: string;
  /** Whether our mean lies within PyTorch's mean and twice its standard deviation. */
  within: boolean;
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
  return {
    row: `| ${figure.name} | ${cell(a)} | ${cell(b)} | ${verdict}, ${seedsWithin} of ${b.values.length} |`,
    figure: figure.name,
    within: inside(b.mean),
    seedsWithin,
  };
}

const seedsOf = (runs: readonly Run[]) => runs.map(({ seed }) => seed).join(', ');

function tableOfSpreads(theirs: readonly Run[], ours: readonly Run[]): { lines: string[]; verdicts: Verdict[] } {
  const verdicts = FIGURES.map((figure) => compareFigure(figure, theirs, ours));
  const lines = [
    `| | PyTorch, mean ± sd | PyTorch, seeds ${seedsOf(theirs)} | recurra, mean ± sd | recurra, seeds ${seedsOf(ours)} | mean within; seeds within |`,
    '|---|---|---|---|---|---|',
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

function statement(model: string, verdicts: readonly Verdict[], seeds: number): string {
  const outside = verdicts.filter(({ within }) => !within).map(({ figure }) => figure);
  const inside = verdicts.reduce((sum, { seedsWithin }) => sum + seedsWithin, 0);
  const single = `${inside} of ${seeds * verdicts.length} single values do.`;
  return outside.length === 0
    ? `**${model}**: our mean lies within PyTorch's spread in all ${verdicts.length} figures; ${single}`
    : `**${model}**: our mean lies outside PyTorch's spread in ${outside.length} of ${verdicts.length} figures (${outside.join(', ')}); ${single}`;
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
    const { lines, verdicts } = tableOfSpreads(theirs, ours);
    statements.push(`- ${statement(model, verdicts, ours.length)}`);
    sections.push(...lines);
    sections.push(...tableOfPairs(theirs, paired));
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
      '(Student’s t with 2 degrees of freedom), and a mean of three about one time in seven. So every seed’s value is given. A training’s course at a given ' +
      'number of samples goes together with its course later, so the figures of a network are not independent.',
    '',
    ...statements,
    '',
    'The same seed gives the same initial weights in both. The rows come in different orders, PyTorch’s by `torch.randperm` and ours by ' +
      '`DataLoader`; the second table of each network has trainings in PyTorch’s own order, where only rounding is left to differ. A training ' +
      'amplifies rounding: PyTorch with one thread differs from itself with two.',
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
