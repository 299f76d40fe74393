import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type ArgumentError,
  type CompressOptions,
  LanguageModel,
  ModelFileError,
  TextClassifier,
  TextTagger,
} from '../../src/index.js';
import { light } from '../../src/native/light.js';
import { temporaryFolder } from '../support/folder.js';
import { ALONE, OPTIONS, rows, SMALL, texts } from '../support/linear.js';

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);

async function refusal(work: Promise<unknown>): Promise<ArgumentError> {
  return work.then(
    () => expect.fail('no error'),
    (error: unknown) => error as ArgumentError,
  );
}

/** The share of texts that both label alike, and the mean difference of their probabilities. */
async function agreement(first: TextClassifier, second: TextClassifier): Promise<{ alike: number; off: number }> {
  const [one, other] = [await first.predictMany(texts), await second.predictMany(texts)];
  const alike = one.filter(({ label }, at) => label === other[at]!.label).length / texts.length;
  const probability = (prediction: (typeof one)[number], label: string) =>
    prediction.classes.find((each) => each.label === label)?.probability ?? 0;
  const off = one.map((prediction, at) => Math.abs(prediction.probability - probability(other[at]!, prediction.label)));
  return { alike, off: off.reduce((sum, each) => sum + each, 0) / texts.length };
}

describe('a compressed classifier', () => {
  it('is smaller, answers nearly the same, and has the same bytes each time, also when it is loaded and saved', async () => {
    using model = await TextClassifier.train(rows, { ...OPTIONS, embeddingDim: 16 });
    await model.save(path('whole'));
    using small = await model.compress({ bits: 8 });
    const { alike, off } = await agreement(model, small);
    expect(alike).toBe(1);
    expect(off).toBeLessThan(0.02);
    await small.save(path('small'));
    const bytes = readFileSync(path('small'));
    expect(small.compression).toEqual({
      bytes: bytes.length,
      code: 'int8',
      words: model.vocab.size,
      features: expect.any(Number),
      levels: 127,
    });
    expect(bytes.length).toBeLessThan(0.75 * statSync(path('whole')).size);
    expect([...small.vocab.itos].sort()).toEqual([...model.vocab.itos].sort());
    using again = await model.compress({ bits: 8 });
    await again.save(path('again'));
    expect(readFileSync(path('again')).equals(bytes)).toBe(true);
    using loaded = await TextClassifier.load(path('small'));
    expect(loaded.compression).toEqual(small.compression);
    expect(await loaded.predictMany(texts)).toEqual(await small.predictMany(texts));
    await loaded.save(path('loaded'));
    expect(readFileSync(path('loaded')).equals(bytes)).toBe(true);
    const { tokens } = await loaded.explain(texts[0]!);
    expect(tokens.length).toBeGreaterThan(0);
  });

  it.each([8, 4, 2, 1] as const)('of %i bits reads each word as its vector decoded', async (bits) => {
    using model = await TextClassifier.train(rows, { ...SMALL, linear: false });
    using small = await model.compress({ bits });
    expect((await agreement(model, small)).alike).toBeGreaterThan(bits > 2 ? 0.95 : 0.6);
    // Its state is that of a whole model, which predicts the same.
    const { state } = await small.contents();
    expect(state.find(({ name }) => name === 'embedding.weight')).toMatchObject({
      dtype: 'float32',
      shape: [small.vocab.size, 8],
    });
    await small.save(path('coded'));
    const { metadata } = await light().readSafetensors(path('coded'), 1 << 30);
    const { compression: _, deflated: __, sha256: ___, ...rest } = metadata;
    const described = JSON.parse(rest.model!);
    const model2 = { ...described, formatVersion: 2, vocab: small.vocab.toJSON() };
    await light().writeSafetensors(path('wide'), state, { ...rest, model: JSON.stringify(model2) });
    using wide = await TextClassifier.load(path('wide'));
    expect(await wide.predictMany(texts)).toEqual(await small.predictMany(texts));
  });

  it('keeps the words that contribute most, and reads the others as unknown ones', async () => {
    using model = await TextClassifier.train(rows, { ...SMALL, linear: false });
    using small = await model.compress({ keepWords: 12, bits: 8 });
    expect(small.vocab.size).toBe(12);
    expect(small.vocab.itos.slice(0, 2)).toEqual(model.vocab.specials);
    expect(small.vocab.itos.slice(2)).toEqual([...small.vocab.itos.slice(2)].sort());
    const gone = model.vocab.itos.find((word) => !small.vocab.has(word))!;
    const { probability, knownTokens } = await small.predict(gone);
    expect(knownTokens).toBe(0);
    expect((await small.predict('neverseen')).probability).toBe(probability);
  });

  it('fits a budget, loses less with a larger one, and says what the least is', async () => {
    using model = await TextClassifier.train(rows, { ...OPTIONS, embeddingDim: 16 });
    const error = await refusal(model.compress({ maxBytes: 1_000 }));
    expect(error).toMatchObject({ name: 'ArgumentError', code: 'OUT_OF_RANGE', option: 'maxBytes' });
    const least = Number(/expected at least (\d+) bytes/.exec(error.message)![1]);
    using smallest = await model.compress({ maxBytes: least });
    expect(smallest.compression!.bytes).toBeLessThanOrEqual(least);
    await refusal(model.compress({ maxBytes: least - 1 }));
    for (const maxBytes of [12_000, 20_000, 1_000_000]) {
      using small = await model.compress({ maxBytes });
      expect(small.compression!.bytes).toBeLessThanOrEqual(maxBytes);
      await small.save(path('budget'));
      expect(statSync(path('budget')).size).toBe(small.compression!.bytes);
      if (maxBytes === 1_000_000) expect(small.compression).toMatchObject({ code: 'int8', words: model.vocab.size });
    }
  });

  it.each([
    ['of several networks', { ...OPTIONS, members: 2 }],
    ['of a linear model alone', ALONE],
    ['of several labels a text', { ...OPTIONS, multiLabel: true }],
    ['of a function’s tokens', { ...SMALL, tokenizer: (text: string) => text.split(' ') }],
  ] as const)('%s is one too', async (_, options) => {
    using model = await TextClassifier.train(rows, options);
    using small = await model.compress({ bits: 8 });
    expect((await agreement(model, small)).alike).toBeGreaterThan(0.95);
  });

  it('is neither trained nor compressed further', async () => {
    using model = await TextClassifier.train(rows, { ...SMALL, linear: false });
    using small = await model.compress({ bits: 4 });
    await small.save(path('further'));
    const resumed = await refusal(TextClassifier.train(rows, { resume: path('further') }));
    expect(resumed).toBeInstanceOf(ModelFileError);
    expect(resumed.message).toMatch(/a compressed model can only predict/);
    expect((await refusal(small.compress({ bits: 8 }))).message).toMatch(/already compressed/);
  });

  it.each<[CompressOptions, string | undefined]>([
    [{}, 'maxBytes'],
    [{ maxBytes: 0 }, 'maxBytes'],
    [{ bits: 3 as 4 }, 'bits'],
    [{ keepWords: 1.5 }, 'keepWords'],
    [{ size: 3 } as CompressOptions, 'size'],
  ])('refuses %j', async (options, option) => {
    using model = await TextClassifier.train(rows.slice(0, 30), { ...SMALL, epochs: 1, linear: false });
    expect(await refusal(model.compress(options))).toMatchObject({ name: 'ArgumentError', option });
  });

  it('is given up by its signal', async () => {
    using model = await TextClassifier.train(rows, { ...SMALL, linear: false });
    const controller = new AbortController();
    const work = model.compress({ maxBytes: 5_000, signal: controller.signal });
    controller.abort();
    expect(await refusal(work)).toMatchObject({ code: 'ABORTED' });
    expect(await refusal(model.compress({ bits: 8, signal: AbortSignal.abort() }))).toMatchObject({ code: 'ABORTED' });
  });

  it('in a damaged file is a typed error, cut or changed anywhere', async () => {
    using model = await TextClassifier.train(rows, OPTIONS);
    using small = await model.compress({ bits: 2 });
    await small.save(path('sound'));
    const whole = readFileSync(path('sound'));
    const step = Math.ceil(whole.length / 60);
    for (let at = 0; at < whole.length; at += step) {
      const flipped = Buffer.from(whole);
      flipped[at] = flipped[at]! ^ 0x55;
      for (const bytes of [whole.subarray(0, at), flipped]) {
        writeFileSync(path('damaged'), bytes);
        const error = await refusal(TextClassifier.load(path('damaged')));
        expect(error).toBeInstanceOf(ModelFileError);
      }
    }
  });

  it('that claims what it has not is refused before memory is taken', async () => {
    using model = await TextClassifier.train(rows, OPTIONS);
    using small = await model.compress({ bits: 2 });
    await small.save(path('sound'));
    // Read as tensors: the streams are unpacked, so that a new seal covers what was changed.
    const { tensors, metadata } = await light().readSafetensors(path('sound'), 1 << 30);
    const { sha256: _, ...rest } = metadata;
    const write = (change: (arrays: typeof tensors, said: Record<string, string>) => void) => {
      const arrays = tensors.map((array) => ({ ...array, shape: [...array.shape], data: Uint8Array.from(array.data) }));
      const said = { ...rest };
      change(arrays, said);
      return light().writeSafetensors(path('claim'), arrays, said);
    };
    const of = (arrays: typeof tensors, name: string) => arrays.find((array) => array.name === name)!;
    await write(() => {});
    (await TextClassifier.load(path('claim'))).close();
    const claims: [Parameters<typeof write>[0], RegExp][] = [
      [(_, said) => Object.assign(said, { compression: '{' }), /not JSON/],
      [(_, said) => Object.assign(said, { compression: '{"words":"many"}' }), /is incomplete/],
      [(_, said) => Object.assign(said, { deflated: '{"rnn.bias_ih_l0":["int8",[3]]}' }), /rnn\.bias_ih_l0/],
      [(_, said) => Object.assign(said, { deflated: '[' }), /list of deflated arrays/],
      [(arrays) => of(arrays, 'fc.bias').data.fill(255), /"fc\.bias" has numbers that are not finite/],
      [(arrays) => arrays.splice(arrays.indexOf(of(arrays, 'embedding.weight.norm')), 1), /norm is missing/],
      [(arrays) => Object.assign(of(arrays, 'embedding.weight.norm'), { dtype: 'int8' }), /must be uint8/],
      [(arrays) => arrays.splice(arrays.indexOf(of(arrays, 'vocab.tokens')), 1), /vocabulary/],
      [(arrays) => of(arrays, 'vocab.tokens').data.fill(255, 0, 4), /has no 4294967295 tokens/],
      [
        (arrays) => arrays.push({ ...of(arrays, 'embedding.weight.product'), name: 'embedding.weight.int4' }),
        /several codes/,
      ],
    ];
    for (const [change, message] of claims) {
      await write(change);
      const error = await refusal(TextClassifier.load(path('claim')));
      expect(error).toBeInstanceOf(ModelFileError);
      expect(error.message).toMatch(message);
    }
  });
});

describe('other compressed models', () => {
  it('tag nearly as before, with characters and without', async () => {
    const sentences = Array.from({ length: 60 }, (_, at) => ({
      tokens: ['in', at % 2 ? 'Paris' : 'Rome', 'lives', `a${at % 7}`],
      tags: ['O', 'B-LOC', 'O', 'B-PER'],
    }));
    for (const subwords of [false, true]) {
      using model = await TextTagger.train(sentences, {
        epochs: 8,
        embeddingDim: 8,
        hiddenSize: 8,
        threads: 1,
        lr: 0.02,
        subwords,
      });
      using small = await model.compress({ bits: 8 });
      await small.save(path('tagger'));
      using loaded = await TextTagger.load(path('tagger'));
      const tokens = sentences.slice(0, 10).map((sentence) => sentence.tokens);
      const tags = async (tagger: TextTagger) => (await tagger.predictMany(tokens)).map((tagging) => tagging.tags);
      expect(await tags(loaded)).toEqual(await tags(model));
    }
  });

  it.each([false, true])('write nearly as before, with one matrix for input and output: %s', async (tieWeights) => {
    const text = 'the cat sat on the mat and the dog sat on the cat. '.repeat(40);
    const shape = { embeddingDim: 12, hiddenSize: 12, window: 16, epochs: 3, threads: 1 };
    using model = await LanguageModel.train([text], { ...shape, tieWeights });
    using small = await model.compress({ bits: 8 });
    expect(small.vocab.itos).toEqual(model.vocab.itos);
    const [before, after] = [await model.evaluate([text]), await small.evaluate([text])];
    expect(Math.abs(after.loss - before.loss)).toBeLessThan(0.02);
    await small.save(path('language'));
    using loaded = await LanguageModel.load(path('language'));
    expect((await loaded.evaluate([text])).loss).toBe(after.loss);
    expect(await refusal(model.compress({ keepWords: 5 }))).toMatchObject({ option: 'keepWords' });
  });
});
