import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Row, TextClassifier, type TrainingEvent, type TrainOptions } from '../../../src/index.js';
import { temporaryFolder } from '../../support/folder.js';
import { ALONE, arraysOf, checksumOf, OPTIONS, rows, texts } from '../../support/linear.js';
import { topicTexts } from '../../support/texts.js';

const folder = temporaryFolder();

describe('a linear model without a network', () => {
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
      (await arraysOf(folder, from)).tensors.filter(({ name }) => name.startsWith('linear.'));
    expect((await arraysOf(folder, model)).tensors).toEqual(await linear(both));
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
    expect(await checksumOf(folder, loaded)).toBe(await checksumOf(folder, model));
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
});
