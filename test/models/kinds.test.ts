import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Prediction, TextClassifier, type TrainOptions } from '../../src/index.js';
import { light } from '../../src/native/light.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const rows = topicTexts(200);
const OPTIONS: TrainOptions = { embeddingDim: 6, hiddenSize: 5, epochs: 2, validation: 0.2, threads: 1 };

async function savedBytes(model: TextClassifier, name: string): Promise<Buffer> {
  const path = join(folder, name);
  await model.save(path);
  return readFileSync(path);
}

describe('a model file', () => {
  it.each([
    ['of exclusive labels', {}],
    ['of several labels a text', { multiLabel: true }],
    ['with words of another tokenizer', { tokenizer: 'characters', ngrams: 2 }],
  ] as const)('%s has the same bytes after the same training', async (_, more) => {
    const options = { ...OPTIONS, ...more };
    using first = await TextClassifier.train(rows, options);
    const bytes = await savedBytes(first, 'first');
    using second = await TextClassifier.train(rows, options);
    expect((await savedBytes(second, 'second')).equals(bytes)).toBe(true);
    expect((await savedBytes(second, 'elsewhere')).equals(bytes)).toBe(true);
    using loaded = await TextClassifier.load(join(folder, 'first'));
    expect((await savedBytes(loaded, 'again')).equals(bytes)).toBe(true);
  });

  it('has the same bytes after a training that was interrupted', async () => {
    const checkpoint = join(folder, 'checkpoint');
    using whole = await TextClassifier.train(rows, OPTIONS);
    const run = TextClassifier.start(rows, { ...OPTIONS, checkpoint: { path: checkpoint, everySteps: 3 } });
    for await (const { step } of run) if (step >= 12) run.stop();
    (await run.result).close();
    using resumed = await TextClassifier.train(rows, { resume: checkpoint });
    expect((await savedBytes(resumed, 'resumed')).equals(await savedBytes(whole, 'whole'))).toBe(true);
  });

  it('says its kind; one that says none is a classifier, one of another kind is refused by its name', async () => {
    using model = await TextClassifier.train(rows, OPTIONS);
    const path = join(folder, 'kind');
    await model.save(path);
    const { tensors, metadata } = await light().readSafetensors(path, 1 << 30);
    const { sha256: _, ...rest } = metadata;
    const { kind, ...described } = JSON.parse(metadata.model!) as Record<string, unknown>;
    expect(kind).toBe('classifier');
    const write = (model: object, recurra = metadata.recurra!) =>
      light().writeSafetensors(path, tensors, { ...rest, recurra, model: JSON.stringify(model) });
    await write(described);
    using loaded = await TextClassifier.load(path);
    expect(await loaded.predict('a cat')).toEqual(await model.predict('a cat'));
    await write({ ...described, kind: 'tagger' }, 'recurra-text-tagger');
    const refusal = {
      name: 'ModelFileError',
      code: 'INVALID_FILE',
      message: `${path}: expected a model of kind "classifier", but it is a "tagger"`,
    };
    await expect(TextClassifier.load(path)).rejects.toMatchObject(refusal);
    await expect(TextClassifier.train(rows, { resume: path })).rejects.toMatchObject(refusal);
  });
});

describe('earlier model files', () => {
  it.each(['v1', 'v2', 'v3', 'v4'])(
    'of format %s open, and predict what was recorded when they were written',
    async (version) => {
      const file = join(import.meta.dirname, `../fixtures/models/${version}`);
      const recorded = JSON.parse(readFileSync(`${file}.json`, 'utf8')) as (Prediction & { text: string })[];
      expect(recorded.length).toBeGreaterThan(4);
      using model = await TextClassifier.load(`${file}.safetensors`);
      for (const { text, tokens, knownTokens, labels, classes } of recorded) {
        const prediction = await model.predict(text);
        expect([prediction.tokens, prediction.knownTokens], text).toEqual([tokens, knownTokens]);
        if (labels) expect(prediction.labels, text).toEqual(labels);
        expect(prediction.classes.map(({ label }) => label)).toEqual(classes.map(({ label }) => label));
        for (const [i, { probability }] of prediction.classes.entries()) {
          // Other processors round otherwise.
          expect(probability).toBeCloseTo(classes[i]!.probability, 6);
        }
      }
    },
  );
});
