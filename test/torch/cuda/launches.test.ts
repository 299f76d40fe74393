// A small network on a GPU takes as long as its launches do: how many operators a step of the classifier's engine for GPUs has.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EngineConfig } from '../../../src/engine/engine.js';
import type { ClassesHead } from '../../../src/engine/network.js';
import { torchEngine } from '../../../src/engine/torch.js';
import { torch } from '../../../src/native/torch.js';

/** The lesson's network. */
const config: EngineConfig & { head: ClassesHead } = {
  cell: 'lstm',
  vocabSize: 1000,
  embeddingDim: 64,
  hiddenSize: 32,
  numLayers: 1,
  bidirectional: false,
  embeddingDropout: 0,
  dropout: 0,
  wordDropout: 0,
  unknownIdx: -1,
  head: { kind: 'classes', outputs: 4, multiLabel: false, pooling: 'last' },
  paddingIdx: 0,
  embeddingStd: 1,
  seed: 1,
  threads: 1,
};

/** Operators by name that training so many batches of 16 texts runs, each of so many words. */
async function operators(batches: number, words: number, { pooling = config.head.pooling, clipNorm = 0 } = {}) {
  const engine = torchEngine({ ...config, head: { ...config.head, pooling } });
  const rows = 16 * batches;
  const chunk = {
    tokens: Int32Array.from({ length: rows * words }, (_, i) => 1 + (i % 900)),
    lengths: new Int32Array(rows).fill(words),
    targets: Int32Array.from({ length: rows }, (_, i) => i % 4),
    batchSizes: new Int32Array(batches).fill(16),
  };
  const options = {
    learningRates: new Float64Array(batches).fill(1e-3),
    clipNorm,
    optimizer: 'adam',
    momentum: 0,
    weightDecay: 0,
    loss: { weights: [], smoothing: 0 },
    freezeEmbedding: false,
    adversarial: 0,
  } as const;
  torch().countOperatorsBegin();
  let runs: ReturnType<ReturnType<typeof torch>['countOperatorsEnd']> = [];
  try {
    await engine.train(chunk, options);
  } finally {
    runs = torch().countOperatorsEnd();
  }
  engine.close();
  return new Map(runs.map(({ name, count }) => [name, count]));
}

/** What a step runs beside what it runs for each word: on a GPU cuDNN is one operator for all words. */
async function fixedPerStep(options?: Parameters<typeof operators>[2]): Promise<Map<string, number>> {
  const perStep = async (words: number) => {
    const [few, many] = [await operators(1, words, options), await operators(11, words, options)];
    return (name: string) => ((many.get(name) ?? 0) - (few.get(name) ?? 0)) / 10;
  };
  const [short, long] = [await perStep(4), await perStep(5)];
  const names = (await operators(1, 4, options)).keys();
  const fixed = [...names].map((name) => [name, short(name) - 4 * (long(name) - short(name))] as const);
  return new Map(fixed.filter(([, count]) => count !== 0));
}

const sum = (counts: Map<string, number>) => [...counts.values()].reduce((total, count) => total + count, 0);

// A GPU has libtorch's operators instead of the CPU's small linear layer.
beforeAll(() => void torch().setFusedKernels(false));
afterAll(() => void torch().setFusedKernels(true));

it.each([
  ['the last state', 20, {}],
  ['the last state and clipping, whose norms are few launches on a GPU', 41, { clipNorm: 1 }],
  ['the mean', 25, { pooling: 'mean' }],
  ['the maximum', 23, { pooling: 'max' }],
  ['attention', 38, { pooling: 'attention' }],
] as const)('a step with %s runs at most %i operators beside those of the words', async (_, most, options) => {
  const fixed = await fixedPerStep(options as never);
  expect(sum(fixed), JSON.stringify([...fixed])).toBeLessThanOrEqual(most);
  // Adam moves everything at once, and the flag that keeps it from a loss that is not finite is one operator too.
  expect(fixed.get('aten::_fused_adam_')).toBe(1);
  expect(fixed.get('aten::_amp_foreach_non_finite_check_and_unscale_')).toBe('clipNorm' in options ? 2 : 1);
});
