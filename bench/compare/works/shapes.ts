import { inferenceShapes, shapeName, trainingShapes } from '../shapes.js';
import type { Shape } from '../types.js';
import { type Context, combinations, THREADS, type Work } from './context.js';

const BETTER = "PyTorch's better of packed and padded";
const PREDICT_BATCH = 256;
const INT8 = 'int8 recurrent weights';

/** oneDNN has a part in the padded LSTM only. */
function inputs(quick: boolean) {
  const padded = combinations({
    input: ['padded'] as const,
    onednn: quick ? [true] : [true, false],
    threads: [THREADS, 1],
  });
  return [...combinations({ input: ['packed'] as const, onednn: [true], threads: [THREADS, 1] }), ...padded];
}

function training(shape: Shape): Work {
  const name = shapeName(shape);
  return {
    name: `shapes, training, ${name}`,
    async run(context: Context) {
      const { bench } = context;
      const ours = context.ours(shape, { work: 'train', api: 'TextClassifier', threads: THREADS });
      // Both sides have batches of similar length, which is TextClassifier's way and PyTorch's faster one.
      const settings = inputs(context.quick).map(({ threads, ...rest }) =>
        context.theirs(shape, threads, { work: 'train', adam: 'fused', order: 'bucketed', ...rest }),
      );
      const theirs = await bench.finalists(settings);
      const medians = await bench.alternate([ours, ...theirs]);
      const work = 'every shape of the table, packed, training';
      return [context.row(work, BETTER, shape, bench.best(medians, [ours]), bench.best(medians, theirs))];
    },
  };
}

function inference(shape: Shape): Work {
  const name = shapeName(shape);
  return {
    name: `shapes, inference, ${name}`,
    async run(context: Context) {
      const { bench } = context;
      const own = { work: 'predictMany', api: 'TextClassifier', threads: THREADS } as const;
      const ours = context.ours(shape, own);
      const coded = context.ours(shape, { ...own, recurrentWeights: 'int8' });
      const settings = inputs(context.quick).map(({ threads, ...rest }) =>
        context.theirs(shape, threads, {
          work: 'predictMany',
          adam: 'default',
          order: 'sorted',
          orderBatch: PREDICT_BATCH,
          ...rest,
        }),
      );
      const theirs = await bench.finalists(settings);
      const medians = await bench.alternate([ours, coded, ...theirs]);
      const work = 'every shape of the table, packed, inference';
      const best = bench.best(medians, theirs);
      return [
        context.row(work, BETTER, shape, bench.best(medians, [ours]), best, 'texts/s'),
        context.row(`${work}, ${INT8}`, BETTER, shape, bench.best(medians, [coded]), best, 'texts/s'),
      ];
    },
  };
}

/** Training and inference of many shapes against PyTorch's best. */
export function shapeWorks(quick: boolean): Work[] {
  return [...trainingShapes(quick).map(training), ...inferenceShapes(quick).map(inference)];
}
