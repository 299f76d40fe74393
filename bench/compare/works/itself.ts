/** Comparisons of recurra with itself. */
import { describe, median, type Ours } from '../measure.js';
import { LESSON, shapeName } from '../shapes.js';
import type { Measured, Row, Shape } from '../types.js';
import { type Context, THREADS, type Work } from './context.js';

const SMALL = 5_000;
const LARGE = 500_000;

/** What a sample costs with a small and with a large vocabulary. */
export const vocabulary: Work = {
  name: 'vocabulary',
  async run(context) {
    const { bench } = context;
    const sizes = context.quick ? [SMALL, LARGE] : [SMALL, 20_000, LESSON.vocabulary, LARGE];
    const contenders = sizes.map((size) =>
      context.ours({ ...LESSON, vocabulary: size }, { work: 'train', api: 'TextClassifier', threads: THREADS }),
    );
    const medians = await bench.alternate(contenders);
    const cost = contenders.map((contender) => 1e6 / medians.get(contender)!);
    return contenders.slice(1).map((contender, i) => ({
      work:
        sizes[i + 1] === LARGE
          ? 'training cost per sample as the vocabulary grows from 5,000 to 500,000'
          : `training cost per sample as the vocabulary grows from 5,000 to ${sizes[i + 1]!.toLocaleString('en')}`,
      against: 'itself',
      threads: THREADS,
      ours: cost[i + 1]!,
      theirs: cost[0]!,
      unit: 'us/sample',
      ratio: cost[i + 1]! / cost[0]!,
      shape: shapeName(contender.spec.shape),
      settings: { ours: describe(contender), theirs: `the same, vocabulary ${SMALL}` },
    }));
  },
};

/** A module of the user's own with packed and with padded input. */
export const packed: Work = {
  name: 'packed against padded',
  async run(context) {
    const { bench } = context;
    const even: Shape = { ...LESSON, lengths: { mean: 44, spread: 'even' } };
    const uneven: Shape = { ...LESSON, lengths: { mean: 44, spread: 'uneven' } };
    const rows: Row[] = [];
    for (const shape of context.quick ? [LESSON] : [LESSON, even, uneven]) {
      const common = { work: 'train', api: 'nn.Module', threads: THREADS, order: 'random' } as const;
      const inputs = [
        context.ours(shape, { ...common, input: 'packed' }),
        context.ours(shape, { ...common, input: 'padded' }),
      ] as const;
      const medians = await bench.alternate(inputs);
      const [ours, theirs] = inputs.map((input) => bench.best(medians, [input]));
      rows.push(context.row('packed against padded, same tokens', 'itself', shape, ours!, theirs!));
    }
    return rows;
  },
};

/** Samples a second of several trainings together while all of them run; undefined if they never do. */
function together(measured: readonly Measured[]): number | undefined {
  const begin = Math.max(...measured.map(({ progress }) => progress![0]![0]));
  const end = Math.min(...measured.map(({ progress }) => progress!.at(-1)![0]));
  if (end <= begin) return undefined;
  const samples = measured.map(({ progress }) => samplesAt(progress!, end) - samplesAt(progress!, begin));
  return samples.reduce((sum, one) => sum + one, 0) / (end - begin);
}

function samplesAt(progress: readonly [number, number][], time: number): number {
  const after = Math.max(
    1,
    progress.findIndex(([at]) => at >= time),
  );
  const [t0, s0] = progress[after - 1]!;
  const [t1, s1] = progress[after]!;
  return s0 + ((s1 - s0) * (time - t0)) / (t1 - t0);
}

const MOST_ATTEMPTS = 4;

/**
 * Trains in several processes at once. Both continue to the same moment, or to a later one if one was not ready by
 * then.
 */
async function trainTogether({ bench }: Context, both: readonly Ours[], ready: number): Promise<number> {
  const { timing } = bench.options;
  for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
    // Half of the machine each, reading the texts takes twice as long.
    const until = Date.now() / 1000 + 2 ** attempt * (2 * ready + timing.seconds);
    const measured = await Promise.all(both.map((contender) => bench.once(contender, { ...timing, until })));
    const rate = together(measured);
    if (rate !== undefined) return rate;
  }
  throw new Error('the processes never trained at the same time');
}

/** Two processes that train at the same time on the processors that one of them could fill. */
export const processes: Work = {
  name: 'two processes',
  async run(context: Context) {
    const { bench } = context;
    const both = [0, 1].map((instance) =>
      context.ours(LESSON, { work: 'train', api: 'TextClassifier', threads: THREADS }, instance),
    );
    const alone: number[] = [];
    const summed: number[] = [];
    for (let repeat = 0; repeat < bench.options.repeats; repeat++) {
      const begun = Date.now();
      alone.push((await bench.once(both[0]!, bench.options.timing)).value);
      const ready = (Date.now() - begun) / 1000 - bench.options.timing.seconds;
      summed.push(await trainTogether(context, both, Math.max(0, ready)));
    }
    await bench.drop(both);
    bench.keep('one process alone', shapeName(LESSON), alone);
    bench.keep('two processes, summed', shapeName(LESSON), summed);
    const description = describe(both[0]!);
    const [ours, theirs] = [median(summed), median(alone)];
    return [
      {
        work: 'two processes side by side with 2 threads each on 2 cores, summed',
        against: 'one alone',
        threads: THREADS,
        ours,
        theirs,
        unit: 'samples/s',
        ratio: ours / theirs,
        shape: shapeName(LESSON),
        settings: { ours: `twice ${description}`, theirs: description },
      },
    ];
  },
};
