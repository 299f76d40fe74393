import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ModelFileError, TextClassifier } from '../../src/index.js';
import { light } from '../../src/native/light.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const path = join(folder, 'model.safetensors');
let model: TextClassifier;
beforeAll(async () => {
  model = await TextClassifier.train(topicTexts(200), {
    linear: false,
    embeddingDim: 8,
    hiddenSize: 6,
    numLayers: 2,
    lr: 1e-2,
    epochs: 2,
    cell: 'gru',
  });
  await model.save(path);
});
afterAll(() => model.close());

describe('save and load', () => {
  it('gives the very same predictions', async () => {
    using loaded = await TextClassifier.load(path);
    const texts = topicTexts(40, 9).map(({ text }) => text);
    expect(await loaded.predictMany(texts)).toEqual(await model.predictMany(texts));
    expect(loaded.labels).toEqual(model.labels);
    expect(loaded.settings).toEqual(model.settings);
    expect(loaded.vocab.itos).toEqual(model.vocab.itos);
  });

  it('names and shapes the weights as PyTorch does', async () => {
    const { tensors, metadata } = await light().readSafetensors(path, 1 << 30);
    const shapes = Object.fromEntries(tensors.map(({ name, shape, dtype }) => [name, `${dtype} ${shape}`]));
    expect(shapes).toMatchObject({
      'embedding.weight': `float32 ${model.vocab.length},8`,
      'rnn.weight_ih_l0': 'float32 18,8',
      'rnn.weight_hh_l0': 'float32 18,6',
      'rnn.bias_ih_l1_reverse': 'float32 18',
      'rnn.weight_ih_l1_reverse': 'float32 18,12',
      'fc.weight': 'float32 3,12',
      'fc.bias': 'float32 3',
    });
    expect(metadata.format).toBe('pt');
  });

  it('keeps the row of the padding at zero', async () => {
    const { tensors } = await light().readSafetensors(path, 1 << 30);
    const { data } = tensors.find(({ name }) => name === 'embedding.weight')!;
    const padding = new Float32Array(data.slice(8 * 4, 16 * 4).buffer);
    expect([...padding]).toEqual(new Array(8).fill(0));
  });

  it('leaves no temporary file, and the old model whole when the new one cannot be written', async () => {
    const place = join(folder, 'again');
    mkdirSync(place);
    await model.save(join(place, 'm'));
    await model.save(join(place, 'm'));
    expect(readdirSync(place)).toEqual(['m']);
    await expect(model.save(join(folder, 'nowhere', 'm'))).rejects.toMatchObject({ code: 'IO' });
  });

  it('asks again for a tokenizer that was a function', async () => {
    const own = join(folder, 'own.safetensors');
    const tokenizer = (text: string) => text.split(' ');
    using trained = await TextClassifier.train(topicTexts(30), {
      embeddingDim: 4,
      hiddenSize: 4,
      epochs: 1,
      tokenizer,
    });
    await trained.save(own);
    await expect(TextClassifier.load(own)).rejects.toThrow(
      /own.safetensors was trained with a custom tokenizer function/,
    );
    using loaded = await TextClassifier.load(own, { tokenizer });
    expect((await loaded.predict('cat')).classes).toEqual((await trained.predict('cat')).classes);
  });
});

describe('files that are no whole model', () => {
  async function refusal(file: string): Promise<ModelFileError> {
    const error = await TextClassifier.load(file).then(
      (loaded) => expect.fail(`loaded ${loaded.labels}`),
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(ModelFileError);
    return error as ModelFileError;
  }

  it('missing, or a folder', async () => {
    expect((await refusal(join(folder, 'none'))).code).toBe('FILE_NOT_FOUND');
    await expect(TextClassifier.load('')).rejects.toMatchObject({ name: 'ArgumentError', option: 'path' });
    expect((await refusal(folder)).code).toMatch(/IO|INVALID_FILE/);
  });

  it('of another program, by its name', async () => {
    const file = join(folder, 'weights.pt');
    writeFileSync(file, Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.from('archive/data.pkl')]));
    const message =
      /weights\.pt: expected a file that save .*; this is a file written by torch\.save: in Python, safetensors/;
    expect(await refusal(file)).toMatchObject({ code: 'INVALID_FILE', message: expect.stringMatching(message) });
    writeFileSync(file, Buffer.from([0x80, 0x02, 0x8a, 0x0a]));
    expect((await refusal(file)).message).toMatch(/torch\.save or pickle/);
  });

  it('cut off anywhere', async () => {
    const whole = readFileSync(path);
    const cut = join(folder, 'cut');
    for (const size of [0, 1, 7, 8, 9, 100, Math.floor(whole.length / 2), whole.length - 1]) {
      writeFileSync(cut, whole);
      truncateSync(cut, size);
      expect((await refusal(cut)).code).toBe('INVALID_FILE');
    }
  });

  it('claiming a header of exabytes', async () => {
    const file = join(folder, 'huge');
    writeFileSync(file, Buffer.concat([Buffer.from('ffffffffffffff7f', 'hex'), Buffer.from('{}')]));
    expect((await refusal(file)).code).toBe('INVALID_FILE');
  });

  it('changed by one bit', async () => {
    const bytes = readFileSync(path);
    bytes[bytes.length - 3]! ^= 1;
    const file = join(folder, 'flipped');
    writeFileSync(file, bytes);
    expect((await refusal(file)).message).toMatch(/checksum/);
  });

  it('of another kind, newer, or inconsistent', async () => {
    const { tensors, metadata } = await light().readSafetensors(path, 1 << 30);
    const described = JSON.parse(metadata.model!) as Record<string, unknown>;
    const write = async (change: Record<string, unknown>, kept = tensors) => {
      const file = join(folder, 'other');
      await light().writeSafetensors(file, kept, {
        recurra: metadata.recurra!,
        model: JSON.stringify({ ...described, ...change }),
      });
      return file;
    };
    expect((await refusal(await write({ formatVersion: 99 }))).message).toMatch(/format version 99/);
    expect((await refusal(await write({ formatVersion: undefined }))).message).toMatch(/has no format version/);
    expect((await refusal(await write({ labels: ['one'] }))).message).toMatch(/two or more distinct labels/);
    expect(
      (await refusal(await write({ vocab: { tokens: ['<unk>'], unkToken: '<unk>', padToken: null } }))).message,
    ).toMatch(/vocabulary has 1 words/);
    expect(
      (await refusal(await write({ settings: { ...(described.settings as object), cell: 'mamba' } }))).message,
    ).toMatch(/cell/);
    await expect(TextClassifier.load(await write({}, tensors.slice(0, -1)))).rejects.toMatchObject({
      code: 'STATE_MISMATCH',
    });
    await expect(
      TextClassifier.load(await write({ settings: { ...(described.settings as object), hiddenSize: 7 } })),
    ).rejects.toMatchObject({
      code: 'STATE_MISMATCH',
    });
    const foreign = join(folder, 'foreign');
    await light().writeSafetensors(foreign, tensors, {});
    expect((await refusal(foreign)).message).toMatch(/not a model of recurra/);
  });
});
