import { expect, it } from 'vitest';
import { TextClassifier } from '../../src/index.js';
import { topicTexts } from '../support/texts.js';

const SMALL = { embeddingDim: 8, hiddenSize: 8, threads: 1 } as const;

it('gives no label that is less probable than minProbability', async () => {
  await using model = await TextClassifier.train(topicTexts(120), SMALL);
  const texts = [...topicTexts(30, 7).map(({ text }) => text), '', 'nothing known'];
  const plain = await model.predictMany(texts);
  const sorted = plain.map(({ probability }) => probability).sort((a, b) => a - b);
  const least = sorted[10]!;
  const careful = await model.predictMany(texts, { minProbability: least, topK: 2 });
  expect(careful.filter(({ label }) => label === null)).toHaveLength(sorted.filter((each) => each < least).length);
  for (const [i, { label, labels, probability, classes }] of careful.entries()) {
    expect(probability).toBe(plain[i]!.probability);
    expect(classes).toEqual(plain[i]!.classes.slice(0, 2));
    expect([label, labels]).toEqual(probability < least ? [null, []] : [plain[i]!.label, [plain[i]!.label]]);
  }
  expect(JSON.parse(JSON.stringify(await model.predict('', { minProbability: 1 })))).toMatchObject({
    label: null,
    labels: [],
  });
  expect(await model.predictMany(texts, { minProbability: 0 })).toEqual(plain);
  await expect(model.predict('a', { minProbability: 1.5 })).rejects.toThrow(/minProbability/);
});

it('gives a text with several labels those that are probable enough', async () => {
  const rows = topicTexts(120).map(({ text, label }) => ({ text, label: [label, 'thing'] }));
  await using model = await TextClassifier.train(rows, { ...SMALL, multiLabel: true });
  const [text] = ['cheese soup'];
  const { classes } = await model.predict(text!);
  const least = classes[1]!.probability + 1e-6;
  const careful = await model.predict(text!, { minProbability: least, topK: 1 });
  expect([careful.label, careful.labels]).toEqual([classes[0]!.label, [classes[0]!.label]]);
  expect((await model.predict(text!, { minProbability: 1 })).labels).toEqual([]);
});
