import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Row, type StartEvent, TextClassifier, type TrainOptions } from '../../src/index.js';
import { defaultSubwords } from '../../src/models/classifier/options.js';
import { light } from '../../src/native/light.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const rows = topicTexts(60);
const held = topicTexts(30, 7);
const SMALL: TrainOptions = { linear: false, embeddingDim: 6, hiddenSize: 5, epochs: 2, threads: 2, seed: 3 };
const SUBWORDS = { buckets: 500, dim: 4 };

async function saved(model: TextClassifier, name = 'model') {
  const path = join(folder, name);
  await model.save(path);
  const { metadata, tensors } = await light().readSafetensors(path, 1 << 30);
  const shapes = new Map(tensors.map((tensor) => [tensor.name, tensor.shape]));
  return { path, sha256: metadata.sha256!, shapes };
}

describe('a classifier whose network reads the characters of words', () => {
  it('is afterwards one of longer vectors, which predicts the same from its file', async () => {
    for (const members of [1, 2]) {
      await using model = await TextClassifier.train(rows, { ...SMALL, subwords: SUBWORDS, members });
      expect(model.settings.embeddingDim).toBe(10);
      const { path, shapes } = await saved(model);
      expect(shapes.get('embedding.weight')).toEqual([model.vocab.length, 10]);
      expect([...shapes.keys()].filter((name) => name.includes('subwords'))).toEqual([]);
      await using loaded = await TextClassifier.load(path);
      expect(loaded.settings).toEqual(model.settings);
      const texts = [...held.map(({ text }) => text), '', 'unheard-of'];
      const [ours, theirs] = [await model.predictMany(texts), await loaded.predictMany(texts)];
      for (const [at, { label, probability }] of ours.entries()) {
        expect(theirs[at]!.label).toBe(label);
        expect(theirs[at]!.probability).toBeCloseTo(probability, 6);
      }
      const { tokens } = await loaded.explain(texts[0]!);
      const same = (await model.explain(texts[0]!)).tokens.map(({ contribution }) => expect.closeTo(contribution, 5));
      expect(tokens.map(({ contribution }) => contribution)).toEqual(same);
    }
  });

  it('learns what words with the same parts have in common', async () => {
    // Each word is there once or twice: its ending alone tells the label, and only characters tell the ending.
    const word = (i: number) => String.fromCharCode(...[7, 11, 13, 17].map((by, at) => 97 + ((i * by + at * 5) % 26)));
    const ending = ['ability', 'oscope', 'ectomy'];
    const made = (from: number, count: number): Row[] =>
      Array.from({ length: count }, (_, i) => ({
        text: `${word(from + i)}${ending[i % 3]} ${word(from + i + 90)}`,
        label: String(i % 3),
      }));
    const options = { ...SMALL, adversarial: 0, epochs: 2, lr: 0.02 };
    await using without = await TextClassifier.train(made(0, 300), options);
    await using with_ = await TextClassifier.train(made(0, 300), { ...options, subwords: true });
    const accuracy = (model: TextClassifier) => model.history.at(-1)!.accuracy;
    expect(accuracy(with_)).toBeGreaterThan(0.95);
    expect(accuracy(without)).toBeLessThan(accuracy(with_) - 0.05);
  });

  it('resumes from a checkpoint to the same file, also without the option', async () => {
    const options = { ...SMALL, epochs: 4, subwords: SUBWORDS, validation: held };
    await using whole = await TextClassifier.train(rows, options);
    const checkpoint = join(folder, 'checkpoint');
    const run = TextClassifier.start(rows, { ...options, checkpoint });
    for await (const { type, epoch } of run) if (type === 'checkpoint' && epoch > 1) run.stop();
    await (await run.result).close();
    await using stored = await TextClassifier.load(checkpoint);
    expect(stored.settings.embeddingDim).toBe(10);
    await using resumed = await TextClassifier.train(rows, { resume: checkpoint, validation: held });
    expect((await saved(resumed)).sha256).toBe((await saved(whole)).sha256);
    const changed = { resume: checkpoint, validation: held, subwords: { ...SUBWORDS, maxn: 4 } };
    await expect(TextClassifier.train(rows, changed)).rejects.toThrow(
      /subwords was .*"maxn":5.* and is now .*"maxn":4/,
    );
    const off = join(folder, 'off');
    await (await TextClassifier.train(rows, { ...SMALL, checkpoint: off })).close();
    await expect(TextClassifier.train(rows, { resume: off, subwords: true })).rejects.toThrow('subwords was none');
    await using more = await TextClassifier.train(rows, { resume: off, epochs: 3, subwords: false });
    expect(more.settings.embeddingDim).toBe(6);
  });

  it('begins with the vectors of a file for the words themselves', async () => {
    const { learnVectors } = await import('../../src/index.js');
    const file = join(folder, 'own.vec');
    await (
      await learnVectors(
        rows.map(({ text }) => text),
        { dim: 7, minCount: 1, epochs: 1 },
      )
    ).save(file);
    await using model = await TextClassifier.train(rows, {
      ...SMALL,
      embeddingDim: 7,
      embeddings: file,
      subwords: SUBWORDS,
    });
    expect(model.settings.embeddingDim).toBe(11);
  });
});

describe('without the option', () => {
  it('they are read where many labels have few rows each', async () => {
    expect([defaultSubwords(1_500, 77), defaultSubwords(8_000, 77), defaultSubwords(60, 3)]).toEqual([
      true,
      false,
      false,
    ]);
    const many: Row[] = Array.from({ length: 60 }, (_, i) => ({
      text: `word${i % 20} and ${i}`,
      label: String(i % 20),
    }));
    const start = async (given: Row[], options: TrainOptions) => {
      const run = TextClassifier.start(given, { ...SMALL, epochs: 1, ...options });
      let event: StartEvent | undefined;
      for await (const one of run) if (one.type === 'start') event = one;
      await using model = await run.result;
      return { dim: model.settings.embeddingDim, chosen: event!.chosen.filter(({ option }) => option === 'subwords') };
    };
    const chosen = [{ option: 'subwords', value: true, why: '60 rows, 20 labels' }];
    expect(await start(many, {})).toEqual({ dim: 38, chosen });
    expect(await start(many, { subwords: false })).toEqual({ dim: 6, chosen: [] });
    expect(await start(many, { subwords: { dim: 3 } })).toEqual({ dim: 9, chosen: [] });
    expect(await start(rows, {})).toEqual({ dim: 6, chosen: [] });
  });

  it('a model without a network has none, and says that the option does nothing', async () => {
    const warnings: string[] = [];
    const onEvent: TrainOptions['onEvent'] = (event) => {
      if (event.type === 'warning') warnings.push(event.error.message);
    };
    await using model = await TextClassifier.train(rows, { recurrent: false, subwords: true, onEvent });
    expect(model.recurrent).toBe(false);
    expect(warnings.join()).toMatch(/subwords/);
  });

  it('what does not fit is refused by name', async () => {
    const refused = (subwords: unknown) => () => TextClassifier.start(rows, { subwords } as TrainOptions).result;
    for (const [given, message] of [
      [3, /true, false or an object of options for subwords/],
      [{ maxn: 2 }, /subwords.maxn is 2, but subwords.minn is 3: .* give 0 for none/],
      [{ dims: 3 }, /dims/],
      [{ buckets: 0 }, /subwords.buckets/],
    ] as const)
      await expect(refused(given)()).rejects.toThrow(message);
  });
});
