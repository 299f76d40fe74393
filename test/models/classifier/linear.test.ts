import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LinearTexts } from '../../../src/engine/linear.js';
import {
  ModelFileError,
  type Row,
  TextClassifier,
  TrainingError,
  type TrainingEvent,
  type TrainOptions,
} from '../../../src/index.js';
import { light } from '../../../src/native/light.js';
import { temporaryFolder } from '../../support/folder.js';
import { topicTexts } from '../../support/texts.js';

const folder = temporaryFolder();
const rows = topicTexts(300);
const texts = topicTexts(60, 9).map(({ text }) => text);
const SMALL = { embeddingDim: 8, hiddenSize: 6, epochs: 2, lr: 1e-2, batchSize: 16, threads: 2 } as const;
const OPTIONS = { ...SMALL, linear: true } as const satisfies TrainOptions;

/** What tells two models apart: the checksum of their files. */
async function checksumOf(model: TextClassifier): Promise<string> {
  const path = join(folder, 'compared');
  await model.save(path);
  return (await light().readSafetensors(path, 1 << 30)).metadata.sha256!;
}

async function arraysOf(model: TextClassifier) {
  const path = join(folder, 'arrays');
  await model.save(path);
  return light().readSafetensors(path, 1 << 30);
}

describe('a linear model beside the network', () => {
  it('changes the predictions and not the network', async () => {
    using alone = await TextClassifier.train(rows, { ...SMALL, linear: false });
    using both = await TextClassifier.train(rows, OPTIONS);
    const weights = async (model: TextClassifier) =>
      (await arraysOf(model)).tensors.filter(({ name }) => !name.startsWith('linear.'));
    expect(await weights(both)).toEqual(await weights(alone));
    expect(alone.mix).toBeUndefined();
    expect(both.mix).toEqual({ network: 0.3, sharpness: 1 });
    const probabilities = (await both.predictMany(texts)).map(({ probability }) => probability);
    expect(probabilities).not.toEqual((await alone.predictMany(texts)).map(({ probability }) => probability));
    const { accuracy } = await both.evaluate(topicTexts(60, 9));
    expect(accuracy).toBeGreaterThan(0.95);
  });

  it('mixes as the file says: log-probabilities by their shares, made probabilities again', async () => {
    using alone = await TextClassifier.train(rows, { ...SMALL, linear: false });
    using both = await TextClassifier.train(rows, OPTIONS);
    const shared = (await arraysOf(both)).metadata;
    const { model, ...metadata } = shared;
    const { tensors } = await arraysOf(both);
    const path = join(folder, 'share');
    const withShare = async (network: number) => {
      const described = { ...(JSON.parse(model!) as object), linear: { network, sharpness: 1 } };
      await light().writeSafetensors(path, tensors, { ...metadata, model: JSON.stringify(described) });
      return TextClassifier.load(path);
    };
    const byLabel = async (from: TextClassifier) => {
      const [prediction] = await from.predictMany([texts[0]!]);
      return from.labels.map((label) => prediction!.classes.find((one) => one.label === label)!.probability);
    };
    using network = await withShare(1);
    using linear = await withShare(0);
    const [n, l, mixed] = [await byLabel(network), await byLabel(linear), await byLabel(both)];
    for (const [at, value] of (await byLabel(alone)).entries()) expect(n[at]).toBeCloseTo(value, 6);
    const raw = n.map((value, at) => value ** 0.3 * l[at]! ** 0.7);
    const sum = raw.reduce((all, value) => all + value, 0);
    for (const [at, value] of raw.entries()) expect(mixed[at]).toBeCloseTo(value / sum, 6);
  });

  it('gives the same alone, in bulk, when crowded, with long texts and after a file', async () => {
    using model = await TextClassifier.train(rows, { ...OPTIONS, validation: 0.2 });
    const path = join(folder, 'saved');
    await model.save(path);
    using loaded = await TextClassifier.load(path);
    expect(loaded.mix).toEqual(model.mix);
    expect(model.mix!.network).toBeGreaterThanOrEqual(0);
    const asked = [...texts, '', 'half \ud800 a pair', texts.join(' ').repeat(4)];
    const bulk = await model.predictMany(asked);
    expect(await loaded.predictMany(asked)).toEqual(bulk);
    const one: unknown[] = [];
    for (const text of asked) one.push(await model.predict(text));
    expect(one).toEqual(bulk);
    expect(await Promise.all(asked.map((text) => model.predict(text)))).toEqual(bulk);
    expect(await checksumOf(loaded)).toBe(await checksumOf(model));
    const evaluated: number[] = [];
    const onPrediction = ({ probability }: { probability: number | number[] }) => {
      evaluated.push(probability as number);
    };
    await model.evaluate(
      asked.map((text) => ({ text, label: model.labels[0]! })),
      { onPrediction },
    );
    expect(evaluated).toEqual(bulk.map(({ probability }) => probability));
  });

  it('is the same with a tokenizer of the caller', async () => {
    const tokenizer = (text: string) => text.split(' ');
    using model = await TextClassifier.train(rows, { ...OPTIONS, tokenizer });
    const bulk = await model.predictMany(texts);
    expect(await Promise.all(texts.map((text) => model.predict(text)))).toEqual(bulk);
  });

  it.each([
    ['a share of the rows', {}],
    ['rows of their own', { validation: topicTexts(60, 5) }],
  ])('resumes to the very same file, validated on %s', async (_, more) => {
    const options = { ...OPTIONS, validation: 0.2, ...more, checkpoint: join(folder, 'resumed') };
    using whole = await TextClassifier.train(rows, { ...options, checkpoint: join(folder, 'whole') });
    const run = TextClassifier.start(rows, options);
    for await (const event of run) if (event.type === 'epoch') run.stop();
    using part = await run.result;
    using stored = await TextClassifier.load(options.checkpoint);
    expect(await stored.predictMany(texts)).toEqual(await part.predictMany(texts));
    using resumed = await TextClassifier.train(rows, {
      resume: options.checkpoint,
      // Rows are in no checkpoint, nor is the file of the next one.
      ...(typeof options.validation === 'number' ? {} : { validation: options.validation }),
    });
    expect(await checksumOf(resumed)).toBe(await checksumOf(whole));
    expect(resumed.mix).toEqual(whole.mix);
  });

  it('gives several labels a text with thresholds of the mixture', async () => {
    const several = rows.map(({ text, label }, at) => ({ text, label: at % 5 === 0 ? [] : [label, `${label}s`] }));
    using model = await TextClassifier.train(several, { ...OPTIONS, multiLabel: true, validation: 0.2, epochs: 4 });
    expect(model.thresholds).toHaveLength(6);
    const path = join(folder, 'several');
    await model.save(path);
    using loaded = await TextClassifier.load(path);
    expect(await loaded.predictMany(texts)).toEqual(await model.predictMany(texts));
    const evaluation = await model.evaluate(several);
    expect(evaluation.rows).toBe(300);
  });

  it('takes class weights', async () => {
    const weigh = (classWeights: TrainOptions['classWeights']) =>
      TextClassifier.train(rows, { ...OPTIONS, ...(classWeights && { classWeights }) });
    using plain = await weigh(undefined);
    using heavy = await weigh({ animal: 1e9 });
    const state = async (model: TextClassifier) =>
      (await arraysOf(model)).tensors.find(({ name }) => name === 'linear.weights')!.data;
    expect(await state(heavy)).not.toEqual(await state(plain));
  });

  it('has labels of any name', async () => {
    const named = rows.map(({ text, label }) => ({ text, label: label === 'food' ? '__proto__' : label }));
    using model = await TextClassifier.train(named, OPTIONS);
    expect((await model.predict('cheese soup bread')).label).toBe('__proto__');
  });

  it('learns from one row of each label', async () => {
    const few = [
      { text: 'good', label: 'a' },
      { text: 'bad', label: 'b' },
    ];
    using model = await TextClassifier.train(few, OPTIONS);
    expect((await model.predict('good good')).label).toBe('a');
  });

  it('explains the label of both by the parts of either', async () => {
    using alone = await TextClassifier.train(rows, { ...SMALL, linear: false });
    using model = await TextClassifier.train(rows, OPTIONS);
    const text = `${texts[0]!} \u{1f600} Soup`;
    const { label, probability, predicted, tokens, linear } = await model.explain(text);
    const prediction = await model.predict(text);
    expect([label, predicted, probability]).toEqual([prediction.label, prediction.label, prediction.probability]);
    const network = await alone.explain(text, { label });
    expect(tokens.map(({ contribution }) => contribution)).toEqual(network.tokens.map((one) => one.contribution));
    expect(network.tokens.every((token) => token.linear === undefined) && network.linear === undefined).toBe(true);
    expect(tokens.every((token) => Number.isFinite(token.linear)) && Number.isFinite(linear)).toBe(true);
    const { tokens: food } = await model.explain(text, { label: 'food' });
    expect(food.at(-1)).toMatchObject({ source: 'Soup' });
    expect(food.at(-1)!.linear).toBeGreaterThan(0);
  });

  it('is left out with a warning where there are too many labels', async () => {
    const many: Row[] = Array.from({ length: 2_001 }, (_, at) => ({ text: `word${at % 7}`, label: `${at}` }));
    const warnings: TrainingEvent[] = [];
    const onEvent = (event: TrainingEvent) => {
      // That there are as many labels as rows is another one.
      if (event.type === 'warning' && event.about !== 'rows') warnings.push(event);
    };
    using model = await TextClassifier.train(many, { ...OPTIONS, epochs: 1, onEvent });
    expect(model.mix).toBeUndefined();
    expect(warnings).toMatchObject([{ about: 'linear', error: { code: 'OUT_OF_RANGE' } }]);
    expect((warnings[0] as { error: Error }).error.message).toMatch('2000 labels at most, not 2001');
  });

  it('keeps to a limit of its bytes', async () => {
    const bytesOf = async (model: TextClassifier) => {
      const linear = (await arraysOf(model)).tensors.filter(({ name }) => name.startsWith('linear.'));
      return linear.reduce((sum, { data }) => sum + data.byteLength, 0);
    };
    using whole = await TextClassifier.train(rows, { ...OPTIONS, epochs: 1 });
    using small = await TextClassifier.train(rows, { ...OPTIONS, epochs: 1, maxLinearBytes: 2_000 });
    expect(await bytesOf(small)).toBeLessThanOrEqual(2_000);
    expect(await bytesOf(small)).toBeGreaterThan(1_000);
    expect(await bytesOf(whole)).toBeGreaterThan(4_000);
    await expect(TextClassifier.train(rows, { ...OPTIONS, maxLinearBytes: 999 })).rejects.toMatchObject({
      code: 'OUT_OF_RANGE',
      option: 'maxLinearBytes',
    });
  });

  it('tells how far it is', async () => {
    const shares: number[] = [];
    const onEvent = (event: TrainingEvent) => {
      if (event.type === 'prepare' && event.about === 'linear') shares.push(event.share);
    };
    using _ = await TextClassifier.train(rows, { ...OPTIONS, epochs: 1, onEvent });
    expect(shares.length).toBeGreaterThanOrEqual(2);
    expect(shares.every((share, at) => share >= (shares[at - 1] ?? 0))).toBe(true);
    expect(shares.at(-1)).toBeCloseTo(1, 6);
  });

  it('ends with the error of a callback that hears of it', async () => {
    const onEvent = ({ type }: TrainingEvent) => {
      if (type === 'prepare') throw new RangeError('enough');
    };
    await expect(TextClassifier.train(rows, { ...OPTIONS, onEvent })).rejects.toThrow('enough');
  });

  it('stops when the signal is aborted, and frees its memory with the model', async () => {
    const many = Array.from({ length: 40 }, (_, at) => topicTexts(300, at)).flat();
    const controller = new AbortController();
    function* aborting() {
      yield* many;
      setImmediate(() => setImmediate(() => controller.abort('enough')));
    }
    const training = TextClassifier.train(aborting(), { ...OPTIONS, signal: controller.signal });
    const error = await training.then(
      () => expect.fail('no error'),
      (reason: unknown) => reason as TrainingError,
    );
    expect(error).toBeInstanceOf(TrainingError);
    expect(error.code).toBe('ABORTED');
    expect(error.message).toBe('the training, before its first step, was aborted');
    expect(error.cause).toBe('enough');
    expect(error.model).toBeUndefined();
    const model = await TextClassifier.train(rows, OPTIONS);
    const pending = model.predictMany(texts);
    await model.close();
    expect(await pending).toHaveLength(60);
    await expect(model.predict('x')).rejects.toMatchObject({ code: 'DISPOSED' });
  });
});

describe('texts of a linear model', () => {
  const options = { classes: 3, classWeights: [], threads: 1, seed: 0, maxBytes: undefined };
  const given = () => {
    const list = new LinearTexts();
    for (const { text } of rows) list.add(text);
    return list;
  };

  it('are given up before they are counted, and while they are trained on', async () => {
    const list = given();
    list.abort();
    await expect(list.count(undefined, 1)).rejects.toMatchObject({ code: 'ABORTED' });
    const later = given();
    const counted = await later.count(undefined, 2);
    later.abort();
    const labels = Int32Array.from(rows, (_, at) => at % 3);
    await expect(counted.train({ labels }, options)).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('are errors, not faults, where they do not fit', async () => {
    const list = given();
    await expect(list.count(Int32Array.of(0, 300), 1)).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    const counted = await list.count(Int32Array.of(0, 1), 1);
    await expect(counted.train({ labels: Int32Array.of(0, 9) }, options)).rejects.toMatchObject({
      code: 'OUT_OF_RANGE',
    });
    const model = await counted.train({ labels: Int32Array.of(0, 1) }, options);
    const mix = { network: 0.3, sharpness: 1 };
    expect(() => model.mixNow('x', new Float32Array(2), mix)).toThrow(/need as many scores/);
    await expect(model.mix(['x', 'y'], new Float32Array(3), mix, 1)).rejects.toMatchObject({ code: 'INVALID_SHAPE' });
    list.close();
    await expect(list.count(undefined, 1)).rejects.toMatchObject({ code: 'DISPOSED' });
    model.close();
    await expect((async () => model.state())()).rejects.toMatchObject({ code: 'DISPOSED' });
  });
});

describe('a file with a linear model', () => {
  const damage = async (
    change: (
      file: Awaited<ReturnType<typeof arraysOf>>,
      described: { formatVersion: number; linear?: unknown; labels: string[] },
    ) => void,
  ) => {
    using model = await TextClassifier.train(rows, OPTIONS);
    const file = await arraysOf(model);
    const described = JSON.parse(file.metadata.model!) as { formatVersion: number; labels: string[] };
    change(file, described);
    const path = join(folder, 'damaged');
    await light().writeSafetensors(path, file.tensors, { ...file.metadata, model: JSON.stringify(described) });
    return TextClassifier.load(path).then(
      () => expect.fail('no error'),
      (error: unknown) => error as ModelFileError,
    );
  };
  const without = (name: string) => (file: { tensors: { name: string }[] }) => {
    file.tensors = file.tensors.filter((one) => one.name !== name);
  };

  it('has a version of its own, and one without keeps the former', async () => {
    using both = await TextClassifier.train(rows, OPTIONS);
    using alone = await TextClassifier.train(rows, { ...SMALL, linear: false });
    expect(JSON.parse((await arraysOf(both)).metadata.model!)).toMatchObject({ formatVersion: 3 });
    const described = JSON.parse((await arraysOf(alone)).metadata.model!) as object;
    expect(described).toMatchObject({ formatVersion: 2 });
    expect(described).not.toHaveProperty('linear');
  });

  it.each<[string, Parameters<typeof damage>[0], RegExp]>([
    ['lacks an array', without('linear.weights'), /linear\.weights is missing/],
    ['lacks the description', without('linear.meta'), /linear\.meta is missing/],
    ['lacks its mix', (_, described) => delete described.linear, /not its mix/],
    ['has a damaged mix', (_, described) => Object.assign(described, { linear: { network: 2 } }), /two numbers/],
    [
      'has no linear model for its mix',
      (file) => {
        file.tensors = file.tensors.filter(({ name }) => !name.startsWith('linear.'));
      },
      /but no linear model/,
    ],
    [
      'has an array of another type',
      (file) => {
        for (const one of file.tensors) if (one.name === 'linear.weights') one.dtype = 'uint8';
      },
      /must be int8, not uint8/,
    ],
    [
      'has damaged numbers',
      (file) => {
        for (const one of file.tensors) if (one.name === 'linear.chars.rows') one.data.fill(255);
      },
      /linear\.chars\.rows is damaged/,
    ],
  ])('that %s is refused', async (_, change, message) => {
    const error = await damage(change);
    expect(error).toBeInstanceOf(ModelFileError);
    expect(error.code).toBe('INVALID_FILE');
    expect(error.message).toMatch(message);
  });
});

describe('a linear model without a network', () => {
  const ALONE = { recurrent: false, threads: 2 } as const satisfies TrainOptions;

  it('is the linear part of a mixture, has no weights, and gives the same in every way', async () => {
    const events: string[] = [];
    const onEvent = ({ type }: TrainingEvent) => {
      events.push(type);
    };
    using model = await TextClassifier.train(rows, { ...ALONE, onEvent });
    using both = await TextClassifier.train(rows, OPTIONS);
    expect([model.recurrent, both.recurrent]).toEqual([false, true]);
    expect(events.filter((type) => type !== 'prepare')).toEqual(['start', 'end']);
    expect(model.history).toEqual([]);
    const linear = async (from: TextClassifier) =>
      (await arraysOf(from)).tensors.filter(({ name }) => name.startsWith('linear.'));
    expect((await arraysOf(model)).tensors).toEqual(await linear(both));
    const path = join(folder, 'alone');
    await model.save(path);
    using loaded = await TextClassifier.load(path);
    expect([loaded.recurrent, loaded.mix]).toEqual([false, { network: 0, sharpness: 1 }]);
    const asked = [...texts, '', texts.join(' ').repeat(4)];
    const bulk = await loaded.predictMany(asked);
    expect(await model.predictMany(asked)).toEqual(bulk);
    expect(await Promise.all(asked.map((text) => model.predict(text)))).toEqual(bulk);
    const one: unknown[] = [];
    for (const text of asked) one.push(await loaded.predict(text));
    expect(one).toEqual(bulk);
    expect(bulk[0]!.tokens).toBeGreaterThan(0);
    expect(bulk[0]!.knownTokens).toBe((await both.predict(asked[0]!)).knownTokens);
    expect(await checksumOf(loaded)).toBe(await checksumOf(model));
    const { accuracy } = await model.evaluate(topicTexts(60, 9));
    expect(accuracy).toBeGreaterThan(0.95);
  });

  it('explains itself exactly: parts and bias are the score', async () => {
    using model = await TextClassifier.train(rows, ALONE);
    const { method, logit, linear, tokens, probability, label } = await model.explain('soup and bread');
    expect([method, label]).toEqual(['linear', 'food']);
    expect(logit).toBe(linear);
    expect(probability).toBe((await model.predict('soup and bread')).probability);
    expect(tokens.map(({ source }) => source)).toEqual(['soup', 'and', 'bread']);
    expect(tokens[0]!.contribution).toBe(tokens[0]!.linear);
    expect(tokens[0]!.contribution).toBeGreaterThan(Math.abs(tokens[1]!.contribution));
    expect((await model.explain('')).tokens).toEqual([]);
  });

  it('chooses thresholds on validation rows', async () => {
    const several = rows.map(({ text, label }, at) => ({ text, label: at % 5 === 0 ? [] : [label, `${label}s`] }));
    using model = await TextClassifier.train(several, { ...ALONE, multiLabel: true, validation: 0.2 });
    expect(model.thresholds).toHaveLength(6);
    expect(model.thresholds).not.toEqual(new Array(6).fill(0.5));
    const path = join(folder, 'alone');
    await model.save(path);
    using loaded = await TextClassifier.load(path);
    expect(await loaded.predictMany(texts)).toEqual(await model.predictMany(texts));
  });

  it('works with a tokenizer of the caller', async () => {
    const tokenizer = (text: string) => text.split(' ');
    using model = await TextClassifier.train(rows, { ...ALONE, tokenizer });
    expect(await Promise.all(texts.map((text) => model.predict(text)))).toEqual(await model.predictMany(texts));
  });

  it.each<[TrainOptions, string]>([
    [{ linear: false }, 'linear'],
    [{ checkpoint: 'x' }, 'checkpoint'],
    [{ embeddings: 'x' }, 'embeddings'],
  ])('refuses %o', async (more, option) => {
    await expect(TextClassifier.train(rows, { ...ALONE, ...more })).rejects.toMatchObject({ option });
  });

  it('is refused where none can be trained', async () => {
    const many: Row[] = Array.from({ length: 2_001 }, (_, at) => ({ text: `word${at % 7}`, label: `${at}` }));
    await expect(TextClassifier.train(many, ALONE)).rejects.toMatchObject({
      option: 'recurrent',
      message: expect.stringMatching('2000 labels at most') as unknown,
    });
  });

  it('is not read from a file that has lost it', async () => {
    using model = await TextClassifier.train(rows, ALONE);
    const file = await arraysOf(model);
    const path = join(folder, 'lost');
    await light().writeSafetensors(path, [], file.metadata);
    await expect(TextClassifier.load(path)).rejects.toThrow(/no linear model/);
  });
});
