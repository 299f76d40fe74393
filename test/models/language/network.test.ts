import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type GenerateOptions, LanguageModel, type LanguageOptions } from '../../../src/index.js';
import { temporaryFolder } from '../../support/folder.js';

const folder = temporaryFolder();
const TEXT = Array.from(
  { length: 60 },
  (_, i) => `${['the cat sat.', 'a dog ran.', 'no rain fell.'][(i * i * 7 + (i >> 2)) % 3]}\n`,
).join('');
const SMALL: LanguageOptions = {
  embeddingDim: 16,
  hiddenSize: 16,
  numLayers: 1,
  dropout: 0,
  window: 16,
  batchSize: 8,
  epochs: 3,
  lr: 0.03,
  threads: 1,
};

async function written(model: LanguageModel, prompt: string, options: GenerateOptions): Promise<string> {
  const pieces: string[] = [];
  for await (const piece of model.generate(prompt, options)) pieces.push(piece);
  return pieces.join('');
}

/** Trains, saves, loads; both score a text alike. Returns the names of the arrays and the loss of the text. */
async function saved(
  options: LanguageOptions,
  text = 'the cat sat.\n',
): Promise<{ loss: number; model: LanguageModel }> {
  await using model = await LanguageModel.train([TEXT], { ...SMALL, ...options });
  const path = join(folder, 'model.safetensors');
  await model.save(path);
  const loaded = await LanguageModel.load(path, { threads: 1 });
  const { loss } = await model.score(text);
  expect((await loaded.score(text)).loss).toBe(loss);
  expect(loaded.settings).toEqual(model.settings);
  return { loss, model: loaded };
}

describe('the network of a language model', () => {
  it('has one matrix for the vectors of the units and the last layer, if they are tied', async () => {
    const { embeddingDim: _, ...sizes } = SMALL;
    const { loss, model } = await saved({ ...sizes, embeddingDim: undefined as never, tieWeights: true, epochs: 40 });
    expect(model.settings).toMatchObject({ embeddingDim: 16, hiddenSize: 16, tieWeights: true });
    expect(loss).toBeLessThan(1);
    await model.close();
  });

  it('resumes with tied weights and every dropout to the very same model', async () => {
    const options: LanguageOptions = {
      ...SMALL,
      tieWeights: true,
      dropout: 0.2,
      outputDropout: 0.4,
      embeddingDropout: 0.1,
      wordDropout: 0.1,
      recurrentDropout: 0.3,
      numLayers: 2,
    };
    const checkpoint = join(folder, 'checkpoint.safetensors');
    const stop = new AbortController();
    const begun = LanguageModel.train([TEXT], {
      ...options,
      checkpoint,
      signal: stop.signal,
      onEvent: ({ type }) => type === 'epoch' && stop.abort(),
    });
    await expect(begun).rejects.toMatchObject({ code: 'ABORTED' });
    await using resumed = await LanguageModel.train([TEXT], { ...options, checkpoint, resume: true });
    await using whole = await LanguageModel.train([TEXT], options);
    const text = 'a dog ran.\n';
    expect((await resumed.score(text)).logProbabilities).toEqual((await whole.score(text)).logProbabilities);
    await using other = await LanguageModel.train([TEXT], { ...options, recurrentDropout: 0.31 });
    expect((await other.score(text)).loss).not.toBe((await whole.score(text)).loss);
  });

  it('drops the same with any number of threads', async () => {
    const options: LanguageOptions = { ...SMALL, recurrentDropout: 0.4, outputDropout: 0.3, epochs: 1 };
    await using one = await LanguageModel.train([TEXT], options);
    await using two = await LanguageModel.train([TEXT], { ...options, threads: 2 });
    const [a, b] = [await one.score('no rain'), await two.score('no rain')];
    expect(Math.abs(a.loss - b.loss)).toBeLessThan(1e-4);
  });

  it('scores many units by an adaptive softmax, whose probabilities add up to 1', async () => {
    const { loss, model } = await saved({ softmax: 'adaptive', epochs: 60, hiddenSize: 32 });
    expect(loss).toBeLessThan(1);
    expect(await written(model, 'the c', { temperature: 0, maxNewTokens: 7 })).toBe('at sat.');
    const chances = await Promise.all(
      model.vocab.itos.map(async (unit) =>
        unit.length === 1 ? (await model.score(`the${unit}`)).logProbabilities[3]! : -Infinity,
      ),
    );
    const sum = chances.reduce((total, log) => total + Math.exp(log), 0);
    // What is missing is that of the end and of unknown characters.
    expect(sum).toBeLessThan(1 + 1e-6);
    expect(sum).toBeGreaterThan(0.9);
    await model.close();
  });

  it('refuses what does not go together, by name', async () => {
    const refused = (options: LanguageOptions, option: string, part: string) =>
      expect(LanguageModel.train([TEXT], { ...SMALL, ...options })).rejects.toMatchObject({
        name: 'ArgumentError',
        option,
        message: expect.stringContaining(part),
      });
    await refused({ tieWeights: true, embeddingDim: 8 }, 'embeddingDim', 'embeddingDim is 8 and hiddenSize 16');
    await refused({ tieWeights: true, softmax: 'adaptive' }, 'softmax', 'full softmax');
    await refused({ recurrentDropout: 1 }, 'recurrentDropout', 'recurrentDropout');
    await refused({ recurrentDropout: 0.1, cell: 'mingru' }, 'recurrentDropout', 'mingru');
    await refused({ softmax: 'sampled' as never }, 'softmax', 'softmax');
    await expect(LanguageModel.train(['abcabcabc'.repeat(9)], { ...SMALL, softmax: 'adaptive' })).rejects.toMatchObject(
      {
        option: 'softmax',
        message: expect.stringContaining('at least 16 units, but the texts have 5'),
      },
    );
  });
});

describe('texts that are larger than memory', () => {
  const before = process.env.TMPDIR;
  afterEach(() => {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  });

  it('are read from a temporary file, window by window, and give the very same model', async () => {
    process.env.TMPDIR = temporaryFolder();
    const checkpoint = join(folder, 'file.safetensors');
    const options: LanguageOptions = { ...SMALL, validation: 0.2, units: 'words' };
    let files = 0;
    const stop = new AbortController();
    const begun = LanguageModel.train([TEXT], {
      ...options,
      memoryUnits: 50,
      checkpoint,
      signal: stop.signal,
      onEvent: ({ type }) => {
        if (type !== 'epoch') return;
        files = readdirSync(process.env.TMPDIR!).length;
        stop.abort();
      },
    });
    await expect(begun).rejects.toMatchObject({ code: 'ABORTED' });
    expect(files).toBe(1);
    await using resumed = await LanguageModel.train([TEXT], { ...options, memoryUnits: 70, checkpoint, resume: true });
    await using whole = await LanguageModel.train([TEXT], options);
    expect(resumed.history.at(-1)!.validation).toEqual(whole.history.at(-1)!.validation);
    const text = 'a dog ran.\n';
    expect((await resumed.score(text)).logProbabilities).toEqual((await whole.score(text)).logProbabilities);
    // Errors after the reading delete it too.
    await expect(LanguageModel.train([TEXT], { ...options, memoryUnits: 50, window: 60_000 })).rejects.toMatchObject({
      code: 'EMPTY_DATASET',
    });
    expect(readdirSync(process.env.TMPDIR!)).toEqual([]);
  });

  it('say what is wrong where no file can be written', async () => {
    process.env.TMPDIR = join(folder, 'nothing');
    await expect(LanguageModel.train([TEXT], { ...SMALL, memoryUnits: 50 })).rejects.toMatchObject({
      name: 'DataError',
      code: 'FILE_NOT_FOUND',
    });
  });
});

describe('a search for the most probable text', () => {
  it('gives one piece, the same each time, at least as probable as the greedy one', async () => {
    await using model = await LanguageModel.train([TEXT], { ...SMALL, hiddenSize: 32, epochs: 6 });
    const search = { beamSize: 4, maxNewTokens: 20 };
    const pieces: string[] = [];
    for await (const piece of model.generate('a', search)) pieces.push(piece);
    expect(pieces.length).toBe(1);
    expect(await written(model, 'a', search)).toBe(pieces[0]);
    const greedy = await written(model, 'a', { temperature: 0, maxNewTokens: 20 });
    expect(await written(model, 'a', { beamSize: 1, maxNewTokens: 20 })).toBe(greedy);
    const sum = async (text: string) =>
      (await model.score(`a${text}`)).logProbabilities.slice(1).reduce((total, log) => total + log, 0);
    expect([...pieces[0]!].length).toBe([...greedy].length);
    expect(await sum(pieces[0]!)).toBeGreaterThanOrEqual(await sum(greedy));
    expect(await written(model, 'a', { ...search, stop: 'ran' })).toBe(pieces[0]!.split('ran')[0]);
    await expect(written(model, 'a', { ...search, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
    const refused = (options: GenerateOptions, option: string) =>
      expect(written(model, 'a', options)).rejects.toMatchObject({ name: 'ArgumentError', option });
    await refused({ beamSize: 0 }, 'beamSize');
    await refused({ beamSize: 2, temperature: 0.5 }, 'temperature');
    await refused({ beamSize: 2, seed: 1 }, 'seed');
    await refused({ lengthPenalty: 1 }, 'lengthPenalty');
    await refused({ beamSize: 2, lengthPenalty: -1 }, 'lengthPenalty');
  });
});
