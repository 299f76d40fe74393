import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LanguageModel, type LanguageOptions, readWholeText, TextClassifier } from '../../../src/index.js';
import { temporaryFolder } from '../../support/folder.js';

const folder = temporaryFolder();
/** Easy to learn by heart: what follows is certain but for the first letter of a line. */
const TEXT = Array.from(
  { length: 120 },
  (_, i) => `${['the cat sat.', 'a dög ran 🙂.', 'no rain fell.'][(i * i * 7 + (i >> 2)) % 3]}\n`,
).join('');
const SMALL: LanguageOptions = {
  embeddingDim: 16,
  hiddenSize: 32,
  numLayers: 1,
  dropout: 0,
  window: 16,
  batchSize: 8,
  epochs: 12,
  lr: 0.03,
  threads: 1,
};

async function written(texts: AsyncIterable<string>): Promise<string[]> {
  const pieces: string[] = [];
  for await (const piece of texts) pieces.push(piece);
  return pieces;
}

let model: LanguageModel;

beforeAll(async () => {
  model = await LanguageModel.train([TEXT], { ...SMALL, validation: 0.2 });
});

afterAll(() => model.close());

it('takes a string for the path of a file, and says so if there is none', async () => {
  await expect(LanguageModel.train('Once upon a time')).rejects.toMatchObject({
    code: 'FILE_NOT_FOUND',
    message:
      'there is no file "Once upon a time"; a string is the path of a file, and texts themselves are given as an array: [text]',
  });
  await expect(LanguageModel.train('a'.repeat(5_000))).rejects.toThrow(/^there is no file "a{60}…";/);
});

describe('a language model of characters', () => {
  it('learns a text, and measures it', async () => {
    const last = model.history.at(-1)!.validation!;
    // Only the first letter of a line is open: at most log(3) / 12 nats each.
    expect(last.loss).toBeLessThan(0.25);
    expect(last.perplexity).toBeCloseTo(Math.exp(last.loss), 12);
    expect(last.bitsPerCharacter).toBeCloseTo(last.loss / Math.LN2, 2);
    expect(model.history.at(-1)!.accuracy).toBeGreaterThan(0.9);
    expect(model.vocab.itos.slice(0, 2)).toEqual(['<unk>', '<eos>']);
    expect(model.vocab.has('🙂')).toBe(true);
  });

  it('writes what it learned: the same text with the same seed, another with another', async () => {
    const greedy = (await written(model.generate('the c', { temperature: 0, maxNewTokens: 8 }))).join('');
    expect(greedy).toBe('at sat.\n');
    const text = async (seed: number) =>
      (await written(model.generate('no rain fell.\n', { seed, maxNewTokens: 200, temperature: 1.2 }))).join('');
    const [one, same, other] = await Promise.all([text(1), text(1), text(2)]);
    expect(one).toBe(same);
    expect(one).not.toBe(other);
    expect([...one].length).toBe(200);
    expect(one).not.toMatch(/<unk>|<eos>/);
  });

  it('ends before a stop string that stands in several units, and holds back what may begin one', async () => {
    const options = { temperature: 0, maxNewTokens: 100 };
    expect((await written(model.generate('the c', { ...options, stop: ['sat', 'zzz'] }))).join('')).toBe('at ');
    expect((await written(model.generate('the c', { ...options, stop: 'sat!', maxNewTokens: 6 }))).join('')).toBe(
      'at sat',
    );
  });

  it('scores a text unit by unit, as PyTorch defines perplexity', async () => {
    const text = 'the cat sat.\n';
    const { units, logProbabilities, loss, perplexity, bitsPerCharacter } = await model.score(text);
    expect(units.join('')).toBe(text);
    expect(logProbabilities.length).toBe(text.length);
    const sum = logProbabilities.reduce((total, value) => total - value, 0);
    expect(loss).toBeCloseTo(sum / text.length, 12);
    expect(perplexity).toBeCloseTo(Math.exp(sum / text.length), 12);
    expect(bitsPerCharacter).toBeCloseTo(sum / Math.LN2 / text.length, 12);
    expect(perplexity).toBeLessThan((await model.score('tac eht sat\n.')).perplexity / 5);
  });

  it('comes back from its file, and writes and scores the same', async () => {
    const path = join(folder, 'model.safetensors');
    await model.save(path);
    await using loaded = await LanguageModel.load(path, { threads: 1 });
    expect(loaded.units).toBe('characters');
    const options = { seed: 5, maxNewTokens: 60 };
    expect((await written(loaded.generate('a d', options))).join('')).toBe(
      (await written(model.generate('a d', options))).join(''),
    );
    expect((await loaded.score('a dög')).logProbabilities).toEqual((await model.score('a dög')).logProbabilities);
    await loaded.save(join(folder, 'again.safetensors'));
    expect(readFileSync(join(folder, 'again.safetensors'))).toEqual(readFileSync(path));
    await expect(TextClassifier.load(path)).rejects.toThrow(/kind "classifier", but it is a "language"/);
  });

  it('gives nothing up to a reader that stops, is slow or aborts', async () => {
    for await (const piece of model.generate('the', { maxNewTokens: 2_000_000_000 })) {
      expect(piece.length).toBeGreaterThan(0);
      break;
    }
    const controller = new AbortController();
    const pieces: string[] = [];
    const reading = (async () => {
      for await (const piece of model.generate('the', { maxNewTokens: 2_000_000_000, signal: controller.signal })) {
        pieces.push(piece);
        if (pieces.length === 9) controller.abort(new Error('enough'));
      }
    })();
    await expect(reading).rejects.toMatchObject({ code: 'ABORTED', cause: new Error('enough') });
    // Calls of 1, 2, 4, 8, 16 and 32 units.
    expect([...pieces.join('')].length).toBe(31 + 4 * 32);
  });

  it('reads unknown characters and a prompt of a megabyte', async () => {
    const pieces = await written(model.generate('日本 the c', { temperature: 0, maxNewTokens: 6 }));
    expect(pieces.join('')).toBe('at sat');
    const long = 'the cat sat.\n'.repeat(80_000);
    expect((await written(model.generate(`${long}the c`, { temperature: 0, maxNewTokens: 6 }))).join('')).toBe(
      'at sat',
    );
  });

  it('stops within a long prompt, and before the first unit', async () => {
    const controller = new AbortController();
    const pieces = model.generate('the cat sat.\n'.repeat(200_000), { signal: controller.signal });
    const first = pieces.next();
    setImmediate(() => controller.abort());
    await expect(first).rejects.toMatchObject({ code: 'ABORTED', message: 'the writing of the text was aborted' });
    expect(await pieces.next()).toEqual({ done: true, value: undefined });
    const aborted = model.generate('the', { signal: AbortSignal.abort() });
    await expect(aborted.next()).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('says why a text ended, and counts its units', async () => {
    const end = async (prompt: string, options: object) => {
      const text = model.generate(prompt, { temperature: 0, ...options });
      let next = await text.next();
      while (!next.done) next = await text.next();
      return next.value;
    };
    const seed = expect.any(Number);
    expect(await end('the c', { maxNewTokens: 40 })).toEqual({ reason: 'length', promptTokens: 5, tokens: 40, seed });
    expect(await end('', { maxNewTokens: 1, seed: 4 })).toEqual({
      reason: 'length',
      promptTokens: 0,
      tokens: 1,
      seed: 4,
    });
    // Of the units that were computed together those behind the string do not count.
    expect(await end('the c', { stop: ['at.', 'sat'] })).toMatchObject({ reason: 'stop', tokens: 6 });
  });

  it('takes half a character for an unknown one', async () => {
    expect((await written(model.generate('the \ud800c', { temperature: 0, maxNewTokens: 3 }))).join('')).toBe('at ');
    expect((await model.score('\udc00a')).units).toEqual(['<unk>', 'a']);
    expect((await model.embed(['\ud800']))[0]!.every(Number.isFinite)).toBe(true);
  });

  it('refuses to measure texts without characters', async () => {
    for (const texts of [[], [''], ['', '']]) {
      const error = { code: 'EMPTY_DATASET', message: expect.stringContaining('have no characters') };
      await expect(model.evaluate(texts)).rejects.toMatchObject(error);
      await expect(LanguageModel.train([TEXT], { ...SMALL, validation: texts })).rejects.toMatchObject(error);
    }
    // Of this share the end of the text is all there is.
    const share = LanguageModel.train([TEXT], { ...SMALL, validation: 1e-6 });
    await expect(share).rejects.toMatchObject({ code: 'EMPTY_DATASET' });
    const file = join(folder, 'empty.txt');
    writeFileSync(file, '');
    await expect(model.evaluate(file)).rejects.toMatchObject({ code: 'EMPTY_DATASET', file });
  });

  it('takes any number of stop strings', async () => {
    const stop = Array.from({ length: 200_000 }, (_, i) => `${i}!`);
    const options = { temperature: 0, maxNewTokens: 6, stop };
    expect((await written(model.generate('the c', options))).join('')).toBe('at sat');
  });

  it('refuses nonsense by name', async () => {
    const refused = (options: object, name: string) =>
      expect(() => model.generate('a', options)).toThrow(expect.objectContaining({ option: name }));
    refused({ temperature: -1 }, 'temperature');
    refused({ temperature: Number.NaN }, 'temperature');
    refused({ topP: 0 }, 'topP');
    refused({ topK: 0 }, 'topK');
    refused({ repetitionPenalty: 0 }, 'repetitionPenalty');
    refused({ maxNewTokens: 0 }, 'maxNewTokens');
    refused({ stop: '' }, 'stop');
    expect(() => model.generate('a', { stop: ['b', ''] })).toThrow(/array of strings, none of them empty, for stop/);
    refused({ seed: -1 }, 'seed');
    expect(() => model.generate(7 as never)).toThrow(/prompt/);
    await expect(model.score('')).rejects.toThrow(/text/);
    await expect(LanguageModel.train([''], SMALL)).rejects.toMatchObject({ code: 'EMPTY_DATASET' });
    await expect(LanguageModel.train([], SMALL)).rejects.toMatchObject({ code: 'EMPTY_DATASET' });
    await expect(LanguageModel.train(['short'], SMALL)).rejects.toThrow(
      /5? ?units to train on; expected at least window, 16/,
    );
    await expect(LanguageModel.train([7 as never], SMALL)).rejects.toThrow(/texts\[0\]/);
    await expect(LanguageModel.train(['a'], { bidirectional: true } as never)).rejects.toThrow(/bidirectional/);
    const rare = LanguageModel.train([TEXT], { ...SMALL, minFreq: 1e6 });
    await expect(rare).rejects.toMatchObject({ option: 'minFreq', message: expect.stringContaining('leaves no unit') });
    const pieces = LanguageModel.train(['a'], { units: 'pieces', maxTokens: 100 });
    await expect(pieces).rejects.toMatchObject({ option: 'maxTokens' });
  });
});

describe('other units', () => {
  const options = { ...SMALL, epochs: 25 };
  for (const units of ['bytes', 'words', 'pieces'] as const) {
    it(`writes whole characters of ${units}`, async () => {
      const extra = units === 'pieces' ? { maxTokens: 300 } : {};
      await using made = await LanguageModel.train([TEXT], { ...options, window: 8, units, ...extra });
      expect(made.units).toBe(units);
      const path = join(folder, `${units}.safetensors`);
      await made.save(path);
      await using loaded = await LanguageModel.load(path, { threads: 1 });
      for (const one of [made, loaded]) {
        const pieces = await written(one.generate('the cat sat.\na dög', { temperature: 0, maxNewTokens: 11 }));
        expect(pieces.join('')).toMatch(/^ ran 🙂\.\n/);
        // Half a character would be a surrogate alone.
        for (const piece of pieces) expect(piece).not.toMatch(/^[\udc00-\udfff]|[\ud800-\udbff]$/);
        // A string to stop at may end within a unit.
        const stopped = one.generate('the cat sat.\na dög', { temperature: 0, stop: 'ra' });
        expect((await written(stopped)).join('')).toBe(' ');
        const { rows, bitsPerCharacter, loss } = await one.score('a dög ran 🙂.\n');
        // Whatever the units are, bits are counted by characters.
        expect(bitsPerCharacter).toBeCloseTo((loss * rows) / Math.LN2 / 13, 10);
      }
    });
  }
});

describe('texts', () => {
  it('are read from files, of which .txt is one text, compressed or not, and from streams', async () => {
    const options = { ...SMALL, epochs: 1 };
    const plain = join(folder, 'corpus.txt');
    writeFileSync(plain, TEXT);
    writeFileSync(`${plain}.gz`, gzipSync(TEXT));
    async function* parts() {
      for (let at = 0; at < TEXT.length; at += 77) yield { text: TEXT.slice(at, at + 77), continues: true };
    }
    const states: string[] = [];
    for (const source of [[TEXT], plain, `${plain}.gz`, readWholeText(plain)]) {
      await using made = await LanguageModel.train(source, options);
      states.push((await made.score('the cat')).logProbabilities.join());
    }
    expect(new Set(states).size).toBe(1);
    await using streamed = await LanguageModel.train(parts(), options);
    expect(streamed.vocab.itos).toEqual(model.vocab.itos);
  });

  it('resumes from a checkpoint to the very same model', async () => {
    const path = join(folder, 'checkpoint');
    const options = { ...SMALL, epochs: 3, validation: 0.1 };
    await using whole = await LanguageModel.train([TEXT], options);
    const run = LanguageModel.start([TEXT], { ...options, checkpoint: { path, everySteps: 3 } });
    for await (const { step } of run) if (step >= 12) run.stop();
    await (await run.result).close();
    await using resumed = await LanguageModel.train([TEXT], { resume: path });
    expect((await resumed.score(TEXT.slice(0, 99))).logProbabilities).toEqual(
      (await whole.score(TEXT.slice(0, 99))).logProbabilities,
    );
  });
});
