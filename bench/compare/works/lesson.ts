import type { Theirs } from '../measure.js';
import { LESSON } from '../shapes.js';
import type { Row } from '../types.js';
import { type Context, combinations, THREADS, type Work } from './context.js';

const CLASSIFIER = inWords(THREADS);
const MODULE = "lesson's packed LSTM, training, user-composed `nn.Module`";
const AS_SET = 'PyTorch as the lesson sets it, packed, 2 threads';
const BEST_PACKED = "PyTorch's best packed setting with dense Adam";
const BEST_OF_ANY = "PyTorch's best setting of any kind with dense Adam (padded, fused)";
const BEST_PACKED_SETTING = "PyTorch's best packed setting";
const RANDOM = ', batches in random order';
const AS_THE_LESSON = { work: 'train', input: 'packed', adam: 'default', onednn: true, order: 'random' } as const;

function inWords(threads: number): string {
  return `lesson's packed LSTM, training, TextClassifier, ${threads} thread${threads === 1 ? '' : 's'}`;
}

/** With one thread each; shows what a second thread gives. */
export const oneThread: Work = {
  name: 'lesson, 1 thread',
  async run(context): Promise<Row[]> {
    const { bench } = context;
    const classifier = context.ours(LESSON, { work: 'train', api: 'TextClassifier', threads: 1 });
    const asSet = context.theirs(LESSON, 1, AS_THE_LESSON);
    const medians = await bench.alternate([classifier, asSet]);
    const [ours, theirs] = [bench.best(medians, [classifier]), bench.best(medians, [asSet])];
    return [context.row(inWords(1), 'PyTorch as the lesson sets it, packed, 1 thread', LESSON, ours, theirs)];
  },
};

/** All settings of PyTorch for the lesson's training; `quick` leaves out those that have never been near the best. */
function settings(context: Context): Theirs[] {
  const quick = context.quick;
  return combinations({
    input: ['packed', 'padded'] as const,
    adam: quick ? (['fused'] as const) : (['default', 'foreach', 'fused'] as const),
    onednn: quick ? [true] : [true, false],
    threads: [THREADS, 1],
    order: ['random', 'bucketed'] as const,
  }).map(({ threads, ...setting }) => context.theirs(LESSON, threads, { work: 'train', ...setting }));
}

/** The lesson's packed LSTM: TextClassifier and a module of the user's own against PyTorch in all its settings. */
export const lesson: Work = {
  name: 'lesson',
  async run(context): Promise<Row[]> {
    const { bench } = context;
    const all = settings(context);
    const pick = (input: string, order?: string) =>
      all.filter(({ spec }) => spec.input === input && (order === undefined || spec.order.includes(order)));
    const asSet = context.theirs(LESSON, THREADS, AS_THE_LESSON);
    const packed = await bench.finalists(pick('packed', 'bucketed'));
    const packedRandom = await bench.finalists(pick('packed', 'random'));
    const padded = await bench.finalists(pick('padded'));
    const classifier = context.ours(LESSON, { work: 'train', api: 'TextClassifier', threads: THREADS });
    const module = (order: 'random' | 'bucketed') =>
      context.ours(LESSON, { work: 'train', api: 'nn.Module', input: 'packed', threads: THREADS, order });
    const modules = [module('bucketed'), module('random')] as const;

    const contenders = [classifier, asSet, ...packed, ...modules, ...packedRandom, ...padded];
    const medians = await bench.alternate(contenders);
    const best = <C extends (typeof contenders)[number]>(...some: C[]) => bench.best(medians, some);
    return [
      context.row(CLASSIFIER, AS_SET, LESSON, best(classifier), best(asSet)),
      context.row(CLASSIFIER, BEST_PACKED, LESSON, best(classifier), best(...packed, ...packedRandom)),
      context.row(CLASSIFIER, BEST_PACKED + RANDOM, LESSON, best(classifier), best(...packedRandom)),
      context.row(CLASSIFIER, BEST_OF_ANY, LESSON, best(classifier), best(...padded, ...packed, ...packedRandom)),
      context.row(MODULE, BEST_PACKED_SETTING, LESSON, best(...modules), best(...packed, ...packedRandom)),
      context.row(MODULE, BEST_PACKED_SETTING + RANDOM, LESSON, best(modules[1]), best(...packedRandom)),
    ];
  },
};
