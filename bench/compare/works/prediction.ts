import { LESSON } from '../shapes.js';
import { combinations, THREADS, type Work } from './context.js';

const PREDICT_BATCH = 256;

/** One text after the other. */
export const predictOne: Work = {
  name: 'predict one',
  async run(context) {
    const { bench } = context;
    const ours = context.ours(LESSON, {
      work: 'predictOne',
      api: 'TextClassifier',
      threads: 1,
    });
    const settings = combinations({ input: ['padded', 'packed'] as const, onednn: [true, false] }).map((setting) =>
      context.theirs(LESSON, 1, { work: 'predictOne', adam: 'default', order: 'random', ...setting }),
    );
    const packed = await bench.finalists(settings.filter(({ spec }) => spec.input === 'packed'));
    const padded = await bench.finalists(settings.filter(({ spec }) => spec.input === 'padded'));
    const medians = await bench.alternate([ours, ...packed, ...padded]);
    const work = 'one text of 44 tokens, prediction through the API, text to label';
    const against = "PyTorch's forward alone, no_grad, 1 thread";
    const one = bench.best(medians, [ours]);
    return [
      context.row(work, against, LESSON, one, bench.best(medians, [...padded, ...packed]), 'us'),
      context.row(work, `${against}, packed`, LESSON, one, bench.best(medians, packed), 'us'),
    ];
  },
};

/** Many texts at once. */
export const predictMany: Work = {
  name: 'predict many',
  async run(context) {
    const { bench } = context;
    const ours = context.ours(LESSON, {
      work: 'predictMany',
      api: 'TextClassifier',
      threads: THREADS,
    });
    const settings = combinations({
      input: ['padded', 'packed'] as const,
      onednn: [true, false],
      threads: [THREADS, 1],
    }).map(({ threads, ...setting }) =>
      context.theirs(LESSON, threads, {
        work: 'predictMany',
        adam: 'default',
        order: 'sorted',
        orderBatch: PREDICT_BATCH,
        ...setting,
      }),
    );
    const theirs = await bench.finalists(settings);
    const medians = await bench.alternate([ours, ...theirs]);
    const best = [bench.best(medians, [ours]), bench.best(medians, theirs)] as const;
    return [context.row('bulk prediction, sorted, 2 threads', 'PyTorch batch 256', LESSON, ...best, 'texts/s')];
  },
};
