import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelFileError, TextClassifier, TrainingError, type TrainOptions } from '../../../src/index.js';
import { light } from '../../../src/native/light.js';
import { COLUMNS, recurra, SMALL } from '../../support/cli.js';
import { temporaryFolder } from '../../support/folder.js';
import { topicCsv, topicTexts } from '../../support/texts.js';

const folder = temporaryFolder();
const rows = topicTexts(300);
const texts = topicTexts(60, 9).map(({ text }) => text);
const OPTIONS: TrainOptions = { embeddingDim: 8, hiddenSize: 6, epochs: 2, lr: 1e-2, seed: 3, threads: 1, members: 3 };
const path = join(folder, 'model');

const contentsOf = (file: string) => light().readSafetensors(file, 1 << 30);
async function savedAs(model: TextClassifier, name: string) {
  await model.save(join(folder, name));
  return contentsOf(join(folder, name));
}
async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => expect.fail('no error'),
    (error: unknown) => error,
  );
}

let model: TextClassifier;
beforeAll(async () => {
  model = await TextClassifier.train(rows, { ...OPTIONS, linear: false });
  await model.save(path);
});
afterAll(() => model.close());

describe('a model of three members', () => {
  it('has the single model of its seed as the first, and others beside it', async () => {
    using single = await TextClassifier.train(rows, { ...OPTIONS, linear: false, members: 1 });
    expect([model.members, single.members]).toEqual([3, 1]);
    const alone = await savedAs(single, 'single');
    const { tensors, metadata } = await contentsOf(path);
    expect(tensors).toHaveLength(3 * alone.tensors.length);
    const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
    for (const tensor of alone.tensors) {
      expect(byName.get(tensor.name)).toEqual(tensor);
      if (tensor.name !== 'fc.weight') continue;
      expect(byName.get('member.2.fc.weight')!.data).not.toEqual(tensor.data);
      expect(byName.get('member.3.fc.weight')!.data).not.toEqual(byName.get('member.2.fc.weight')!.data);
    }
    expect(JSON.parse(metadata.model!)).toMatchObject({ formatVersion: 4, members: 3 });
    expect(JSON.parse(alone.metadata.model!)).not.toHaveProperty('members');
  });

  it('answers by the mean of what each member, loaded by itself, answers', async () => {
    const { tensors, metadata } = await contentsOf(path);
    const { sha256: _, ...rest } = metadata;
    const { members: __, ...described } = JSON.parse(metadata.model!) as { members: number };
    const sums = texts.map(() => new Map<string, number>());
    for (const member of [1, 2, 3]) {
      const own = tensors.flatMap((tensor) => {
        const [, number = '1', name = tensor.name] = /^member\.(\d)\.(.*)$/.exec(tensor.name) ?? [];
        return Number(number) === member ? [{ ...tensor, name }] : [];
      });
      await light().writeSafetensors(join(folder, 'one'), own, { ...rest, model: JSON.stringify(described) });
      using one = await TextClassifier.load(join(folder, 'one'));
      for (const [i, { classes }] of (await one.predictMany(texts)).entries())
        for (const { label, probability } of classes)
          sums[i]!.set(label, Math.fround((sums[i]!.get(label) ?? 0) + probability));
    }
    for (const [i, { classes }] of (await model.predictMany(texts)).entries())
      for (const { label, probability } of classes) expect(probability).toBe(Math.fround(sums[i]!.get(label)! / 3));
  });

  it('gives the very same predictions once loaded, one by one, many at once and at the same time', async () => {
    using loaded = await TextClassifier.load(path, { threads: 1 });
    expect(loaded.members).toBe(3);
    const many = await model.predictMany(texts);
    expect(await loaded.predictMany(texts)).toEqual(many);
    expect(await Promise.all(texts.map((text) => loaded.predict(text)))).toEqual(many);
    for (const [i, text] of texts.slice(0, 5).entries()) expect(await loaded.predict(text)).toEqual(many[i]);
    const long = [texts.join(' '), ...texts].join(' ').repeat(8);
    expect((await loaded.predict(long)).tokens).toBe(1_000);
    expect(await loaded.predict(long)).toEqual(await model.predict(long));
    expect((await savedAs(loaded, 'again')).metadata).toEqual((await contentsOf(path)).metadata);
  });

  it('explains what it predicts', async () => {
    for (const text of texts.slice(0, 10)) {
      const { label, predicted, probability, tokens } = await model.explain(text);
      const prediction = await model.predict(text);
      expect([label, predicted]).toEqual([prediction.label, prediction.label]);
      expect(probability).toBeCloseTo(prediction.probability, 6);
      expect(tokens.some(({ contribution }) => contribution !== 0)).toBe(true);
      const occluded = await model.explain(text, { method: 'occlusion' });
      expect(occluded.label).toBe(label);
    }
  });

  it('is measured on the validation rows as one, with the linear model beside it', async () => {
    const options = { ...OPTIONS, validation: 0.2, epochs: 5, patience: 1 } satisfies TrainOptions;
    using both = await TextClassifier.train(rows, options);
    expect(both.mix).toBeDefined();
    using alone = await TextClassifier.train(rows, { ...options, members: 1 });
    const losses = (one: TextClassifier) => one.history.map(({ validation }) => validation!.loss);
    expect(losses(both)[0]).not.toBe(losses(alone)[0]);
    const { tensors, metadata } = await savedAs(both, 'both');
    expect(JSON.parse(metadata.model!)).toMatchObject({ formatVersion: 4 });
    expect(tensors.filter(({ name }) => name === 'linear.weights')).toHaveLength(1);
    using loaded = await TextClassifier.load(join(folder, 'both'));
    expect(await loaded.predictMany(texts)).toEqual(await both.predictMany(texts));
  });

  it('has a larger share beside the linear model than one network', async () => {
    using both = await TextClassifier.train(rows, OPTIONS);
    expect(both.mix).toEqual({ network: 0.4, sharpness: 1 });
  });

  it('may have several labels a text', async () => {
    const several = rows.map(({ text, label }, row) => ({ text, label: row % 3 === 0 ? [label, 'third'] : [label] }));
    using many = await TextClassifier.train(several, { ...OPTIONS, multiLabel: true, validation: 0.2 });
    await many.save(join(folder, 'several'));
    using loaded = await TextClassifier.load(join(folder, 'several'));
    expect(loaded.thresholds).toHaveLength(4);
    expect(await loaded.predictMany(texts)).toEqual(await many.predictMany(texts));
  });

  it('resumes from a checkpoint to the very same bits, also with its options left out', async () => {
    const options = { ...OPTIONS, validation: 0.2, epochs: 3 } satisfies TrainOptions;
    using whole = await TextClassifier.train(rows, options);
    const expected = (await savedAs(whole, 'whole')).metadata.sha256;
    const checkpoint = join(folder, 'checkpoint');
    for (const cut of [4, 35]) {
      const run = TextClassifier.start(rows, { ...options, checkpoint: { path: checkpoint, everySteps: 3 } });
      for await (const { step } of run) if (step >= cut) run.stop();
      (await run.result).close();
      using early = await TextClassifier.load(checkpoint);
      expect(early.members).toBe(3);
      using resumed = await TextClassifier.train(rows, { resume: checkpoint });
      expect((await savedAs(resumed, 'resumed')).metadata.sha256).toBe(expected);
    }
    expect(await errorOf(TextClassifier.train(rows, { ...options, members: 2, resume: checkpoint }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/members was 3 and is now 2/),
    });
  });

  it('is kept as far as it has learned when it is aborted', async () => {
    const controller = new AbortController();
    const error = await errorOf(
      TextClassifier.train(rows, {
        ...OPTIONS,
        epochs: 1_000,
        signal: controller.signal,
        onEvent: ({ type, step }) => type === 'step' && step > 5 && controller.abort(),
      }),
    );
    expect(error).toBeInstanceOf(TrainingError);
    const { code, model: kept } = error as TrainingError<TextClassifier>;
    expect([code, kept!.members]).toEqual(['ABORTED', 3]);
    await kept!.close();
    await expect(kept!.predict('a cat')).rejects.toMatchObject({ code: 'DISPOSED' });
  });

  it('is one without a network where there is none', async () => {
    using linear = await TextClassifier.train(rows, { members: 3, recurrent: false });
    expect(linear.members).toBe(1);
    expect(JSON.parse((await savedAs(linear, 'linear')).metadata.model!)).not.toHaveProperty('members');
  });

  it.each([0, 17, 2.5, '3'])('refuses %j members', async (members) => {
    const error = await errorOf(TextClassifier.train(rows, { members: members as number }));
    expect(error).toMatchObject({ option: 'members', expected: 'an integer from 1 to 16' });
  });

  it('is trained by a flag of the command', async () => {
    const [csv, out] = [join(folder, 'rows.csv'), join(folder, 'command')];
    writeFileSync(csv, topicCsv(rows));
    const args = [csv, ...COLUMNS, ...SMALL, '--members', '2', '--epochs', '1', '--out', out];
    const { status, err } = recurra(['train', ...args]);
    expect([status, err]).toEqual([0, expect.stringMatching(/epoch 1\/1/)]);
    using loaded = await TextClassifier.load(out);
    expect(loaded.members).toBe(2);
  });
});

describe('a file of several members', () => {
  type Contents = Awaited<ReturnType<typeof contentsOf>>;
  const damaged = async (change: (file: Contents, described: Record<string, unknown>) => void) => {
    const file = await contentsOf(path);
    const { sha256: _, ...rest } = file.metadata;
    const described = JSON.parse(file.metadata.model!) as Record<string, unknown>;
    change(file, described);
    const to = join(folder, 'damaged');
    await light().writeSafetensors(to, file.tensors, { ...rest, model: JSON.stringify(described) });
    return errorOf(TextClassifier.load(to));
  };
  const without = (pattern: RegExp) => (file: Contents) => {
    file.tensors = file.tensors.filter(({ name }) => !pattern.test(name));
  };

  it.each<[string, Parameters<typeof damaged>[0], RegExp]>([
    ['lacks a member', without(/^member\.3\./), /the embedding of network 3 of 3 no rows/],
    ['lacks an array of a member', without(/^member\.2\.fc\.bias$/), /member\.2\.fc\.bias is missing/],
    ['lacks an array of the first', without(/^fc\.bias$/), /member\.2\.fc\.bias exists, but fc\.bias does not/],
    ['has more than it says', (_, described) => Object.assign(described, { members: 2 }), /member\.3\./],
    ['has fewer than it says', (_, described) => Object.assign(described, { members: 16 }), /network 4 of 16 no rows/],
    ['has a number out of range', (_, described) => Object.assign(described, { members: 1e9 }), /from 2 to 16/],
    ['has no number', (_, described) => Object.assign(described, { members: 'many' }), /from 2 to 16/],
    ['says nothing of them', (_, described) => delete described.members, /member\.2\./],
    [
      'has an array of another shape',
      ({ tensors }) => {
        tensors.find(({ name }) => name === 'member.2.fc.bias')!.shape = [1, 3];
      },
      /member\.2\.fc\.bias has the shape \[1,3\]/,
    ],
  ])('that %s is refused', async (_, change, message) => {
    const error = await damaged(change);
    expect(error).toBeInstanceOf(ModelFileError);
    expect((error as ModelFileError).message).toMatch(message);
  });
});
