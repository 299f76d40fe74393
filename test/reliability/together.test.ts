import { describe, expect, it } from 'vitest';
import { TextClassifier } from '../../src/index.js';
import { nn, randn, tensor } from '../../src/torch/index.js';
import { torchHalf } from '../support/halves.mjs';
import { topicTexts } from '../support/texts.js';

const SMALL = { embeddingDim: 8, hiddenSize: 8, lr: 2e-2, batchSize: 16, epochs: 3, threads: 2, seed: 4 } as const;
const rows = topicTexts(400);

describe('several things at the same time', () => {
  it('two trainings give what each gives alone', async () => {
    const train = () => TextClassifier.train(rows, SMALL);
    const alone = await train();
    const models = await Promise.all([train(), train(), train()]);
    const texts = rows.slice(0, 20).map(({ text }) => text);
    const expected = await alone.predictMany(texts);
    for (const model of models) {
      expect(await model.predictMany(texts)).toEqual(expected);
      await model.close();
    }
    await alone.close();
  });

  it('predictions during a training are those of before', async () => {
    const model = await TextClassifier.train(rows, SMALL);
    const expected = await model.predict('cat dog');
    let training = true;
    const trained = TextClassifier.train(rows, { ...SMALL, epochs: 6 }).finally(() => {
      training = false;
    });
    let predictions = 0;
    while (training) {
      expect((await model.predict('cat dog')).probability).toBe(expected.probability);
      expect(await model.predictMany(['cat dog', 'bread'])).toHaveLength(2);
      predictions++;
      await new Promise(setImmediate);
    }
    expect(predictions).toBeGreaterThan(2);
    await (await trained).close();
    await model.close();
  });

  it('close during predictions, a save and an evaluation: each ends with its result or DISPOSED', async () => {
    for (let round = 0; round < 5; round++) {
      const model = await TextClassifier.train(rows, { ...SMALL, epochs: 1 });
      const many = Array.from({ length: 4_000 }, (_, i) => rows[i % rows.length]!.text);
      const works = [
        model.predict('cat'),
        model.predictMany(many),
        model.evaluate(rows),
        model.predict('dog'),
        model.predictMany(['', 'x']),
      ];
      for (let turns = 0; turns < round; turns++) await new Promise(setImmediate);
      const closing = [model.close(), model.close()];
      for (const result of await Promise.allSettled(works)) {
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'DISPOSED' });
      }
      await Promise.all(closing);
      await model.close();
      await expect(model.predict('cat')).rejects.toMatchObject({ code: 'DISPOSED' });
      await expect(model.predictMany([])).rejects.toMatchObject({ code: 'DISPOSED' });
      await expect(model.save('/nowhere/at/all')).rejects.toMatchObject({ code: 'DISPOSED' });
      await expect(model.evaluate(rows)).rejects.toMatchObject({ code: 'DISPOSED' });
    }
  });
});

describe('what the caller gives may fail', () => {
  it('in a callback, an iterable or a tokenizer: its own error comes out, and the next training works', async () => {
    const own = new Error('mine');
    const fail = () => {
      throw own;
    };
    await expect(TextClassifier.train(rows, { ...SMALL, onProgress: fail })).rejects.toBe(own);
    await expect(TextClassifier.train(rows, { ...SMALL, tokenizer: fail })).rejects.toBe(own);
    async function* broken() {
      yield* rows.slice(0, 10);
      throw own;
    }
    await expect(TextClassifier.train(broken(), SMALL)).rejects.toBe(own);
    using model = await TextClassifier.train(rows, SMALL);
    await expect(model.evaluate(broken())).rejects.toBe(own);
    expect((await model.predict('cat dog fur')).label).toBe('animal');
  });
});

describe.runIf(torchHalf)('tensors after dispose', () => {
  it('disposing twice does nothing, using one throws DISPOSED, its views live on', () => {
    const a = tensor([
      [1, 2],
      [3, 4],
    ]);
    const view = a.at(0);
    a.dispose();
    a.dispose();
    // What is known without the memory stays known.
    expect(a.shape).toEqual([2, 2]);
    expect(view.toArray()).toEqual([1, 2]);
    const uses = [() => a.add(1), () => a.toArray(), () => a.at(0), () => a.sum(), () => a.clone(), () => a.detach()];
    for (const use of uses) expect(use).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
  });

  it('a weight that was disposed makes the layer throw DISPOSED, also in backward', () => {
    const layer = new nn.Linear(3, 2);
    const loss = layer.forward(randn([4, 3])).sum();
    layer.weight.dispose();
    expect(() => layer.forward(randn([4, 3]))).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
    loss.backward();
  });
});
