import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TextClassifier } from '../../src/index.js';
import { topicTexts } from '../support/texts.js';

let model: TextClassifier;
beforeAll(async () => {
  model = await TextClassifier.train(topicTexts(300), {
    embeddingDim: 16,
    hiddenSize: 16,
    batchSize: 16,
    lr: 1e-2,
    seed: 1,
  });
});
afterAll(() => model.close());

describe('predict', () => {
  it('gives every label with a probability, the most probable first', async () => {
    const prediction = await model.predict('a dog with a tail');
    expect(prediction.label).toBe('animal');
    const [best] = prediction;
    expect(best).toEqual({ label: 'animal', probability: prediction.probability });
    const probabilities = prediction.classes.map(({ probability }) => probability);
    expect(probabilities).toEqual([...probabilities].sort((a, b) => b - a));
    expect(probabilities.reduce((sum, probability) => sum + probability, 0)).toBeCloseTo(1, 5);
  });

  it('lists no more labels than topK asks for', async () => {
    expect((await model.predict('a dog', { topK: 1 })).classes).toHaveLength(1);
    expect((await model.predict('a dog', { topK: 50 })).classes).toHaveLength(3);
    await expect(model.predict('a dog', { topK: 0 })).rejects.toMatchObject({ code: 'OUT_OF_RANGE', option: 'topK' });
  });

  it('answers for empty and unknown texts, and says that it knows nothing of them', async () => {
    const [empty, unknown, half] = await model.predictMany(['', 'zyx wvu', 'zyx cat']);
    expect(empty).toMatchObject({ tokens: 0, knownTokens: 0 });
    expect(unknown).toMatchObject({ tokens: 2, knownTokens: 0 });
    expect(half).toMatchObject({ tokens: 2, knownTokens: 1 });
    for (const { classes } of [empty!, unknown!, half!]) {
      expect(classes.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
    }
  });

  it('gives a text the same distribution alone and among any others, in the order asked', async () => {
    const texts = topicTexts(2_500, 8).map(({ text }) => text);
    texts[7] = '';
    const together = await model.predictMany(texts);
    expect(together).toHaveLength(texts.length);
    for (const index of [0, 7, 1_023, 1_024, 2_499]) {
      const alone = await model.predict(texts[index]!);
      expect(alone.label).toBe(together[index]!.label);
      for (const { label, probability } of alone) {
        const other = together[index]!.classes.find((entry) => entry.label === label)!;
        expect(Math.abs(other.probability - probability)).toBeLessThan(1e-5);
      }
    }
  });

  it('answers many callers at once', async () => {
    const texts = topicTexts(60, 4).map(({ text }) => text);
    const one = await Promise.all(texts.map((text) => model.predict(text)));
    const many = await model.predictMany(texts);
    expect(one.map(({ label }) => label)).toEqual(many.map(({ label }) => label));
  });

  it('gives nothing for nothing, and refuses what is no text', async () => {
    expect(await model.predictMany([])).toEqual([]);
    await expect(model.predict(42 as never)).rejects.toThrow('Expected a string for text but received number 42');
    await expect(model.predict('a', null as never)).rejects.toThrow('Expected an object for options but received null');
    await expect(model.predictMany(['a', null] as never)).rejects.toThrow(
      'Expected a string for texts[1] but received null',
    );
    await expect(model.predictMany('a' as never)).rejects.toThrow('Expected an array of strings for texts');
  });

  it('cannot be used once closed, and can be closed twice', async () => {
    const other = await TextClassifier.train(topicTexts(30), { embeddingDim: 4, hiddenSize: 4, epochs: 1 });
    other.close();
    other.close();
    await expect(other.predict('a')).rejects.toMatchObject({ code: 'DISPOSED' });
    await expect(other.save('x')).rejects.toMatchObject({ code: 'DISPOSED' });
    await expect(other.evaluate(topicTexts(3))).rejects.toMatchObject({ code: 'DISPOSED' });
  });
});
