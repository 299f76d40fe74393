import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { EncodedDataset, Random, type Row, TextClassifier } from '../../src/index.js';
import { bestThreshold } from '../../src/models/classifier/thresholds.js';
import { multiLabelResult } from '../../src/models/classifier/validation.js';
import { light } from '../../src/native/light.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';

const SMALL = { embeddingDim: 16, hiddenSize: 16, batchSize: 16, epochs: 8, lr: 1e-2, dropout: 0.1, seed: 3 } as const;
const folder = temporaryFolder();

/** Texts put together from those of one topic each, with all their topics; some have none. */
function mixedTexts(rows: number, seed = 1): Row[] {
  const random = new Random(seed);
  const parts = topicTexts(rows * 2, seed);
  return Array.from({ length: rows }, () => {
    const chosen = Array.from({ length: random.int(4) }, () => parts[random.int(parts.length)]!);
    const label = [...new Set(chosen.map((part) => part.label))].sort();
    return { label, text: chosen.map(({ text }) => text).join(' ') || 'a the of' };
  });
}

const path = join(folder, 'model.safetensors');
let model: TextClassifier;
beforeAll(async () => {
  const options = { ...SMALL, multiLabel: true, validation: 0.2, pooling: 'attention' } as const;
  model = await TextClassifier.train(mixedTexts(900), options);
  await model.save(path);
  return () => model.close();
});

describe('a model of several labels a text', () => {
  it('gives each text its labels, which may be none', async () => {
    const test = mixedTexts(200, 77);
    const predictions = await model.predictMany(test.map(({ text }) => text));
    let exact = 0;
    for (const [row, { labels }] of predictions.entries()) {
      if ([...labels].sort().join() === (test[row]!.label as string[]).join()) exact++;
    }
    expect(exact / test.length).toBeGreaterThan(0.85);
    expect(predictions.some(({ labels }) => labels.length === 0)).toBe(true);
    expect(predictions.some(({ labels }) => labels.length > 1)).toBe(true);
  });

  it('gives all probabilities, each for itself, and the labels from their threshold on', async () => {
    const { labels, classes, label, probability } = await model.predict('cat with hammer and cheese');
    expect(classes).toHaveLength(3);
    expect(classes[0]).toEqual({ label, probability });
    expect(classes.reduce((sum, one) => sum + one.probability, 0)).toBeGreaterThan(1.5);
    const reached = classes.filter((one) => one.probability >= model.thresholds![model.labels.indexOf(one.label)]!);
    expect(labels).toEqual(reached.map((one) => one.label));
    expect([...labels].sort()).toEqual(['animal', 'food', 'tool']);
    const short = await model.predict('cat with hammer and cheese', { topK: 1 });
    expect(short.classes).toHaveLength(1);
    expect(short.labels).toEqual(labels);
    const [best] = await model.predictMany(['']);
    expect(best!.tokens).toBe(0);
  });

  it('has one threshold per label, and a half each without validation rows', async () => {
    expect(model.thresholds).toHaveLength(3);
    expect(model.thresholds!.every((value) => value > 0 && value < 1)).toBe(true);
    using other = await TextClassifier.train(mixedTexts(60), { ...SMALL, epochs: 1, multiLabel: true });
    expect(other.thresholds).toEqual([0.5, 0.5, 0.5]);
    using exclusive = await TextClassifier.train(topicTexts(60), { ...SMALL, epochs: 1 });
    expect(exclusive.thresholds).toBeUndefined();
  });

  it('is the same after saving and loading', async () => {
    using loaded = await TextClassifier.load(path);
    expect(loaded.thresholds).toEqual(model.thresholds);
    expect(loaded.settings).toEqual(model.settings);
    const texts = mixedTexts(40, 9).map(({ text }) => text);
    expect(await loaded.predictMany(texts)).toEqual(await model.predictMany(texts));
  });

  it('keeps the epoch with the smallest validation loss, and counts rows with exactly the right labels', () => {
    const results = model.history.map(({ validation }) => validation!);
    expect(new Set(results.map(({ rows }) => rows)).size).toBe(1);
    expect(model.trainedRows + results[0]!.rows).toBe(900);
    expect(results.at(-1)!.accuracy).toBeGreaterThan(0.8);
    expect(results.at(-1)!.loss).toBeLessThan(0.3);
    expect(model.history[0]!.loss).toBeGreaterThan(model.history.at(-1)!.loss);
  });

  it('learns one label alone, and with weights', async () => {
    const rows = mixedTexts(300).map(({ text, label }) => ({ text, label: label.includes('food') ? ['food'] : [] }));
    using one = await TextClassifier.train(rows, { ...SMALL, multiLabel: true, classWeights: 'balanced' });
    expect(one.labels).toEqual(['food']);
    expect((await one.predict('cheese in the oven')).labels).toEqual(['food']);
    expect((await one.predict('hammer and nail')).labels).toEqual([]);
  });

  it('takes a string for a row of one label', async () => {
    using plain = await TextClassifier.train(topicTexts(300), { ...SMALL, multiLabel: true });
    expect((await plain.predict('cat dog fur')).labels).toEqual(['animal']);
  });
});

describe('what is refused', () => {
  it('several labels without multiLabel, and rows without any label', async () => {
    await expect(TextClassifier.train(mixedTexts(60), SMALL)).rejects.toThrow(/multiLabel: true/);
    const none = topicTexts(9).map(({ text }) => ({ text, label: [] }));
    await expect(TextClassifier.train(none, { ...SMALL, multiLabel: true })).rejects.toMatchObject({
      code: 'SINGLE_CLASS',
      message: /no row has a label/,
    });
  });

  it('a file whose thresholds do not fit', async () => {
    const { tensors, metadata } = await light().readSafetensors(path, 1 << 30);
    const described = JSON.parse(metadata.model!) as Record<string, unknown>;
    const changed = join(folder, 'changed.safetensors');
    const settings = described.settings as object;
    for (const [change, message] of [
      [{ thresholds: undefined }, /a threshold from 0 to 1 for each of its 3 labels/],
      [{ thresholds: [0.5, 0.5] }, /a threshold from 0 to 1 for each/],
      [{ thresholds: [0.5, 0.5, 2] }, /a threshold from 0 to 1 for each/],
      [{ thresholds: [0.5, 0.5, '0.5'] }, /a threshold from 0 to 1 for each/],
      [{ settings: { ...settings, multiLabel: false } }, /its labels are exclusive/],
    ] as const) {
      const model = JSON.stringify({ ...described, ...change });
      await light().writeSafetensors(changed, tensors, { ...metadata, model });
      await expect(TextClassifier.load(changed)).rejects.toThrow(message);
    }
    writeFileSync(changed, readFileSync(path));
    using good = await TextClassifier.load(changed);
    expect(good.labels).toEqual(model.labels);
  });
});

describe('bestThreshold', () => {
  const best = (scores: number[], present: number[]) =>
    bestThreshold(Float32Array.from(scores), Uint8Array.from(present));

  it('lies half-way between the rows above and below it', () => {
    expect(best([0.75, 0.5, 0.25, 0.125], [1, 1, 0, 0])).toBe(0.375);
    expect(best([0.75, 0.5, 0.25, 0.125], [1, 0, 0, 0])).toBe(0.625);
    expect(best([0.5, 0.25], [1, 1])).toBe(0.125);
  });

  it('is a half where no row has the label, and nearest to a half where several are as good', () => {
    expect(best([0.9, 0.1], [0, 0])).toBe(0.5);
    expect(best([], [])).toBe(0.5);
    // Above 0.75 one hit of two (F1 2/3); above all two hits of four (F1 2/3).
    expect(best([0.75, 0.5, 0.375, 0.25], [1, 0, 0, 1])).toBe(0.625);
  });
});

it('the validation loss is the mean over rows and labels, the accuracy the share of exact rows', () => {
  const dataset = new EncodedDataset({
    tokens: Int32Array.of(2, 3, 4),
    offsets: Uint32Array.of(0, 1, 2, 3),
    labels: Int32Array.of(0, 1, 1),
    labelOffsets: Uint32Array.of(0, 2, 2, 3),
    classes: ['a', 'b'],
  });
  const { rows, loss, accuracy } = multiLabelResult(Float32Array.of(0.75, 0.5625, 0.25, 0.125, 0.25, 0.25), dataset);
  const expected = [0.75, 0.5625, 0.75, 0.875, 0.75, 0.25].reduce((sum, p) => sum - Math.log(p), 0) / 6;
  expect([rows, accuracy]).toEqual([3, 2 / 3]);
  expect(loss).toBeCloseTo(expected, 12);
});
