import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LanguageModel, TextClassifier } from '../../src/index.js';
import { light } from '../../src/native/light.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const rows = topicTexts(120);
const OPTIONS = { embeddingDim: 8, hiddenSize: 8, epochs: 3, batchSize: 16, seed: 4, schedule: 'linear' } as const;

describe('what a model file tells of its training', () => {
  it('is the settings, the rows and every epoch, and comes back from the file', async () => {
    const path = join(folder, 'model.safetensors');
    await using model = await TextClassifier.train(rows, { ...OPTIONS, validation: 0.2, threads: 1 });
    const card = model.card!;
    expect(card).toMatchObject({ formatVersion: 1, data: { rows: 96, validationRows: 24 } });
    expect(card.data.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(card.options).toMatchObject({ hiddenSize: 8, epochs: 3, cell: 'lstm', validation: 0.2, seed: 4 });
    expect(Object.keys(card.options)).not.toContain('threads');
    expect(card.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    // Six steps an epoch: the last step of all has a eighteenth of the rate left.
    expect(card.history.map(({ learningRate }) => learningRate / Number(card.options.lr))).toEqual(
      [13, 7, 1].map((left) => expect.closeTo(left / 18, 8)),
    );
    for (const [index, { loss, validation }] of card.history.entries()) {
      expect(loss).toBeCloseTo(model.history[index]!.loss, 8);
      expect(validation).toEqual(model.history[index]!.validation);
    }
    expect(card.keptEpoch).toBe(model.kept!.epoch);
    await model.save(path);
    await using loaded = await TextClassifier.load(path);
    expect(loaded.card).toEqual(card);
  });

  it('holds no path, and tells other rows apart', async () => {
    const vectors = join(folder, 'vectors.vec');
    writeFileSync(vectors, 'dog 1 0\ncat 0 1\n');
    const { embeddingDim: _, ...rest } = OPTIONS;
    const options = { ...rest, embeddings: vectors, epochs: 1, tensorboard: join(folder, 'log') };
    await using model = await TextClassifier.train(rows, { ...options, checkpoint: join(folder, 'checkpoint') });
    await using other = await TextClassifier.train(rows.slice(1), options);
    expect(JSON.stringify(model.card)).not.toContain(folder);
    expect(model.card!.options.embeddings).toEqual({ given: true });
    expect(other.card!.data.sha256).not.toBe(model.card!.data.sha256);
    expect(other.card!.data.rows).toBe(model.card!.data.rows - 1);
  });

  it('is there for other kinds of models, and is not needed', async () => {
    const path = join(folder, 'language');
    await using model = await LanguageModel.train(['abcabcabc'], { window: 2, epochs: 2, hiddenSize: 8 });
    expect(model.card!.history).toHaveLength(2);
    await model.save(path);
    const { tensors, metadata } = await light().readSafetensors(path, 1 << 30);
    const { card, ...without } = metadata;
    expect(JSON.parse(card!)).toEqual(model.card);
    await light().writeSafetensors(path, tensors, without);
    await using old = await LanguageModel.load(path);
    expect(old.card).toBeUndefined();
    await light().writeSafetensors(path, tensors, { ...without, card: '{"formatVersion":1}' });
    await expect(LanguageModel.load(path)).rejects.toMatchObject({ code: 'INVALID_FILE', message: /card/ });
    await light().writeSafetensors(path, tensors, { ...without, card: '{"formatVersion":2}' });
    await using later = await LanguageModel.load(path);
    expect(later.card).toBeUndefined();
    expect(readFileSync(path).length).toBeGreaterThan(0);
  });
});
