import { afterEach, describe, expect, it } from 'vitest';
import { type Chunk, type Engine, type EngineConfig, kernelEngine, torchEngine } from '../../src/classifier/engine.js';
import { Random } from '../../src/index.js';

const VOCABULARY = 300;
const CLASSES = 4;

/** Batches of made-up texts: lengths from 1 to 30, frequent words among rare ones. */
function chunk(batches: number, batchSize: number, seed: number, lr = 5e-3): Chunk {
  const random = new Random(seed);
  const rows = batches * batchSize;
  const lengths = Int32Array.from({ length: rows }, () => 1 + random.int(30));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  return {
    lengths,
    tokens: Int32Array.from({ length: total }, () => Math.floor(VOCABULARY ** random.float()) % VOCABULARY),
    labels: Int32Array.from({ length: rows }, () => random.int(CLASSES)),
    batchSizes: new Int32Array(batches).fill(batchSize),
    learningRates: Float64Array.from({ length: batches }, (_, step) => lr * (1 - step / (2 * batches))),
  };
}

/** The step's own chunk out of a chunk of several. */
function* stepsOf(all: Chunk): Generator<Chunk> {
  let row = 0;
  let token = 0;
  for (const [step, size] of all.batchSizes.entries()) {
    const lengths = all.lengths.subarray(row, row + size);
    const end = lengths.reduce((sum, length) => sum + length, token);
    yield {
      lengths,
      tokens: all.tokens.subarray(token, end),
      labels: all.labels.subarray(row, row + size),
      batchSizes: all.batchSizes.subarray(step, step + 1),
      learningRates: all.learningRates.subarray(step, step + 1),
    };
    row += size;
    token = end;
  }
}

const open: Engine[] = [];
afterEach(() => {
  for (const engine of open.splice(0)) engine.close();
});

const BASE: EngineConfig = {
  cell: 'lstm',
  embeddingDim: 24,
  hiddenSize: 20,
  numLayers: 1,
  bidirectional: true,
  pooling: 'max',
  dropout: 0,
  embeddingDropout: 0,
  vocabSize: VOCABULARY,
  numClasses: CLASSES,
  paddingIdx: 1,
  seed: 11,
  threads: 2,
};

/** The same weights in both engines. */
async function pair(change: Partial<EngineConfig>): Promise<{ kernels: Engine; libtorch: Engine }> {
  const config = { ...BASE, ...change };
  const engines = { kernels: kernelEngine(config), libtorch: torchEngine(config) };
  open.push(engines.kernels, engines.libtorch);
  await engines.kernels.loadState(await engines.libtorch.state());
  return engines;
}

async function weights(engine: Engine): Promise<Map<string, Float32Array>> {
  const state = await engine.state();
  return new Map(state.map(({ name, data }) => [name, new Float32Array(new Uint8Array(data).buffer)]));
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

const SHAPES: [string, Partial<EngineConfig>][] = [
  ['lstm, max', {}],
  ['lstm, last, one direction', { pooling: 'last', bidirectional: false }],
  ['lstm, mean, two layers', { pooling: 'mean', numLayers: 2 }],
  ['gru, max, two layers', { cell: 'gru', numLayers: 2 }],
  ['gru, last', { cell: 'gru', pooling: 'last' }],
  ['rnn, mean, one direction', { cell: 'rnn', pooling: 'mean', bidirectional: false }],
  ['rnn, max', { cell: 'rnn' }],
];

describe('the classifier on the kernels and on libtorch', () => {
  it.each(SHAPES)('%s: the losses of the first 20 steps are equal', async (_, change) => {
    const { kernels, libtorch } = await pair(change);
    for (const step of stepsOf(chunk(20, 16, 5))) {
      const [ours, theirs] = [await kernels.train(step, 0), await libtorch.train(step, 0)];
      expect(Math.abs(ours.loss - theirs.loss) / 16).toBeLessThan(1e-5);
      expect(ours.rows).toBe(16);
    }
  });

  // A step of Adam divides the gradient by its own size; so the gradient itself shows when the norm is clipped and eps rules,
  // which the kernels' own tests do. Here a step's result on every weight is compared.
  it.each(SHAPES)('%s: one step moves every weight alike, also with clipping', async (_, change) => {
    const { kernels, libtorch } = await pair(change);
    const step = chunk(1, 32, 9);
    await kernels.train(step, 0.05);
    await libtorch.train(step, 0.05);
    const [ours, theirs] = [await weights(kernels), await weights(libtorch)];
    expect([...ours.keys()].sort()).toEqual([...theirs.keys()].sort());
    for (const [name, values] of theirs) {
      expect(largestDifference(ours.get(name)!, values), name).toBeLessThan(2e-4);
    }
    const probabilities = [
      await kernels.predict(step.tokens, step.lengths),
      await libtorch.predict(step.tokens, step.lengths),
    ];
    expect(largestDifference(probabilities[0]!, probabilities[1]!)).toBeLessThan(1e-4);
  });

  it('a chunk of 20 batches is 20 chunks of one, bit by bit', async () => {
    const { kernels, libtorch } = await pair({});
    const other = kernelEngine(BASE);
    open.push(other);
    await other.loadState(await libtorch.state());
    await kernels.train(chunk(20, 16, 5), 0);
    for (const step of stepsOf(chunk(20, 16, 5))) await other.train(step, 0);
    const [whole, parts] = [await weights(kernels), await weights(other)];
    for (const [name, values] of whole) expect(parts.get(name), name).toEqual(values);
  });

  it('rows that no batch touched for long are where dense Adam puts them', async () => {
    const { kernels, libtorch } = await pair({ hiddenSize: 8, embeddingDim: 8, bidirectional: false });
    const rare = chunk(1, 4, 1);
    const often = chunk(60, 8, 2, 1e-3);
    often.tokens = often.tokens.map((id) => id % 20);
    for (const engine of [kernels, libtorch]) {
      await engine.train(rare, 0);
      await engine.train(often, 0);
    }
    const [ours, theirs] = [await weights(kernels), await weights(libtorch)];
    expect(largestDifference(ours.get('embedding.weight')!, theirs.get('embedding.weight')!)).toBeLessThan(2e-4);
  });

  it.each(['kernels', 'libtorch'] as const)(
    '%s: refuses ids, labels and lengths out of range before computing',
    async (name) => {
      const engine = (await pair({}))[name];
      const good = chunk(1, 2, 1);
      const bad = (change: Partial<Chunk>) => engine.train({ ...good, ...change }, 0);
      await expect(bad({ tokens: good.tokens.map(() => VOCABULARY) })).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
      await expect(bad({ tokens: good.tokens.map(() => -1) })).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
      await expect(bad({ labels: Int32Array.of(0, CLASSES) })).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
      await expect(bad({ lengths: Int32Array.of(0, good.tokens.length) })).rejects.toMatchObject({
        code: 'OUT_OF_RANGE',
      });
      await expect(bad({ lengths: Int32Array.of(1, 1) })).rejects.toMatchObject({
        code: /INVALID_SHAPE|INVALID_ARGUMENT/,
      });
      await expect(bad({ batchSizes: Int32Array.of(3) })).rejects.toMatchObject({
        code: /INVALID_SHAPE|INVALID_ARGUMENT/,
      });
    },
  );
});
