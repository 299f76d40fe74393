import { afterEach, describe, expect, it } from 'vitest';
import type { Chunk, Engine, EngineConfig, StepOptions } from '../../src/engine/engine.js';
import { kernelEngine } from '../../src/engine/kernels.js';
import type { ClassesHead, NetworkSettings } from '../../src/engine/network.js';
import { torchEngine } from '../../src/engine/torch.js';
import { Random } from '../../src/index.js';
import { torchHalf } from '../support/halves.mjs';
import { stepOptions } from '../support/steps.js';
import { largestDifference, weightsOf } from '../support/weights.js';

const VOCABULARY = 300;
const CLASSES = 4;

const LR = 5e-3;

/** Batches of made-up texts: lengths from 1 to 30, frequent words among rare ones. */
function chunk(batches: number, batchSize: number, seed: number): Chunk {
  const random = new Random(seed);
  const rows = batches * batchSize;
  const lengths = Int32Array.from({ length: rows }, () => 1 + random.int(30));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  return {
    lengths,
    tokens: Int32Array.from({ length: total }, () => Math.floor(VOCABULARY ** random.float()) % VOCABULARY),
    targets: Int32Array.from({ length: rows }, () => random.int(CLASSES)),
    batchSizes: new Int32Array(batches).fill(batchSize),
  };
}

/** The same texts with up to three labels each, some with none. */
function manyLabels(all: Chunk): Chunk {
  const random = new Random(3);
  const sets = Array.from(all.lengths, () => [0, 1, 2, 3].filter(() => random.int(3) === 0));
  const targetStarts = new Uint32Array(sets.length + 1);
  for (const [row, set] of sets.entries()) targetStarts[row + 1] = targetStarts[row]! + set.length;
  return { ...all, targets: Int32Array.from(sets.flat()), targetStarts };
}

/** Adam with a rate that falls from step to step, and nothing else. */
function options(batches: number, change: Partial<StepOptions> = {}, lr = LR): StepOptions {
  const rates = Float64Array.from({ length: batches }, (_, step) => lr * (1 - step / (2 * batches)));
  return stepOptions(rates, change);
}

/** The step's own chunk out of a chunk of several. */
function* stepsOf(all: Chunk): Generator<Chunk> {
  let row = 0;
  let token = 0;
  for (const [step, size] of all.batchSizes.entries()) {
    const lengths = all.lengths.subarray(row, row + size);
    const end = lengths.reduce((sum, length) => sum + length, token);
    const offsets = all.targetStarts?.slice(row, row + size + 1);
    yield {
      lengths,
      tokens: all.tokens.subarray(token, end),
      targets: all.targets.subarray(offsets?.[0] ?? row, offsets?.[size] ?? row + size),
      ...(offsets ? { targetStarts: offsets.map((offset) => offset - offsets[0]!) } : {}),
      batchSizes: all.batchSizes.subarray(step, step + 1),
    };
    row += size;
    token = end;
  }
}

const open: Engine[] = [];
afterEach(() => {
  for (const engine of open.splice(0)) engine.close();
});

const BASE: EngineConfig & { head: ClassesHead } = {
  cell: 'lstm',
  embeddingDim: 24,
  hiddenSize: 20,
  numLayers: 1,
  bidirectional: true,
  dropout: 0,
  embeddingDropout: 0,
  wordDropout: 0,
  vocabSize: VOCABULARY,
  head: { kind: 'classes', outputs: CLASSES, multiLabel: false, pooling: 'max' },
  paddingIdx: 1,
  unknownIdx: 0,
  seed: 11,
  threads: 2,
};

it.runIf(torchHalf)(
  'what the engine on libtorch asks the kernels about is never answered by weights from before a training',
  async () => {
    const engine = torchEngine(BASE);
    open.push(engine);
    const [tokens, lengths] = [Int32Array.of(5, 6, 7), Int32Array.of(3)];
    const probabilities = async () => {
      const logits = [...(await engine.rawScores(tokens, lengths))].map(Math.exp);
      const sum = logits.reduce((total, value) => total + value, 0);
      return logits.map((value) => value / sum);
    };
    // The training begins while the weights are being copied.
    await Promise.all([probabilities(), engine.train(chunk(6, 8, 5), options(6, {}, 0.05))]);
    const [asked, right] = [await probabilities(), await engine.scores(tokens, lengths)];
    for (const [i, value] of asked.entries()) expect(value).toBeCloseTo(right[i]!, 4);
  },
);

/** What a network has otherwise than {@link BASE}. */
type Shape = Partial<NetworkSettings & ClassesHead>;

/** The same weights in both engines. */
async function pair({ pooling, multiLabel, ...change }: Shape): Promise<{ kernels: Engine; libtorch: Engine }> {
  const head = { ...BASE.head, ...(pooling && { pooling }), ...(multiLabel && { multiLabel }) };
  const config = { ...BASE, ...change, head };
  const engines = { kernels: kernelEngine(config), libtorch: torchEngine(config) };
  open.push(engines.kernels, engines.libtorch);
  await engines.kernels.loadState(await engines.libtorch.state());
  return engines;
}

const SHAPES: [string, Shape][] = [
  ['lstm, max', {}],
  ['lstm, last, one direction', { pooling: 'last', bidirectional: false }],
  ['lstm, mean, two layers', { pooling: 'mean', numLayers: 2 }],
  ['gru, max, two layers', { cell: 'gru', numLayers: 2 }],
  ['gru, last', { cell: 'gru', pooling: 'last' }],
  ['rnn, mean, one direction', { cell: 'rnn', pooling: 'mean', bidirectional: false }],
  ['rnn, max', { cell: 'rnn' }],
  ['lstm, attention', { pooling: 'attention' }],
  [
    'gru, attention, two layers, one direction',
    { cell: 'gru', pooling: 'attention', numLayers: 2, bidirectional: false },
  ],
];

describe.runIf(torchHalf)('the classifier on the kernels and on libtorch', () => {
  it.each(SHAPES)('%s: the losses of the first 20 steps are equal', async (_, change) => {
    const { kernels, libtorch } = await pair(change);
    for (const [index, step] of [...stepsOf(chunk(20, 16, 5))].entries()) {
      const how = options(1, {}, LR * (1 - index / 40));
      const [ours, theirs] = [await kernels.train(step, how), await libtorch.train(step, how)];
      expect(Math.abs(ours.loss - theirs.loss) / 16).toBeLessThan(1e-5);
      expect(ours.rows).toBe(16);
    }
  });

  // A step of Adam divides the gradient by its own size; so the gradient itself shows when the norm is clipped and eps rules,
  // which the kernels' own tests do. Here a step's result on every weight is compared.
  it.each(SHAPES)('%s: one step moves every weight alike, also with clipping', async (_, change) => {
    const { kernels, libtorch } = await pair(change);
    const step = chunk(1, 32, 9);
    await kernels.train(step, options(1, { clipNorm: 0.05 }));
    await libtorch.train(step, options(1, { clipNorm: 0.05 }));
    const [ours, theirs] = [await weightsOf(kernels), await weightsOf(libtorch)];
    expect([...ours.keys()].sort()).toEqual([...theirs.keys()].sort());
    for (const [name, values] of theirs) {
      expect(largestDifference(ours.get(name)!, values), name).toBeLessThan(2e-4);
    }
    const probabilities = [
      await kernels.scores(step.tokens, step.lengths),
      await libtorch.scores(step.tokens, step.lengths),
    ];
    expect(largestDifference(probabilities[0]!, probabilities[1]!)).toBeLessThan(1e-4);
  });

  // Every option of the loss, the optimizer and the batch, at several steps.
  const OPTIONS: [string, Shape, Partial<StepOptions>][] = [
    ['class weights', {}, { loss: { weights: [0.2, 3, 1, 0.7], smoothing: 0 } }],
    ['label smoothing', {}, { loss: { weights: [], smoothing: 0.1 } }],
    ['both', { pooling: 'attention' }, { loss: { weights: [0.2, 3, 1, 0.7], smoothing: 0.3 } }],
    ['several labels', { multiLabel: true }, {}],
    [
      'several labels, weighted',
      { multiLabel: true, pooling: 'mean' },
      { loss: { weights: [0.2, 3, 1, 0.7], smoothing: 0 } },
    ],
    ['adam with weight decay', {}, { weightDecay: 0.05 }],
    ['adamw', {}, { optimizer: 'adamw', weightDecay: 0.05 }],
    ['sgd', {}, { optimizer: 'sgd' }],
    ['sgd with momentum and weight decay', {}, { optimizer: 'sgd', momentum: 0.9, weightDecay: 0.01 }],
    ['a frozen embedding, clipped', {}, { freezeEmbedding: true, clipNorm: 0.05 }],
    ['a frozen embedding with all words dropped', { wordDropout: 0.9999999 }, { freezeEmbedding: true }],
    ['adversarial noise', {}, { adversarial: 0.2, clipNorm: 0.5 }],
    ['adversarial noise, several labels', { multiLabel: true, pooling: 'attention' }, { adversarial: 0.2 }],
    ['adversarial noise, a frozen embedding, sgd', {}, { adversarial: 0.2, freezeEmbedding: true, optimizer: 'sgd' }],
    [
      'adversarial noise, two layers, element dropout almost none',
      { cell: 'gru', numLayers: 2, pooling: 'mean', embeddingDropout: 1e-12 },
      { adversarial: 0.2 },
    ],
    [
      'adversarial noise, one direction, all words dropped',
      { cell: 'rnn', pooling: 'last', bidirectional: false, wordDropout: 0.9999999 },
      { adversarial: 0.2, optimizer: 'adamw', weightDecay: 0.05 },
    ],
    ['all words dropped', { wordDropout: 0.9999999 }, {}],
    ['all words dropped, element dropout almost none', { wordDropout: 0.9999999, embeddingDropout: 1e-12 }, {}],
  ];

  it.each(OPTIONS)('%s: losses and weights of eight steps are equal', async (_, change, how) => {
    const { kernels, libtorch } = await pair(change);
    const before = await weightsOf(kernels);
    const texts = chunk(8, 16, 21);
    const all = change.multiLabel ? manyLabels(texts) : texts;
    for (const step of stepsOf(all)) {
      const [ours, theirs] = [await kernels.train(step, options(1, how)), await libtorch.train(step, options(1, how))];
      expect(Math.abs(ours.loss - theirs.loss) / 16).toBeLessThan(1e-5);
      expect([ours.correct, ours.rows]).toEqual([theirs.correct, theirs.rows]);
    }
    const [ours, theirs] = [await weightsOf(kernels), await weightsOf(libtorch)];
    for (const [name, values] of theirs) {
      expect(largestDifference(ours.get(name)!, values), name).toBeLessThan(how.optimizer === 'sgd' ? 2e-6 : 2e-4);
    }
    const embedding = ours.get('embedding.weight')!;
    expect(largestDifference(before.get('embedding.weight')!, embedding) > 0).toBe(how.freezeEmbedding !== true);
    expect([...embedding.subarray(24, 48)]).toEqual(new Array(24).fill(0));
    const answers = [await kernels.scores(all.tokens, all.lengths), await libtorch.scores(all.tokens, all.lengths)];
    expect(largestDifference(answers[0]!, answers[1]!)).toBeLessThan(1e-4);
  });

  it.each(['adam', 'adamw', 'sgd'] as const)(
    '%s: an embedding that was frozen at first begins its own count of steps',
    async (optimizer) => {
      const { kernels, libtorch } = await pair({});
      const frozen = { optimizer, momentum: optimizer === 'sgd' ? 0.5 : 0, freezeEmbedding: true };
      for (const engine of [kernels, libtorch]) {
        await engine.train(chunk(5, 16, 31), options(5, frozen));
        await engine.train(chunk(3, 16, 32), options(3, { ...frozen, freezeEmbedding: false }));
      }
      const [ours, theirs] = [await weightsOf(kernels), await weightsOf(libtorch)];
      for (const [name, values] of theirs) {
        expect(largestDifference(ours.get(name)!, values), name).toBeLessThan(2e-4);
      }
    },
  );

  it.each(['kernels', 'libtorch'] as const)('%s: takes over the vectors of some words', async (name) => {
    const engine = (await pair({}))[name];
    const before = (await weightsOf(engine)).get('embedding.weight')!;
    const vectors = Float32Array.from({ length: 2 * 24 }, (_, i) => i);
    await engine.setWordVectors(Int32Array.of(7, 3), vectors);
    const after = (await weightsOf(engine)).get('embedding.weight')!;
    const expected = before.slice();
    expected.set(vectors.subarray(0, 24), 7 * 24);
    expected.set(vectors.subarray(24), 3 * 24);
    expect(after).toEqual(expected);
  });

  it('refuses vectors for the padding word, for others than there are, and too few of them', async () => {
    const { kernels } = await pair({});
    const before = await weightsOf(kernels);
    const set = (word: number, numbers: number) =>
      kernels.setWordVectors(Int32Array.of(word), new Float32Array(numbers));
    await expect(set(1, 24)).rejects.toMatchObject({ code: 'OUT_OF_RANGE', message: /padding/ });
    await expect(set(VOCABULARY, 24)).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    await expect(set(-1, 24)).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    await expect(set(2, 23)).rejects.toMatchObject({ code: 'INVALID_SHAPE' });
    expect(await weightsOf(kernels)).toEqual(before);
  });

  it('a chunk of 20 batches is 20 chunks of one, bit by bit', async () => {
    const { kernels, libtorch } = await pair({});
    const other = kernelEngine(BASE);
    open.push(other);
    await other.loadState(await libtorch.state());
    const how = options(20);
    await kernels.train(chunk(20, 16, 5), how);
    for (const [index, step] of [...stepsOf(chunk(20, 16, 5))].entries()) {
      await other.train(step, { ...how, learningRates: how.learningRates.subarray(index, index + 1) });
    }
    const [whole, parts] = [await weightsOf(kernels), await weightsOf(other)];
    for (const [name, values] of whole) expect(parts.get(name), name).toEqual(values);
  });

  it('rows that no batch touched for long are where dense Adam puts them', async () => {
    const { kernels, libtorch } = await pair({ hiddenSize: 8, embeddingDim: 8, bidirectional: false });
    const rare = chunk(1, 4, 1);
    const often = chunk(60, 8, 2);
    often.tokens = often.tokens.map((id) => id % 20);
    for (const engine of [kernels, libtorch]) {
      await engine.train(rare, options(1));
      await engine.train(often, options(60, {}, 1e-3));
    }
    const [ours, theirs] = [await weightsOf(kernels), await weightsOf(libtorch)];
    expect(largestDifference(ours.get('embedding.weight')!, theirs.get('embedding.weight')!)).toBeLessThan(2e-4);
  });

  it.each(['kernels', 'libtorch'] as const)('%s: refuses labels of several that do not fit', async (name) => {
    const engine = (await pair({ multiLabel: true }))[name];
    const good = manyLabels(chunk(1, 4, 1));
    const bad = (change: Partial<Chunk>) => engine.train({ ...good, ...change }, options(1));
    const none = { targets: new Int32Array(0) };
    await expect(bad({ targetStarts: Uint32Array.of(0, 0, 0, 0), ...none })).rejects.toThrow(/5/);
    await expect(bad({ targetStarts: Uint32Array.of(0, 0, 0, 0, 1), ...none })).rejects.toThrow(/rise/);
    await expect(bad({ targetStarts: Uint32Array.of(0, 1, 0, 0, 0), ...none })).rejects.toThrow(/rise/);
    const offsets = { targetStarts: Uint32Array.of(0, 1, 1, 1, 1) };
    await expect(bad({ ...offsets, targets: Int32Array.of(CLASSES) })).rejects.toThrow(/label 4 of row 0/);
    await expect(bad({ ...offsets, targets: Int32Array.of(-1) })).rejects.toThrow(/label -1 of row 0/);
    await expect(engine.train(good, options(1, { loss: { weights: [1], smoothing: 0 } }))).rejects.toThrow(
      /classWeights/,
    );
    await expect(engine.train(good, options(1, { loss: { weights: [], smoothing: 0.1 } }))).rejects.toThrow(
      /labelSmoothing/,
    );
    expect((await engine.train(good, options(1))).rows).toBe(4);
  });

  it.each(['kernels', 'libtorch'] as const)(
    '%s: refuses ids, labels and lengths out of range before computing',
    async (name) => {
      const engine = (await pair({}))[name];
      const good = chunk(1, 2, 1);
      const bad = (change: Partial<Chunk>) => engine.train({ ...good, ...change }, options(1));
      await expect(bad({ tokens: good.tokens.map(() => VOCABULARY) })).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
      await expect(bad({ tokens: good.tokens.map(() => -1) })).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
      await expect(bad({ targets: Int32Array.of(0, CLASSES) })).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
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
