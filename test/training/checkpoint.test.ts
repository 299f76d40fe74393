import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  HuggingFaceTokenizer,
  type Row,
  TextClassifier,
  TrainingError,
  type TrainingEvent,
  type TrainOptions,
} from '../../src/index.js';
import { light } from '../../src/native/light.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const rows = topicTexts(400);
const OPTIONS = {
  embeddingDim: 8,
  hiddenSize: 6,
  batchSize: 16,
  epochs: 3,
  lr: 1e-2,
  embeddingDropout: 0.1,
  seed: 3,
  threads: 1,
} as const satisfies TrainOptions;

/** Tells whether two models are the same to the bit: the checksum over weights, words, labels and settings. */
async function checksumOf(model: TextClassifier): Promise<string> {
  const file = join(folder, 'compared');
  await model.save(file);
  return (await light().readSafetensors(file, 1 << 30)).metadata.sha256!;
}

/** Trains, stopping once `when` says so. */
async function stopped(
  options: TrainOptions,
  when: (event: TrainingEvent) => boolean,
  data: Row[] = rows,
): Promise<void> {
  const run = TextClassifier.start(data, options);
  for await (const event of run) if (when(event)) run.stop();
  (await run.result).close();
}

async function refusal(options: TrainOptions, data: Row[] = rows): Promise<unknown> {
  return TextClassifier.train(data, options).then(
    () => expect.fail('expected a rejection'),
    (error: unknown) => error,
  );
}

describe('a training that goes on from a checkpoint', () => {
  it.each([
    ['without validation', {}],
    ['with validation', { validation: 0.2 }],
    ['with two layers, clipping and a cosine', { numLayers: 2, clipGradNorm: 0.5, schedule: 'cosine' }],
    ['with two threads', { threads: 2 }],
    ['without adversarial noise', { adversarial: 0 }],
    ['with patience', { validation: 0.2, epochs: 12, patience: 1, lr: 0.05 }],
    ['with a token budget and random batches', { tokensPerBatch: 90, bucketing: false, warmup: 0.2 }],
    ['with adamw, attention and word dropout', { optimizer: 'adamw', pooling: 'attention', wordDropout: 0.1 }],
    ['with sgd and momentum', { optimizer: 'sgd', lr: 0.3, momentum: 0.9, weightDecay: 1e-4 }],
    ['with weights of classes', { classWeights: new Map([['tool', 3]]), labelSmoothing: 0.1 }],
    ['with n-grams of characters', { tokenizer: 'characters', ngrams: 2, maxTokens: 200, truncate: 'tail' }],
  ] as const)('gives the very same model as one that was not interrupted, %s', async (_, more) => {
    const options: TrainOptions = { ...OPTIONS, ...more };
    const whole = await TextClassifier.train(rows, options);
    const expected = await checksumOf(whole);
    const path = join(folder, `cut ${Object.keys(more).join(' ')}`);
    for (const cut of [1, 19, 40, 61]) {
      const checkpoint = { path, everySteps: 10 };
      await stopped({ ...options, checkpoint }, ({ type, step }) => type === 'step' && step >= cut);
      const resumed = await TextClassifier.train(rows, { resume: path });
      expect(await checksumOf(resumed), `stopped at step ${cut}`).toBe(expected);
      const lossless = ({ epoch, loss, accuracy, validation }: (typeof whole.history)[number]) => ({
        epoch,
        loss: Math.round(loss * 1e12),
        accuracy,
        validation,
      });
      expect(resumed.history.map(lossless)).toEqual(whole.history.map(lossless));
      expect(resumed.trainedRows).toBe(whole.trainedRows);
      resumed.close();
    }
    whole.close();
  });

  it('keeps the thresholds of several labels a text', async () => {
    const several = rows.map(({ text, label }, row) => ({ text, label: row % 3 === 0 ? [label, 'third'] : [label] }));
    const options = { ...OPTIONS, multiLabel: true, validation: 0.2, lr: 0.05 };
    const path = join(folder, 'several');
    using whole = await TextClassifier.train(several, options);
    await stopped({ ...options, checkpoint: path }, ({ type, epoch }) => type === 'validation' && epoch === 2, several);
    using loaded = await TextClassifier.load(path);
    expect(loaded.thresholds).toHaveLength(4);
    using resumed = await TextClassifier.train(several, { resume: path });
    expect(await checksumOf(resumed)).toBe(await checksumOf(whole));
    expect(new Set(resumed.thresholds).size).toBeGreaterThan(1);
  });

  it('needs neither the file of vectors nor that of a tokenizer again', async () => {
    const vectors = join(folder, 'vectors.txt');
    writeFileSync(vectors, 'cat 1 2 3\ndog 4 5 6\nhammer 0 0 1\n');
    const tokenizer = await HuggingFaceTokenizer.fromString(
      JSON.stringify({
        version: '1.0',
        pre_tokenizer: { type: 'Whitespace' },
        model: {
          type: 'WordLevel',
          vocab: { '[UNK]': 0, cat: 1, dog: 2, the: 3, hammer: 4, bread: 5 },
          unk_token: '[UNK]',
        },
      }),
    );
    const { embeddingDim: _, ...rest } = OPTIONS;
    const options = { ...rest, embeddings: vectors, freezeEmbeddings: 1, tokenizer };
    const path = join(folder, 'vectors');
    using whole = await TextClassifier.train(rows, options);
    for (const cut of [10, 40]) {
      await stopped({ ...options, checkpoint: path }, ({ type, step }) => type === 'step' && step >= cut);
      renameSync(vectors, `${vectors}.away`);
      using resumed = await TextClassifier.train(rows, { resume: path });
      expect(await checksumOf(resumed)).toBe(await checksumOf(whole));
      renameSync(`${vectors}.away`, vectors);
    }
  });

  it('writes checkpoints by the clock', async () => {
    const often: number[] = [];
    const onEvent = ({ type, step }: TrainingEvent) => type === 'checkpoint' && often.push(step);
    const checkpoint = { path: join(folder, 'clock'), everyMinutes: 1e-9, everyEpoch: false };
    (await TextClassifier.train(rows, { ...OPTIONS, checkpoint, onEvent })).close();
    expect(often).toEqual([25, 50, 75]);
    often.length = 0;
    (
      await TextClassifier.train(rows, { ...OPTIONS, checkpoint: { ...checkpoint, everyMinutes: 60 }, onEvent })
    ).close();
    // The one at the end of all.
    expect(often).toEqual([75]);
  });

  it('is not changed by the checkpoints that are written', async () => {
    using without = await TextClassifier.train(rows, OPTIONS);
    const checkpoint = { path: join(folder, 'often'), everySteps: 1 };
    using with_ = await TextClassifier.train(rows, { ...OPTIONS, checkpoint });
    expect(await checksumOf(with_)).toBe(await checksumOf(without));
  });

  it('begins where there is no checkpoint yet, and is done at once where it was done', async () => {
    const options = { ...OPTIONS, checkpoint: join(folder, 'again'), resume: true };
    const steps: number[] = [];
    const count = { ...options, onEvent: (event: TrainingEvent) => event.type === 'step' && steps.push(event.step) };
    using first = await TextClassifier.train(rows, count);
    expect(steps.at(-1)).toBe(75);
    steps.length = 0;
    using second = await TextClassifier.train(rows, count);
    expect(steps).toEqual([]);
    expect(await checksumOf(second)).toBe(await checksumOf(first));
    expect(second.history).toEqual(first.history);
  });

  it('can have more epochs than it was begun with', async () => {
    const options = { ...OPTIONS, schedule: 'constant' } as const;
    const path = join(folder, 'longer');
    (await TextClassifier.train(rows, { ...options, epochs: 1, checkpoint: path })).close();
    using longer = await TextClassifier.train(rows, { resume: path, epochs: 3 });
    using whole = await TextClassifier.train(rows, options);
    expect(await checksumOf(longer)).toBe(await checksumOf(whole));
    expect(await refusal({ resume: path, epochs: 2 })).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: /at least 3 for epochs/,
    });
  });

  it('takes functions and validation rows again', async () => {
    const tokenizer = (text: string) => text.split(' ');
    const validation = topicTexts(60, 5);
    const path = join(folder, 'functions');
    const options = { ...OPTIONS, tokenizer, validation };
    await stopped({ ...options, checkpoint: path }, ({ step }) => step >= 30);
    expect(await refusal({ resume: path })).toMatchObject({ message: /tokenizer was one that no file can hold/ });
    expect(await refusal({ resume: path, tokenizer })).toMatchObject({ message: /validation .* is now none/ });
    using whole = await TextClassifier.train(rows, options);
    using resumed = await TextClassifier.train(rows, { resume: path, tokenizer, validation });
    expect(await checksumOf(resumed)).toBe(await checksumOf(whole));
  });

  it('refuses other options and other rows, naming them', async () => {
    const path = join(folder, 'other');
    await stopped({ ...OPTIONS, checkpoint: path }, ({ step }) => step >= 30);
    const options = await refusal({ ...OPTIONS, lr: 0.1, cell: 'gru', resume: path });
    expect(options).toMatchObject({ name: 'ArgumentError', code: 'INVALID_ARGUMENT' });
    expect((options as Error).message).toMatch(/cell was "lstm" and is now "gru"; lr was 0.01 and is now 0.1/);
    const fewer = await refusal({ resume: path }, rows.slice(1));
    expect(fewer).toMatchObject({ name: 'DataError', code: 'DATA_MISMATCH', message: /400 rows .* these are 399/ });
    expect(await refusal({ resume: path }, [...rows].reverse())).toMatchObject({ message: /another order/ });
  });
});

describe('a checkpoint', () => {
  it('is a model file: the weights that the training would have ended with there', async () => {
    const path = join(folder, 'model');
    const run = TextClassifier.start(rows, { ...OPTIONS, validation: 0.2, checkpoint: path });
    for await (const { step } of run) if (step >= 50) run.stop();
    using model = await run.result;
    using loaded = await TextClassifier.load(path);
    expect(await checksumOf(loaded)).toBe(await checksumOf(model));
  });

  it('keeps as many as it is told', async () => {
    const place = join(folder, 'kept');
    mkdirSync(place);
    const checkpoint = { path: join(place, 'c'), everyEpoch: false, everySteps: 20, keep: 3 };
    (await TextClassifier.train(rows, { ...OPTIONS, checkpoint })).close();
    expect(readdirSync(place).sort()).toEqual(['c', 'c.1', 'c.2']);
    const expected = await TextClassifier.train(rows, OPTIONS);
    for (const file of readdirSync(place)) {
      using model = await TextClassifier.train(rows, { resume: join(place, file), checkpoint: join(folder, 'x') });
      expect(await checksumOf(model), file).toBe(await checksumOf(expected));
    }
    expected.close();
  });

  it('is refused where it is no checkpoint, or was damaged', async () => {
    const model = join(folder, 'plain');
    using trained = await TextClassifier.train(rows, { ...OPTIONS, epochs: 1 });
    await trained.save(model);
    expect(await refusal({ resume: model })).toMatchObject({ code: 'INVALID_FILE', message: /no checkpoint/ });
    expect(await refusal({ resume: join(folder, 'none') })).toMatchObject({ code: 'FILE_NOT_FOUND' });
    expect(await refusal({ resume: true })).toMatchObject({ message: /option checkpoint/ });
    const path = join(folder, 'damaged');
    await stopped({ ...OPTIONS, checkpoint: path }, ({ step }) => step >= 30);
    const { tensors, metadata } = await light().readSafetensors(path, 1 << 30);
    const beside = tensors.filter(({ name }) => !name.startsWith('linear.'));
    await light().writeSafetensors(path, beside.slice(0, -1), metadata);
    expect(await refusal({ resume: path })).toMatchObject({ name: 'ModelFileError', code: 'STATE_MISMATCH' });
    await light().writeSafetensors(path, tensors, { ...metadata, checkpoint: '{' });
    expect(await refusal({ resume: path })).toMatchObject({ code: 'INVALID_FILE', message: /not JSON/ });
    await light().writeSafetensors(path, tensors, { ...metadata, checkpoint: '{"formatVersion":9}' });
    expect(await refusal({ resume: path })).toMatchObject({ code: 'INVALID_FILE', message: /checkpoint version 9/ });
  });

  it('that cannot be written is told before any work, where that can be known', async () => {
    const checkpoint = join(folder, 'nowhere', 'c');
    expect(await refusal({ ...OPTIONS, checkpoint })).toMatchObject({ code: 'IO', message: /nowhere/ });
    expect(await refusal({ ...OPTIONS, checkpoint: folder })).toMatchObject({ code: 'IO', message: /folder/ });
  });

  it('that cannot be written is a warning, and the third in a row ends the training with its model', async () => {
    const place = join(folder, 'full');
    mkdirSync(place);
    const path = join(place, 'c');
    const events: TrainingEvent[] = [];
    const block = (event: TrainingEvent) => {
      events.push(event);
      // A folder in the file's place: renaming onto it fails, for root too.
      if (event.type === 'start') mkdirSync(path);
    };
    const error = await refusal({ ...OPTIONS, checkpoint: { path, everySteps: 5 }, onEvent: block });
    expect(error).toBeInstanceOf(TrainingError);
    expect(error).toMatchObject({ code: 'IO', message: /3 checkpoints in a row/ });
    expect((await (error as TrainingError<TextClassifier>).model!.predict('a cat')).classes).toHaveLength(3);
    (error as TrainingError).model!.close();
    expect(events.filter(({ type }) => type === 'warning').map(({ step }) => step)).toEqual([5, 10, 15]);
    expect(events.at(-1)).toMatchObject({ type: 'end', outcome: 'failed', error });
    expect(readdirSync(place)).toEqual(['c']);
  });

  it('that a killed process began is removed by the next training', async () => {
    const place = join(folder, 'leftover');
    mkdirSync(place);
    writeFileSync(join(place, '.c.Ab12.tmp'), 'half');
    writeFileSync(join(place, '.other.Ab12.tmp'), 'half');
    (await TextClassifier.train(rows, { ...OPTIONS, epochs: 1, checkpoint: join(place, 'c') })).close();
    expect(readdirSync(place).sort()).toEqual(['.other.Ab12.tmp', 'c']);
  });

  it.each([
    [{ checkpoint: 3 }, /a path, or an object with a path/],
    [{ checkpoint: { everySteps: 3 } }, /path of a file for checkpoint.path/],
    [{ checkpoint: { path: 'c', everySteps: 0 } }, /checkpoint.everySteps/],
    [{ checkpoint: { path: 'c', everyMinutes: 0 } }, /number above 0 for checkpoint.everyMinutes/],
    [{ checkpoint: { path: 'c', often: true } }, /Unknown option "often"/],
    [{ resume: 3 }, /for resume but received number 3/],
  ])('with the options %o is refused', async (options, message) => {
    expect(await refusal(options as object)).toMatchObject({ name: 'ArgumentError', message });
  });
});
