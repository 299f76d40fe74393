import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { usualMix } from '../../src/engine/linear.js';
import {
  learnVectors,
  Random,
  TextClassifier,
  TrainingError,
  type TrainingEvent,
  type TrainOptions,
} from '../../src/index.js';

import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';
import { savedAt } from '../support/weights.js';

const folder = temporaryFolder();
const rows = topicTexts(60);
const random = new Random(7);
// No row has mouse, tea or wrench; of these texts gnu is rare.
const NEW = ['mouse cat dog fur', 'tea soup bread salt', 'wrench hammer saw nail'];
const texts = [
  ...Array.from({ length: 300 }, (_, i) => random.shuffle(NEW[i % 3]!.split(' ')).join(' ')),
  'a gnu',
  'the gnu',
];
const OPTIONS: TrainOptions = {
  ...{ linear: false, embeddingDim: 8, hiddenSize: 6, batchSize: 16, epochs: 2, lr: 1e-2, seed: 3, threads: 2 },
  unlabelled: texts,
};

const saved = (model: TextClassifier) => savedAt(join(folder, 'saved'), model);

async function checksumOf(options: TrainOptions): Promise<string> {
  using model = await TextClassifier.train(rows, options);
  return (await saved(model)).sha256;
}

describe('word vectors from texts without labels', () => {
  it('are those that learnVectors learns from the rows and the texts, and begin the training', async () => {
    using model = await TextClassifier.train(rows, { ...OPTIONS, freezeEmbeddings: true });
    const all = [...rows.map(({ text }) => text), ...texts];
    const learned = await learnVectors(all, { dim: 8, seed: 3 });
    const { weight } = await saved(model);
    for (const word of ['cat', 'bread', 'mouse', 'tea', 'wrench']) {
      const index = model.vocab.get(word);
      expect(index, word).toBeGreaterThan(1);
      expect([...weight.subarray(8 * index, 8 * index + 8)], word).toEqual([...learned.vector(word)!]);
    }
    expect(model.vocab.has('gnu')).toBe(false);
    const own =
      model.vocab.size -
      learned.words.filter((word) => !rows.some(({ text }) => text.split(' ').includes(word))).length;
    const beyond = model.vocab.itos.slice(own);
    expect(beyond).toEqual(learned.words.filter((word) => beyond.includes(word)));
    expect([...beyond].sort()).toEqual(['mouse', 'tea', 'wrench']);
    expect((await model.predict('a mouse')).label).toBe('animal');
  });

  it('are the same for the same seed, whatever holds the texts', async () => {
    const expected = await checksumOf(OPTIONS);
    expect(await checksumOf(OPTIONS)).toBe(expected);
    expect(await checksumOf({ ...OPTIONS, seed: 4 })).not.toBe(expected);
    const file = join(folder, 'texts.txt');
    writeFileSync(file, texts.join('\n'));
    expect(await checksumOf({ ...OPTIONS, unlabelled: file })).toBe(expected);
    const slowly = async function* () {
      for (const text of texts) yield { text };
    };
    expect(await checksumOf({ ...OPTIONS, unlabelled: slowly() })).toBe(expected);
    expect(await checksumOf({ ...OPTIONS, embeddingWords: 0 })).not.toBe(expected);
  });

  it('are not learned from validation rows', async () => {
    const validation = Array.from({ length: 30 }, () => ({ text: 'stranger hidden', label: 'food' }));
    using apart = await TextClassifier.train(rows, { ...OPTIONS, validation });
    expect(apart.vocab.has('stranger')).toBe(false);
    // Each of these words is in one row: those of rows that are split off must stay unknown.
    const own = rows.map(({ text, label }, i) => ({ text: `${text}${` only${i}`.repeat(3)}`, label }));
    using split = await TextClassifier.train(own, { ...OPTIONS, validation: 0.5 });
    expect(own.filter((_, i) => split.vocab.has(`only${i}`))).toHaveLength(split.trainedRows);
  });

  it('need not be learned again by a training that resumes', async () => {
    const whole = await checksumOf({ ...OPTIONS, epochs: 4 });
    const checkpoint = join(folder, 'checkpoint');
    const stop = async (options: TrainOptions, after: number) => {
      const run = TextClassifier.start(rows, options);
      const seen: string[] = [];
      for await (const { type, step } of run) {
        seen.push(type);
        if (type === 'step' && step >= after) run.stop();
      }
      (await run.result).close();
      return seen;
    };
    expect(await stop({ ...OPTIONS, epochs: 4, checkpoint }, 3)).toContain('prepare');
    expect(await stop({ resume: checkpoint, checkpoint }, 8)).not.toContain('prepare');
    expect(await checksumOf({ resume: checkpoint, unlabelled: texts })).toBe(whole);
    expect(await checksumOf({ resume: checkpoint })).toBe(whole);
    const other = TextClassifier.train(rows, { resume: checkpoint, unlabelled: [...texts.slice(1), texts[0]!] });
    await expect(other).rejects.toMatchObject({
      code: 'DATA_MISMATCH',
      message: expect.stringContaining('learned its word vectors from other unlabelled texts'),
    });
    const without = join(folder, 'without');
    const { unlabelled: _, ...rest } = OPTIONS;
    await stop({ ...rest, checkpoint: without }, 3);
    await expect(TextClassifier.train(rows, { resume: without, unlabelled: texts })).rejects.toThrow(
      'unlabelled was none and is now a value that a file cannot store',
    );
  });

  it('give the network a larger share beside the linear model, in a training that resumes too', async () => {
    const mixOf = async (options: TrainOptions) => {
      using model = await TextClassifier.train(rows, options);
      return model.mix;
    };
    const { unlabelled: _, ...without } = OPTIONS;
    expect(await mixOf({ ...without, linear: true })).toEqual({ network: expect.closeTo(0.3, 6), sharpness: 1 });
    expect(await mixOf({ ...OPTIONS, linear: true })).toEqual({ network: 0.4, sharpness: 1 });
    const checkpoint = join(folder, 'mixed');
    await mixOf({ ...OPTIONS, linear: true, checkpoint });
    expect(await mixOf({ resume: checkpoint })).toEqual({ network: 0.4, sharpness: 1 });
    // So few words come from little text.
    const shares = [19_999, 20_000].map((words) => usualMix('texts', words, 1).network);
    expect([...shares, usualMix('file', 20_000, 1).network]).toEqual([0.4, 0.6, 0.5]);
  });

  it('are done without, with a warning, where no word is frequent enough', async () => {
    const few = [
      { text: 'cat', label: 'animal' },
      { text: 'bread', label: 'food' },
    ];
    const events: TrainingEvent[] = [];
    const options = { ...OPTIONS, unlabelled: ['mouse', 'tea'], onEvent: (event: TrainingEvent) => events.push(event) };
    using model = await TextClassifier.train(few, options);
    expect(model.vocab.size).toBe(4);
    const warning = events.find(({ type }) => type === 'warning');
    expect(warning).toMatchObject({
      about: 'unlabelled',
      error: { message: expect.stringMatching(/^no word vectors are learned/) },
    });
  });

  it('are learned from the rows alone, with a warning, where there is no text', async () => {
    const events: TrainingEvent[] = [];
    const options = { ...OPTIONS, unlabelled: [], onEvent: (event: TrainingEvent) => events.push(event) };
    using model = await TextClassifier.train(rows, options);
    expect(model.vocab.has('mouse')).toBe(false);
    expect(events.filter(({ type }) => type === 'warning')).toMatchObject([
      { about: 'unlabelled', error: { code: 'EMPTY_DATASET', message: expect.stringMatching(/has no texts/) } },
    ]);
  });

  it('stop being learned when the training is aborted', async () => {
    const controller = new AbortController();
    const endless = async function* () {
      for (let i = 0; ; i++) {
        if (i === 5_000) controller.abort();
        yield texts[i % texts.length]!;
      }
    };
    const error = await TextClassifier.train(rows, {
      ...OPTIONS,
      unlabelled: endless(),
      signal: controller.signal,
    }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TrainingError);
    expect(error).toMatchObject({ code: 'ABORTED', model: undefined });
  });

  it('are refused with what they do not go with, and what is no text', async () => {
    const train = (options: object) => TextClassifier.train(rows, { ...OPTIONS, ...options });
    await expect(train({ embeddings: 'vectors.txt' })).rejects.toThrow('unlabelled cannot be combined with embeddings');
    await expect(train({ linear: true, recurrent: false })).rejects.toThrow(
      'unlabelled does not apply with recurrent: false',
    );
    await expect(train({ unlabelled: 3 })).rejects.toThrow(/the path of a file of texts for unlabelled/);
    await expect(train({ unlabelled: ['cat', 3] })).rejects.toThrow(/rows with a text, for unlabelled/);
    await expect(train({ unlabelled: join(folder, 'none') })).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});
