import { afterEach, expect, it, vi } from 'vitest';
import { TextClassifier } from '../../src/index.js';
import { topicTexts } from '../support/texts.js';

afterEach(() => {
  vi.useRealTimers();
});

it('nothing waits for timers that a test has put in the place of those of Node', async () => {
  const rows = topicTexts(60);
  await using model = await TextClassifier.train(rows, { embeddingDim: 8, hiddenSize: 8, epochs: 1, linear: false });
  const toFake = [
    'setTimeout',
    'clearTimeout',
    'setImmediate',
    'clearImmediate',
    'setInterval',
    'performance',
    'Date',
  ] as const;
  vi.useFakeTimers({ toFake: [...toFake] });
  const texts = rows.map(({ text }) => text);
  expect(await model.predictMany(texts)).toHaveLength(60);
  expect(await Promise.all(texts.map((text) => model.predict(text)))).toHaveLength(60);
  model.setServing({ maxWait: 5 });
  expect((await model.predict('a cat')).labels).toHaveLength(1);
  expect((await model.evaluate(rows)).rows).toBe(60);
  await using again = await TextClassifier.train(rows, { embeddingDim: 8, hiddenSize: 8, epochs: 1, validation: 0.4 });
  expect(again.trainedRows).toBe(36);
});
