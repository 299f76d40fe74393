import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { kernelEngine } from '../../src/engine/kernels.js';
import { type LabelledText, Random, TextClassifier, type TrainingEvent, type TrainOptions } from '../../src/index.js';
import { defaultAdversarial } from '../../src/models/classifier/options.js';
import { light } from '../../src/native/light.js';
import { learningRate } from '../../src/training/schedule.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';
import { weightsOf } from '../support/weights.js';

const SMALL = {
  linear: false,
  embeddingDim: 16,
  hiddenSize: 16,
  batchSize: 16,
  epochs: 6,
  lr: 1e-2,
  dropout: 0.1,
  seed: 3,
} as const;
const folder = temporaryFolder();

/** The weights of a model, by name. */
async function weights(model: TextClassifier): Promise<Map<string, Float32Array>> {
  const path = join(folder, 'weights.safetensors');
  await model.save(path);
  const { tensors } = await light().readSafetensors(path, 1 << 30);
  return weightsOf({ state: async () => tensors });
}

/** Everything that makes numbers differ from run to run if it is not seeded. */
const EVERYTHING: TrainOptions = {
  ...SMALL,
  epochs: 2,
  pooling: 'attention',
  numLayers: 2,
  dropout: 0.3,
  embeddingDropout: 0.2,
  wordDropout: 0.1,
  validation: 0.2,
  warmup: 0.3,
  clipGradNorm: 0.5,
  optimizer: 'adamw',
  classWeights: 'balanced',
  labelSmoothing: 0.1,
  adversarial: 0.1,
  tokensPerBatch: 90,
};

describe('batches that nobody asked for', () => {
  it.each([
    [60, 8],
    [2_000, 16],
    [9_000, 64],
  ])('of %i rows have %i', async (count, size) => {
    const { steps } = await new Promise<TrainingEvent & { type: 'start' }>((resolve, reject) => {
      const run = TextClassifier.start(topicTexts(count), {
        ...SMALL,
        batchSize: undefined as never,
        epochs: 1,
        onEvent: (event) => {
          if (event.type !== 'start') return;
          resolve(event);
          run.stop();
        },
      });
      run.result.then((model) => model.close(), reject);
    });
    expect(steps).toBe(Math.ceil(count / size));
  });
});

it('adversarial noise is on with few rows, off with many, and what the option says otherwise', async () => {
  expect([defaultAdversarial(500, 2), defaultAdversarial(12_000, 32)]).toEqual([0.05, 0.05]);
  expect([defaultAdversarial(12_001, 2), defaultAdversarial(500, 33)]).toEqual([0, 0]);
  const train = async (adversarial?: number) => {
    using model = await TextClassifier.train(topicTexts(90), {
      ...SMALL,
      ...(adversarial !== undefined && { adversarial }),
    });
    return weights(model);
  };
  expect(await train()).toEqual(await train(0.05));
  expect(await train()).not.toEqual(await train(0));
});

describe('the first word vectors', () => {
  it.each([
    [undefined, 0.1],
    [1, 1],
    [0.5, 0.5],
    [0, 0],
  ])('with embeddingStd %s have the standard deviation %d', async (embeddingStd, expected) => {
    using model = await TextClassifier.train(topicTexts(90), {
      ...SMALL,
      epochs: 1,
      embeddingDim: 128,
      freezeEmbeddings: true,
      ...(embeddingStd === undefined ? {} : { embeddingStd }),
    });
    const values = (await weights(model)).get('embedding.weight')!.filter((value) => value !== 0);
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / Math.max(1, values.length));
    expect(deviation).toBeCloseTo(expected, 1);
    expect(Math.abs(deviation - expected)).toBeLessThanOrEqual(0.05 * expected);
  });
});

describe('the same seed', () => {
  it.each([
    [1, 'with everything', EVERYTHING],
    [2, 'with everything', EVERYTHING],
    [1, 'with the defaults', { ...SMALL, epochs: 1 }],
    [2, 'with the defaults', { ...SMALL, epochs: 1 }],
    [2, 'with momentum', { ...SMALL, epochs: 1, optimizer: 'sgd', momentum: 0.9, weightDecay: 1e-3 }],
  ] as const)('and %i threads give the same model bit by bit, %s', async (threads, _, options) => {
    const [first, second] = [
      await TextClassifier.train(topicTexts(200), { ...options, threads }),
      await TextClassifier.train(topicTexts(200), { ...options, threads }),
    ];
    expect(await weights(second)).toEqual(await weights(first));
    expect(second.history.map(({ loss, validation }) => [loss, validation])).toEqual(
      first.history.map(({ loss, validation }) => [loss, validation]),
    );
    using other = await TextClassifier.train(topicTexts(200), { ...options, threads, seed: 4 });
    expect(await weights(other)).not.toEqual(await weights(first));
    await Promise.all([first.close(), second.close()]);
  });

  it('gives the same models to two trainings that run at once', async () => {
    const train = () => TextClassifier.train(topicTexts(200), { ...EVERYTHING, threads: 2 });
    const [first, second] = await Promise.all([train(), train()]);
    expect(await weights(second)).toEqual(await weights(first));
    await Promise.all([first.close(), second.close()]);
  });
});

describe('what learns', () => {
  it.each([
    ['attention', { pooling: 'attention' }],
    ['word dropout', { wordDropout: 0.2 }],
    ['a token budget', { tokensPerBatch: 80, batchSize: 1_000 }],
    ['a token budget alone', { tokensPerBatch: 80, batchSize: undefined }],
    ['random batches', { bucketing: false }],
    ['adamw and warm-up', { optimizer: 'adamw', warmup: 0.2, schedule: 'cosine' }],
    ['sgd', { optimizer: 'sgd', momentum: 0.9, lr: 0.1 }],
    ['label smoothing and class weights', { labelSmoothing: 0.1, classWeights: { animal: 2, food: 0.5 } }],
    ['no adversarial noise', { adversarial: 0 }],
    ['much adversarial noise', { adversarial: 0.3 }],
    ['frozen random vectors', { freezeEmbeddings: true, embeddingStd: 1 }],
  ] as [string, TrainOptions][])('with %s', async (_, options) => {
    const given = Object.fromEntries(
      Object.entries({ ...SMALL, ...options }).filter(([, value]) => value !== undefined),
    );
    using model = await TextClassifier.train(topicTexts(600), given);
    let right = 0;
    const test = topicTexts(150, 99);
    const predictions = await model.predictMany(test.map(({ text }) => text));
    for (const [row, { label, labels }] of predictions.entries()) {
      expect(labels).toEqual([label]);
      if (label === test[row]!.label) right++;
    }
    expect(right / test.length).toBeGreaterThan(0.9);
    expect([...(await weights(model)).get('embedding.weight')!.subarray(16, 32)]).toEqual(new Array(16).fill(0));
  });

  it('the rare label better with balanced weights', async () => {
    // The texts say little, so that a model that minds the frequent label alone is right most of the time.
    const random = new Random(8);
    const noisy = (rows: number): LabelledText[] =>
      Array.from({ length: rows }, (_, row) => {
        const label = row % 12 === 0 ? 'rare' : 'often';
        const word = random.float() < (label === 'rare' ? 0.7 : 0.15) ? 'x' : 'y';
        return { label, text: `${word} ${random.int(5)} ${random.int(5)}` };
      });
    const [rows, test] = [noisy(900), noisy(600)];
    const found = async (classWeights: TrainOptions['classWeights']) => {
      using model = await TextClassifier.train(rows, {
        ...SMALL,
        epochs: 3,
        ...(classWeights ? { classWeights } : {}),
      });
      const predictions = await model.predictMany(test.map(({ text }) => text));
      return predictions.filter(({ label }, row) => label === 'rare' && test[row]!.label === 'rare').length;
    };
    const plain = await found(undefined);
    const balanced = await found('balanced');
    // Of 50. 'x' makes the rare label likely, but not more likely than the other.
    expect(plain).toBeLessThan(10);
    expect(balanced).toBeGreaterThan(25);
  });
});

describe('pretrained word vectors', () => {
  const file = join(folder, 'vectors.txt');
  const known: Record<string, number[]> = {
    cat: [1, 2, 3, 4],
    hammer: [-1, 0.5, 0, 8],
    zebra: [9, 9, 9, 9],
    '<pad>': [7, 7, 7, 7],
  };
  writeFileSync(
    file,
    Object.entries(known)
      .map(([word, vector]) => `${word} ${vector.join(' ')}\n`)
      .join(''),
  );
  const { embeddingDim: _, ...rest } = SMALL;
  const row = (weight: Float32Array, index: number) => [...weight.subarray(index * 4, index * 4 + 4)];

  it('begin the training, words without one as usual, and stay as long as they are frozen', async () => {
    using model = await TextClassifier.train(topicTexts(90), { ...rest, embeddings: file, freezeEmbeddings: true });
    expect(model.settings.embeddingDim).toBe(4);
    const weight = (await weights(model)).get('embedding.weight')!;
    const engine = kernelEngine({
      ...model.settings,
      vocabSize: model.vocab.length,
      head: { ...model.settings, kind: 'classes', outputs: 3 },
      paddingIdx: model.vocab.padIndex!,
      unknownIdx: 0,
      embeddingStd: 0.1,
      seed: SMALL.seed,
      threads: 1,
    });
    const usual = (await weightsOf(engine)).get('embedding.weight')!;
    engine.close();
    for (const [index, word] of model.vocab.itos.entries()) {
      const expected = word === '<pad>' ? [0, 0, 0, 0] : (known[word] ?? row(usual, index));
      expect(row(weight, index), word).toEqual(expected);
    }
    expect(model.vocab.itos.slice(-1)).toEqual(['zebra']);
  });

  it('move once they are no longer frozen, the padding never', async () => {
    const train = (freezeEmbeddings: TrainOptions['freezeEmbeddings']) =>
      TextClassifier.train(topicTexts(90), {
        ...rest,
        epochs: 2,
        embeddings: file,
        freezeEmbeddings: freezeEmbeddings!,
      });
    for (const [frozen, moved] of [
      [2, false],
      [1, true],
      [0, true],
      [false, true],
    ] as const) {
      using model = await train(frozen);
      const weight = (await weights(model)).get('embedding.weight')!;
      const cat = row(weight, model.vocab.get('cat'));
      expect(cat.some((value, i) => value !== known.cat![i])).toBe(moved);
      expect(row(weight, model.vocab.padIndex!)).toEqual([0, 0, 0, 0]);
      if (moved) for (const [i, value] of cat.entries()) expect(Math.abs(value - known.cat![i]!)).toBeLessThan(1);
    }
  });

  it('are refused if their size is not that asked for, if no word is in the file, and if there is no file', async () => {
    const train = (options: TrainOptions) => TextClassifier.train(topicTexts(90), { ...rest, ...options });
    await expect(train({ embeddings: file, embeddingDim: 5 })).rejects.toThrow(
      /embeddingDim is 5, but the vectors in .* have 4 values/,
    );
    const strange = join(folder, 'strange.txt');
    writeFileSync(strange, 'katze 1 2\nhund 3 4\n');
    await expect(train({ embeddings: strange })).rejects.toThrow(/none of the \d+ words/);
    await expect(train({ embeddings: join(folder, 'nothing') })).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});

describe('early stopping', () => {
  it('ends after as many epochs without improvement as patience says, with the best weights', async () => {
    // At this rate no weight moves, so no epoch is better than the first.
    const train = (options: TrainOptions) =>
      TextClassifier.train(topicTexts(60), { ...SMALL, lr: 1e-30, validation: 0.2, ...options });
    using impatient = await train({ patience: 1 });
    using patient = await train({ patience: 3 });
    using endless = await train({});
    expect([impatient, patient, endless].map(({ history }) => history.length)).toEqual([2, 4, 6]);
  });

  it('goes on as long as epochs improve', async () => {
    using model = await TextClassifier.train(topicTexts(600), {
      ...SMALL,
      lr: 1e-3,
      patience: 1,
      validation: topicTexts(90, 7),
    });
    const results = model.history.map(({ validation }) => validation!);
    const better = (a: { accuracy: number; loss: number }, b: { accuracy: number; loss: number }) =>
      a.accuracy > b.accuracy || (a.accuracy === b.accuracy && a.loss < b.loss);
    const last = results.length === SMALL.epochs ? results.length : results.length - 1;
    for (let i = 1; i < last; i++) expect(better(results[i]!, results[i - 1]!), `epoch ${i + 1}`).toBe(true);
    expect(results.length).toBeGreaterThan(2);
  });
});

describe('the learning rate', () => {
  const rates = (schedule: 'constant' | 'linear' | 'cosine', warmup: number, steps: number) =>
    Array.from({ length: steps }, (_, step) => learningRate({ schedule, lr: 8, warmup }, step, steps));

  it('follows its schedule, after a warm-up in equal steps', () => {
    expect(rates('constant', 0, 3)).toEqual([8, 8, 8]);
    expect(rates('linear', 0, 4)).toEqual([8, 6, 4, 2]);
    expect(rates('constant', 0.5, 4)).toEqual([4, 8, 8, 8]);
    expect(rates('linear', 0.5, 8)).toEqual([2, 4, 6, 8, 8, 6, 4, 2]);
    const cosine = rates('cosine', 0.2, 10);
    expect(cosine.slice(0, 3)).toEqual([4, 8, 8]);
    expect(cosine[6]).toBeCloseTo(4, 12);
    expect(cosine.at(-1)).toBeCloseTo(4 * (1 + Math.cos((Math.PI * 7) / 8)), 12);
  });

  it('is never negative, never above lr, and rises before it falls', () => {
    for (const schedule of ['constant', 'linear', 'cosine'] as const) {
      for (const warmup of [0, 0.01, 0.37, 0.999]) {
        for (const steps of [1, 2, 17, 100]) {
          const all = rates(schedule, warmup, steps);
          const peak = all.indexOf(Math.max(...all));
          expect(all.every((rate) => rate > 0 && rate <= 8)).toBe(true);
          expect(all.slice(0, peak + 1)).toEqual(all.slice(0, peak + 1).sort((a, b) => a - b));
          expect(all.slice(peak)).toEqual(all.slice(peak).sort((a, b) => b - a));
        }
      }
    }
  });
});

describe('what the options refuse', () => {
  it.each([
    [{ pooling: 'sum' }, /one of 'last', 'mean', 'max', 'attention' for pooling/],
    [{ wordDropout: 1 }, /a number from 0 to below 1 for wordDropout but received number 1/],
    [{ wordDropout: '0.1' }, /for wordDropout/],
    [{ embeddingStd: -1 }, /a number of at least 0 for embeddingStd but received number -1/],
    [{ embeddingStd: Number.NaN }, /for embeddingStd/],
    [{ multiLabel: 1 }, /true or false for multiLabel/],
    [{ tokensPerBatch: 0 }, /an integer from 1 .* for tokensPerBatch/],
    [{ bucketing: 'yes' }, /true or false for bucketing/],
    [{ optimizer: 'rmsprop' }, /one of 'adam', 'adamw', 'sgd' for optimizer/],
    [{ weightDecay: -1 }, /a number of at least 0 for weightDecay/],
    [{ weightDecay: Number.POSITIVE_INFINITY }, /a number of at least 0 for weightDecay/],
    [{ momentum: 0.9 }, /momentum applies to optimizer 'sgd' only; 'adam' has its own/],
    [{ optimizer: 'sgd', momentum: 2 }, /a number from 0 to 1 for momentum/],
    [{ warmup: 1 }, /a number from 0 to below 1 for warmup/],
    [{ labelSmoothing: -0.1 }, /a number from 0 to below 1 for labelSmoothing/],
    [{ linear: false, maxLinearBytes: 5_000 }, /maxLinearBytes does not apply with linear: false/],
    [{ labelSmoothing: 0.1, multiLabel: true }, /labelSmoothing does not apply to multiLabel models/],
    [{ adversarial: -0.1 }, /a number from 0 to 1000 for adversarial but received number -0.1/],
    [{ adversarial: true }, /for adversarial but received boolean true/],
    [{ patience: 0, validation: 0.1 }, /an integer from 1 .* for patience/],
    [{ patience: 2 }, /patience needs validation/],
    [{ classWeights: 'even' }, /'balanced' or an object from label to weight for classWeights/],
    [{ classWeights: [1, 2] }, /for classWeights/],
    [{ classWeights: { animal: 0 } }, /a number above 0 for classWeights\["animal"\] but received number 0/],
    [
      { classWeights: { animal: 1e-60 } },
      /a number above 0 that float32 can represent for classWeights\["animal"\] but received number 1e-60/,
    ],
    [{ classWeights: { animal: '3' } }, /for classWeights\["animal"\] but received string "3"/],
    [{ classWeights: { planet: 3 } }, /"planet", which no training row has; labels: "animal", "food", "tool"/],
    [{ classWeights: new Map([['__proto__', 3]]) }, /"__proto__", which no training row has/],
    [{ embeddings: 3 }, /the path of a file of word vectors for embeddings/],
    [{ freezeEmbeddings: -1 }, /true, false or a number of epochs for freezeEmbeddings/],
    [{ freezeEmbeddings: 0.5 }, /for freezeEmbeddings but received number 0.5/],
    [{ minFreq: 0 }, /an integer from 1 .* for minFreq but received number 0/],
    [{ minFreq: 1.5 }, /for minFreq/],
  ])('%o', async (options, message) => {
    await expect(TextClassifier.train(topicTexts(9), options as object)).rejects.toThrow(message);
  });

  it('a label named __proto__ has its weight', async () => {
    const rows = topicTexts(60).map(({ text, label }) => ({ text, label: label === 'food' ? '__proto__' : label }));
    const classWeights = JSON.parse('{"__proto__": 2, "animal": 0.5}') as Record<string, number>;
    using model = await TextClassifier.train(rows, { ...SMALL, epochs: 1, classWeights });
    expect(model.labels).toEqual(['__proto__', 'animal', 'tool']);
  });
});
