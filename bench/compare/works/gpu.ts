import { LESSON, shapeName, trainingShapes } from '../shapes.js';
import type { Shape } from '../types.js';
import { type Context, combinations, THREADS, type Work } from './context.js';

const WORK = 'training on a GPU';
const AS_WRITTEN = 'PyTorch, the lesson as written: packed, batches moved one by one, Adam as it is by default';
const BEST = "PyTorch's best: packed or padded, fused Adam, batches on the GPU before the clock runs";

function ours(context: Context, shape: Shape) {
  const common = { work: 'train', threads: THREADS, device: 'cuda' } as const;
  return {
    classifier: context.ours(shape, { ...common, api: 'TextClassifier' }),
    module: context.ours(shape, { ...common, api: 'nn.Module', input: 'packed', order: 'bucketed' }),
  };
}

/** float32 on both sides: PyTorch's worker has TF32 off, as recurra has. */
function best(context: Context, shape: Shape) {
  return combinations({ input: ['packed', 'padded'] as const }).map(({ input }) =>
    context.theirs(shape, THREADS, {
      work: 'train',
      adam: 'fused',
      order: 'bucketed',
      onednn: true,
      input,
      device: 'cuda',
      resident: true,
    }),
  );
}

const lesson: Work = {
  name: 'lesson, on a GPU',
  async run(context) {
    const { bench } = context;
    const { classifier, module } = ours(context, LESSON);
    const written = context.theirs(LESSON, THREADS, {
      work: 'train',
      adam: 'default',
      order: 'random',
      onednn: true,
      input: 'packed',
      device: 'cuda',
    });
    const others = best(context, LESSON);
    const medians = await bench.alternate([classifier, module, written, ...others]);
    const [a, b] = [bench.best(medians, [classifier]), bench.best(medians, [module])];
    const [slow, fast] = [bench.best(medians, [written]), bench.best(medians, others)];
    return [
      context.row(`${WORK}, TextClassifier`, AS_WRITTEN, LESSON, a, slow),
      context.row(`${WORK}, TextClassifier`, BEST, LESSON, a, fast),
      context.row(`${WORK}, user-composed \`nn.Module\``, AS_WRITTEN, LESSON, b, slow),
      context.row(`${WORK}, user-composed \`nn.Module\``, BEST, LESSON, b, fast),
    ];
  },
};

function training(shape: Shape): Work {
  return {
    name: `shapes, on a GPU, ${shapeName(shape)}`,
    async run(context) {
      const { bench } = context;
      const { classifier } = ours(context, shape);
      const others = best(context, shape);
      const medians = await bench.alternate([classifier, ...others]);
      const two = [bench.best(medians, [classifier]), bench.best(medians, others)] as const;
      return [context.row(`${WORK}, TextClassifier`, BEST, shape, ...two)];
    },
  };
}

/** The lesson's training, and the CPU's shapes, on a GPU. */
export function gpuWorks(quick: boolean): Work[] {
  return [lesson, ...trainingShapes(quick).map(training)];
}
