import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TextClassifier, type TrainOptions } from '../../../src/index.js';
import { light } from '../../../src/native/light.js';
import { temporaryFolder } from '../../support/folder.js';
import { arraysOf, checksumOf, OPTIONS, rows, SMALL, texts } from '../../support/linear.js';
import { topicTexts } from '../../support/texts.js';

const folder = temporaryFolder();

describe('a linear model beside the network', () => {
  it('changes the predictions and not the network', async () => {
    using alone = await TextClassifier.train(rows, { ...SMALL, linear: false });
    using both = await TextClassifier.train(rows, OPTIONS);
    const weights = async (model: TextClassifier) =>
      (await arraysOf(folder, model)).tensors.filter(({ name }) => !name.startsWith('linear.'));
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
    const shared = (await arraysOf(folder, both)).metadata;
    const { model, ...metadata } = shared;
    const { tensors } = await arraysOf(folder, both);
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
    expect(await checksumOf(folder, loaded)).toBe(await checksumOf(folder, model));
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
    expect(await checksumOf(folder, resumed)).toBe(await checksumOf(folder, whole));
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
      (await arraysOf(folder, model)).tensors.find(({ name }) => name === 'linear.weights')!.data;
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
});
