import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { basicEnglish, TextClassifier, Vocab } from '../../src/index.js';
import { agNews } from '../../src/lesson/index.js';
import { encodeText } from '../../src/models/classifier/prediction.js';
import { light } from '../../src/native/light.js';
import { lower, nativeEncoder } from '../../src/text/nativeEncoder.js';
import type { TokenSettings } from '../../src/text/options.js';
import { modelTokenizer } from '../../src/text/reading.js';
import { realData } from '../support/data.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';

const WORDS = [
  '<unk>',
  '<pad>',
  'a',
  'cat',
  "'",
  '.',
  'ß',
  'é',
  'ς',
  'σας',
  'i̇',
  '中',
  '🙂',
  '\ud800',
  'b',
  '"',
  'x<br',
  '’s',
];
const SETTINGS: TokenSettings = { tokenizer: 'basic_english', ngrams: 1, maxLength: 1_000, truncate: 'head' };

/** Texts of what a tokenizer may stumble over, lone surrogates and rare white space among it. */
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)),
      fc.integer({ min: 0, max: 0xff }).map((unit) => String.fromCharCode(unit)),
      fc.constantFrom(...WORDS, ...WORDS.map((word) => word.toUpperCase())),
      fc.constantFrom(' ', '  ', '\u3000', '\u0085', '\ufeff', '<br />', '<BR "/>', '<b"r />', '<br/', 'ΣΑΣ', 'İ', 'K'),
      fc.constantFrom('—', '“', '”', '€', '한', 'ｱ', ';', ':', '"', '(', ')', '!', '?', ',', '\0'),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));

/** What the addon makes of a text, made lower case as predictions do it. */
async function both(settings: TokenSettings, vocab: Vocab) {
  const { native } = (await nativeEncoder(settings, vocab))!;
  const tokenizer = modelTokenizer(settings);
  return {
    native: (text: string) => native.encode(native.needsLower(text) ? lower(text) : text),
    javascript: (text: string) => encodeText({ tokenizer, vocab }, text),
  };
}

describe('the addon reads texts as JavaScript does', () => {
  it('any text, cut in any way', async () => {
    for (const truncate of ['head', 'tail', 'both'] as const) {
      for (const maxLength of [1, 2, 5, 1_000]) {
        const { native, javascript } = await both({ ...SETTINGS, truncate, maxLength }, Vocab.fromTokens(WORDS));
        fc.assert(
          fc.property(anyText, (text) => {
            expect(native(text)).toEqual(javascript(text));
          }),
          { numRuns: 400 },
        );
      }
    }
  });

  it('every code unit, alone and within a word', async () => {
    const units = Array.from({ length: 0x10000 }, (_, unit) => String.fromCharCode(unit));
    const vocab = Vocab.fromTokens(
      new Set(['<unk>', '<pad>', ...units.flatMap((unit) => basicEnglish(`${unit} a${unit}b`))]),
    );
    const { native, javascript } = await both(SETTINGS, vocab);
    const differing = units.filter((unit) => {
      const text = `${unit} A${unit}B ${unit}`;
      return native(text).ids.join() !== javascript(text).ids.join();
    });
    expect(differing).toEqual([]);
  });

  it('with a padding that the vocabulary does not have, and another unknown token', async () => {
    for (const vocab of [
      Vocab.fromTokens(['a', '?', 'b'], { unkToken: '?', padToken: null }),
      Vocab.fromTokens(['<unk>', '?', '<pad>', 'b'], { unkToken: '?' }),
    ]) {
      const { native, javascript } = await both(SETTINGS, vocab);
      for (const text of ['', 'a b <pad> <unk> ? c', '<PAD>']) expect(native(text), text).toEqual(javascript(text));
    }
  });

  const root = realData('ag_news');
  it.skipIf(!root)('all of AG News', { timeout: 60_000 }, async () => {
    const { test } = await agNews({ root: root! });
    const texts: string[] = [];
    for await (const { text } of test) texts.push(text);
    expect(texts.length).toBe(7_600);
    const vocab = Vocab.fromTokens(new Set(['<unk>', '<pad>', ...texts.slice(0, 5_000).flatMap(basicEnglish)]));
    const { native, javascript } = await both(SETTINGS, vocab);
    for (const text of texts) expect(native(text)).toEqual(javascript(text));
  });
});

describe('predictions from texts', () => {
  const options = { embeddingDim: 8, hiddenSize: 8, epochs: 1, seed: 3, maxLength: 9, batchSize: 16 };
  let native: TextClassifier;
  let javascript: TextClassifier;
  beforeAll(async () => {
    native = await TextClassifier.train(topicTexts(60), options);
    javascript = await TextClassifier.train(topicTexts(60), { ...options, tokenizer: basicEnglish });
  });
  afterAll(async () => {
    await native.close();
    await javascript.close();
  });

  it('are those of the same model whose texts JavaScript splits, one by one and together', async () => {
    const texts = fc.sample(anyText, 600).map((text, i) => (i % 3 === 0 ? `the cat ${text}` : text));
    texts.push('', 'cat '.repeat(20_000), `cat ${'x'.repeat(100_000)}`, 'Σ'.repeat(5_000));
    const expected = await javascript.predictMany(texts);
    expect(await native.predictMany(texts)).toEqual(expected);
    const few = texts.slice(-60);
    const alone = [];
    for (const text of few) alone.push(await native.predict(text));
    expect(alone).toEqual(expected.slice(-60));
    expect(await native.predictMany(few.slice(0, 5))).toEqual(expected.slice(-60, -55));
  });

  it('tell which element is no text, and disturb no other call', async () => {
    const texts = topicTexts(3_000, 4).map(({ text }) => text);
    const wrong = [...texts];
    wrong[2_000] = 7 as never;
    const [right, failed, few] = await Promise.allSettled([
      native.predictMany(texts),
      native.predictMany(wrong),
      native.predictMany(['a cat', undefined as never]),
    ]);
    expect(right).toMatchObject({ status: 'fulfilled' });
    expect(failed).toMatchObject({
      reason: { code: 'INVALID_ARGUMENT', message: expect.stringContaining('texts[2000]') },
    });
    expect(few).toMatchObject({ reason: { code: 'INVALID_ARGUMENT', message: expect.stringContaining('texts[1]') } });
  });
});

describe('the vocabulary of a model file', () => {
  const folder = temporaryFolder();
  const words = ['café', '🙂', 'a"b\\c', '\ud83d', '中文', '__proto__', 'naïve'];

  it('answers as the one that was saved, before and after its lists are made', async () => {
    const path = join(folder, 'm.safetensors');
    const rows = topicTexts(40).map(({ text, label }, i) => ({ text: `${text} ${words[i % words.length]}`, label }));
    await using model = await TextClassifier.train(rows, {
      embeddingDim: 4,
      hiddenSize: 4,
      epochs: 1,
      tokenizer: (text) => text.split(' '),
    });
    await model.save(path);
    await using loaded = await TextClassifier.load(path, { tokenizer: (text) => text.split(' ') });
    const { vocab } = loaded;
    const asked = [...model.vocab.itos, 'no such word', '', '\udc00'];
    const look = () => {
      expect(vocab.length).toBe(model.vocab.length);
      for (const token of asked) {
        expect(vocab.get(token)).toBe(model.vocab.get(token));
        expect(vocab.has(token)).toBe(model.vocab.has(token));
      }
      expect(vocab.encode(asked)).toEqual(model.vocab.encode(asked));
      expect(vocab.decode(model.vocab.encode(asked))).toEqual(model.vocab.decode(model.vocab.encode(asked)));
      for (const index of [-1, 0.5, vocab.length, Number.NaN])
        expect(() => vocab.lookupToken(index)).toThrow(expect.objectContaining({ code: 'OUT_OF_RANGE' }));
      expect(vocab.toJSON()).toEqual(model.vocab.toJSON());
    };
    look();
    expect(vocab.itos).toEqual(model.vocab.itos);
    expect([...vocab.stoi]).toEqual([...model.vocab.stoi]);
    look();
  });

  it('is refused, with its fault named, if a token comes twice or is none', async () => {
    const path = join(folder, 'good.safetensors');
    await using model = await TextClassifier.train(topicTexts(20), { embeddingDim: 4, hiddenSize: 4, epochs: 1 });
    await model.save(path);
    const { tensors, metadata } = await light().readSafetensors(path, 1 << 30);
    const written = async (change: (tokens: unknown[]) => void) => {
      const described = JSON.parse(metadata.model!) as { vocab: { tokens: unknown[] } };
      change(described.vocab.tokens);
      const bad = join(folder, 'bad.safetensors');
      writeFileSync(bad, readFileSync(path));
      await light().writeSafetensors(bad, tensors, { ...metadata, model: JSON.stringify(described) });
      return TextClassifier.load(bad);
    };
    const twice = (tokens: unknown[]) => {
      tokens[5] = tokens[4];
    };
    const number = (tokens: unknown[]) => {
      tokens[5] = 5;
    };
    await expect(written(twice)).rejects.toThrow(/different tokens but ".*" stands at 4 and at 5/);
    await expect(written(number)).rejects.toThrow(/tokens\[5\]/);
    await expect(written((tokens) => tokens.pop())).rejects.toThrow(/its vocabulary has \d+ words, its embedding/);
  });
});
