import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kernelEngine } from '../../src/engine/kernels.js';
import { TextClassifier } from '../../src/index.js';
import { nn, optim, randint, randn, tensor, zeros } from '../../src/torch/index.js';
import { codeOf } from '../support/close.js';
import { torchHalf } from '../support/halves.mjs';
import { stepOptions } from '../support/steps.js';
import { topicTexts } from '../support/texts.js';

const SMALL = { embeddingDim: 8, hiddenSize: 8, lr: 2e-2, batchSize: 16, epochs: 2, threads: 2 } as const;
let model: TextClassifier;
beforeAll(async () => {
  model = await TextClassifier.train(topicTexts(200), SMALL);
});
afterAll(() => model.close());

describe('as many rows out as in, each in its place', () => {
  const words = fc.constantFrom(
    'cat',
    'dog',
    'bread',
    'soup',
    'hammer',
    'saw',
    'with',
    '<pad>',
    '<unk>',
    '',
    'zzz',
    '__proto__',
  );
  const text = fc.oneof(
    fc.array(words, { maxLength: 12 }).map((list) => list.join(' ')),
    fc.array(words, { minLength: 900, maxLength: 1_100 }).map((list) => list.join(' ')),
    fc.constantFrom('', ' ', '\u0000', '\ud800', '!!!', 'constructor toString'),
  );

  it('of any texts: each prediction is that of its text alone', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 70 }), fc.integer({ min: 1, max: 4 }), async (texts, topK) => {
        const many = await model.predictMany(texts, { topK });
        expect(many).toHaveLength(texts.length);
        const few = texts.length > 8 ? [0, 1, texts.length >> 1, texts.length - 1] : texts.keys();
        for (const row of few) {
          const alone = await model.predict(texts[row]!, { topK });
          const { tokens, knownTokens, probability, classes } = many[row]!;
          expect({ tokens, knownTokens }).toEqual({ tokens: alone.tokens, knownTokens: alone.knownTokens });
          expect(probability).toBeCloseTo(alone.probability, 5);
          expect(classes).toHaveLength(Math.min(topK, 3));
        }
      }),
      { numRuns: 25 },
    );
  });

  it('across the borders of the calls to the engine', async () => {
    const texts = Array.from({ length: 2_500 }, (_, i) => ['cat dog fur', 'bread soup', 'hammer saw nail', ''][i % 4]!);
    const many = await model.predictMany(texts);
    expect(many).toHaveLength(2_500);
    const alone = await Promise.all(texts.slice(0, 4).map((one) => model.predict(one)));
    for (const [row, { label, tokens }] of many.entries()) {
      expect({ label, tokens }).toEqual({ label: alone[row % 4]!.label, tokens: alone[row % 4]!.tokens });
    }
  });

  it('of nothing, nothing; of texts without a known word, a distribution', async () => {
    expect(await model.predictMany([])).toEqual([]);
    for (const { probability, knownTokens, classes } of await model.predictMany(['', 'zzz qqq', '\n'])) {
      expect(knownTokens).toBe(0);
      expect(probability).toBeGreaterThan(0);
      expect(classes.reduce((sum, one) => sum + one.probability, 0)).toBeCloseTo(1, 5);
    }
  });
});

describe('nothing to work on is a typed error, not NaN', () => {
  it('in training, evaluation and validation', async () => {
    const rows = topicTexts(30);
    await expect(TextClassifier.train([])).rejects.toMatchObject({ code: 'EMPTY_DATASET' });
    await expect(TextClassifier.train(rows, { ...SMALL, validation: [] })).rejects.toMatchObject({
      code: 'EMPTY_DATASET',
    });
    await expect(model.evaluate([])).rejects.toMatchObject({ code: 'EMPTY_DATASET' });
    const blank = rows.map(({ label }) => ({ label, text: ' ' }));
    await expect(TextClassifier.train(blank, SMALL)).rejects.toMatchObject({ code: 'EMPTY_DATASET' });
  });

  it('but an empty text among others is trained on', async () => {
    using some = await TextClassifier.train([...topicTexts(30), { text: '', label: 'tool' }], SMALL);
    expect((await some.predict('')).tokens).toBe(0);
  });
});

describe('the padding row stays exactly zero', () => {
  const none = new Array(8).fill(0);

  it('in the classifier: at first, in training, after texts of more than 1,000 tokens and of its own word', async () => {
    const engine = kernelEngine({
      ...model.settings,
      vocabSize: 2_000,
      head: { ...model.settings, kind: 'classes', outputs: 2 },
      paddingIdx: 1,
      unknownIdx: 0,
      seed: 1,
      threads: 2,
    });
    const padding = async () => {
      const { data } = (await engine.state()).find(({ name }) => name === 'embedding.weight')!;
      return [...new Float32Array(new Uint8Array(data).buffer).slice(8, 16)];
    };
    expect(await padding()).toEqual(none);
    const lengths = Int32Array.of(1_700, 3, 1_001, 12);
    const tokens = Int32Array.from({ length: lengths.reduce((a, b) => a + b) }, (_, i) =>
      i % 5 === 0 ? 1 : i % 2_000,
    );
    for (const [optimizer, weightDecay] of [
      ['adam', 0],
      ['adam', 0.1],
      ['adamw', 0.1],
      ['sgd', 0.1],
    ] as const) {
      await engine.train(
        { tokens, lengths, targets: Int32Array.of(0, 1, 1, 0), batchSizes: Int32Array.of(2, 2) },
        stepOptions(Float64Array.of(0.05), { optimizer, weightDecay }),
      );
      expect(await padding(), optimizer).toEqual(none);
    }
    engine.close();
  });

  it.runIf(torchHalf)(
    'in nn.Embedding: at first, from pretrained vectors, in training, in a state that is loaded',
    () => {
      const pretrained = randn([1_500, 8]);
      const made = [
        new nn.Embedding(1_500, 8, { paddingIdx: 1 }),
        nn.Embedding.fromPretrained(pretrained, { paddingIdx: 1, freeze: false }),
      ];
      // As in PyTorch, the row of pretrained vectors is what they say; only its gradient is zero.
      const given = [...pretrained.toTypedArray().slice(8, 16)];
      for (const [which, embedding] of made.entries()) {
        const row = () => [...embedding.weight.toTypedArray().slice(8, 16)];
        const expected = which === 0 ? none : given;
        expect(row()).toEqual(expected);
        const optimizer = new optim.Adam(embedding.parameters(), { lr: 0.1 });
        for (let step = 0; step < 3; step++) {
          optimizer.zeroGrad();
          embedding
            .forward(randint(0, 3, [2, 1_200]))
            .square()
            .sum()
            .backward();
          optimizer.step();
        }
        expect(row()).toEqual(expected);
        const other = new nn.Embedding(1_500, 8, { paddingIdx: 1 });
        other.loadStateDict(embedding.stateDict());
        expect([...other.weight.toTypedArray().slice(8, 16)]).toEqual(expected);
      }
    },
  );
});

describe.runIf(torchHalf)('sizes that lie are refused before native code', () => {
  const { packPaddedSequence, padPackedSequence, PackedSequence } = nn.utils.rnn;

  it('lengths that do not fit the data', () => {
    const x = randn([3, 5, 2]);
    const pack = (lengths: Iterable<number>) => () =>
      packPaddedSequence(x, [...lengths], { batchFirst: true, enforceSorted: false });
    expect(codeOf(pack([5, 5]))).toBe('INVALID_SHAPE');
    expect(codeOf(pack([5, 5, 5, 5]))).toBe('INVALID_SHAPE');
    expect(codeOf(pack([6, 5, 5]))).toBe('OUT_OF_RANGE');
    expect(codeOf(pack([5, 0, 5]))).toBe('OUT_OF_RANGE');
    expect(codeOf(pack([5, -1, 5]))).toBe('OUT_OF_RANGE');
    for (const length of [1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 40]) {
      expect(codeOf(pack([5, length, 5]))).toMatch(/INVALID_ARGUMENT|OUT_OF_RANGE/);
    }
  });

  it('packed parts that do not fit together', () => {
    const data = randn([6, 2]);
    for (const sizes of [[2, 3, 1], [3, 3, 1], [3, 2], [7, -1], [6, 0], [], [0, 6], [2 ** 31], [2 ** 31 - 1, 1]]) {
      expect(
        codeOf(() => new PackedSequence(data, sizes)),
        `${sizes}`,
      ).toMatch(/INVALID_SHAPE|OUT_OF_RANGE|INVALID_ARGUMENT/);
    }
    for (const order of [
      [0, 1],
      [0, 0, 1],
      [0, 1, 3],
      [-1, 0, 1],
    ]) {
      expect(
        codeOf(() => new PackedSequence(data, [3, 2, 1], order)),
        `${order}`,
      ).toMatch(/INVALID_SHAPE|OUT_OF_RANGE/);
    }
    const packed = new PackedSequence(data, [3, 2, 1]);
    expect(codeOf(() => padPackedSequence(packed, { totalLength: 2 }))).toBe('OUT_OF_RANGE');
    // What is readonly for the compiler is not for JavaScript.
    (packed.batchSizes as Int32Array)[1] = 3;
    const layer = new nn.LSTM(2, 3);
    expect(codeOf(() => layer.forward(packed))).toMatch(/INVALID_ARGUMENT|INVALID_SHAPE|OUT_OF_RANGE/);
    expect(codeOf(() => padPackedSequence(packed))).toMatch(/INVALID_ARGUMENT|INVALID_SHAPE|OUT_OF_RANGE|TORCH/);
  });

  it('states and inputs of another batch or width', () => {
    const layer = new nn.GRU(4, 3, { batchFirst: true });
    expect(codeOf(() => layer.forward(randn([2, 5, 3])))).toBe('INVALID_SHAPE');
    expect(codeOf(() => layer.forward(randn([2, 5, 4]), zeros([1, 3, 3])))).toBe('INVALID_SHAPE');
    expect(codeOf(() => layer.forward(randn([2, 5, 4]), zeros([2, 2, 3])))).toBe('INVALID_SHAPE');
    expect(codeOf(() => tensor([1, 2, 3], { shape: [2, 2] }))).toBe('INVALID_SHAPE');
    expect(codeOf(() => tensor(new Float32Array(4), { shape: [2 ** 32, 2 ** 32] }))).toMatch(/INVALID|OUT_OF_RANGE/);
    expect(codeOf(() => zeros([2 ** 40, 2 ** 20]))).toMatch(/INVALID|OUT_OF_RANGE|TORCH|OUT_OF_MEMORY/);
  });

  it('data of another shape: assigned to a weight it does not spread silently', () => {
    const { weight } = new nn.Linear(3, 2);
    const before = [...weight.toTypedArray()];
    for (const shape of [[3], [1, 3], [1], [], [3, 2], [2, 3, 1]]) {
      expect(
        codeOf(() => (weight.data = zeros(shape))),
        `${shape}`,
      ).toBe('INVALID_SHAPE');
    }
    expect([...weight.toTypedArray()]).toEqual(before);
    weight.data = zeros([2, 3]);
    expect([...weight.toTypedArray()]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
