import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TextClassifier, Vocab } from '../../src/index.js';
import { agNews } from '../../src/lesson/index.js';
import { encodeTokens } from '../../src/models/serving/ids.js';
import { light } from '../../src/native/light.js';
import { nativeEncoder } from '../../src/text/encoder.js';
import type { TokenSettings } from '../../src/text/options.js';
import type { TextReader } from '../../src/text/reader.js';
import { modelTokenizer } from '../../src/text/reading.js';
import { anyText, WORDS } from '../support/anyText.js';
import { realData } from '../support/data.js';
import { temporaryFolder } from '../support/folder.js';
import { basicEnglish as referenceSplit } from '../support/reference/basicEnglish.js';
import { referenceTokens } from '../support/reference/reading.js';
import { topicTexts } from '../support/texts.js';

const SETTINGS: TokenSettings = { tokenizer: 'basic_english', ngrams: 1, maxLength: 1_000, truncate: 'head' };

/** What the addon makes of texts, and what the plain definitions do. */
async function both(settings: TokenSettings, vocab: Vocab) {
  const { native } = await nativeEncoder(modelTokenizer(settings) as TextReader, vocab);
  return {
    native: async (texts: readonly string[]) => {
      const { ids, counts } = await native.encode(texts);
      let end = 0;
      return texts.map((_, i) => {
        const [count, known] = [counts[2 * i]!, counts[2 * i + 1]!];
        end += count || 1;
        return { ids: ids.slice(end - (count || 1), end), count, known };
      });
    },
    reference: (texts: readonly string[]) =>
      texts.map((text) => encodeTokens({ vocab }, referenceTokens(text, settings))),
  };
}

describe('the addon reads texts as the plain definitions do', () => {
  const settings = fc.record({
    tokenizer: fc.constantFrom('basic_english' as const, 'characters' as const),
    ngrams: fc.constantFrom(1 as const, 2 as const, 3 as const),
    maxLength: fc.constantFrom(1, 2, 5, 1_000),
    truncate: fc.constantFrom('head' as const, 'tail' as const, 'both' as const),
  });
  const texts = fc.array(anyText, { maxLength: 5 });

  it('any texts, cut in any way, with any n-grams', async () => {
    const vocab = Vocab.fromTokens([...WORDS, ' ', 'a a', 'a cat', '🙂 🙂', 'a   b', 'a <unk>']);
    await fc.assert(
      fc.asyncProperty(texts, settings, async (texts, settings) => {
        const { native, reference } = await both(settings, vocab);
        expect(await native(texts)).toEqual(reference(texts));
      }),
      { numRuns: 2_000 },
    );
  });

  it('as tokens, too', async () => {
    await fc.assert(
      fc.asyncProperty(texts, settings, async (texts, settings) => {
        const reader = modelTokenizer(settings) as TextReader;
        const expected = texts.map((text) => referenceTokens(text, settings));
        expect(texts.map((text) => reader.tokenize(text))).toEqual(expected);
        expect(await reader.tokenizeMany(texts)).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('every code unit, alone and within a word', async () => {
    const units = Array.from({ length: 0x10000 }, (_, unit) => String.fromCharCode(unit));
    const vocab = Vocab.fromTokens(
      new Set(['<unk>', '<pad>', ...units.flatMap((unit) => referenceSplit(`${unit} a${unit}b`))]),
    );
    for (const tokenizer of ['basic_english', 'characters'] as const) {
      const { native, reference } = await both({ ...SETTINGS, tokenizer }, vocab);
      const texts = units.map((unit) => `${unit} A${unit}B ${unit}`);
      const [read, expected] = [await native(texts), reference(texts)];
      expect(units.filter((_, i) => read[i]!.ids.join() !== expected[i]!.ids.join())).toEqual([]);
    }
  });

  it('with a padding that the vocabulary does not have, and another unknown token', async () => {
    for (const vocab of [
      Vocab.fromTokens(['a', '?', 'b'], { unkToken: '?', padToken: null }),
      Vocab.fromTokens(['<unk>', '?', '<pad>', 'b'], { unkToken: '?' }),
    ]) {
      const { native, reference } = await both(SETTINGS, vocab);
      const texts = ['', 'a b <pad> <unk> ? c', '<PAD>'];
      expect(await native(texts)).toEqual(reference(texts));
    }
  });

  it('long texts', async () => {
    const texts = ['Σ'.repeat(20_000), 'a cat, '.repeat(30_000), `cat ${'x'.repeat(100_000)}`, '🙂'.repeat(9_000)];
    for (const tokenizer of ['basic_english', 'characters'] as const) {
      for (const truncate of ['head', 'tail', 'both'] as const) {
        const { native, reference } = await both(
          { tokenizer, ngrams: 2, maxLength: 7, truncate },
          Vocab.fromTokens(WORDS),
        );
        expect(await native(texts)).toEqual(reference(texts));
      }
    }
  });

  it('with toLowerCase as it is at the time', async () => {
    const { toLowerCase } = String.prototype;
    const reader = modelTokenizer(SETTINGS) as TextReader;
    let known: unknown;
    let thrown: unknown;
    try {
      String.prototype.toLowerCase = () => {
        throw new RangeError('no case');
      };
      known = reader.tokenize('Zoë');
      reader.tokenize('ΑΒΓ');
    } catch (error) {
      thrown = error;
    } finally {
      String.prototype.toLowerCase = toLowerCase;
    }
    expect(known).toEqual(['zoë']);
    expect(thrown).toMatchObject({ message: 'no case' });
    expect(reader.tokenize('ΑΒΓ')).toEqual(['αβγ']);
  });

  const root = realData('ag_news');
  it.skipIf(!root)('all of AG News', { timeout: 60_000 }, async () => {
    const { test } = await agNews({ root: root! });
    const texts: string[] = [];
    for await (const { text } of test) texts.push(text);
    expect(texts.length).toBe(7_600);
    const vocab = Vocab.fromTokens(new Set(['<unk>', '<pad>', ...texts.slice(0, 5_000).flatMap(referenceSplit)]));
    const { native, reference } = await both(SETTINGS, vocab);
    expect(await native(texts)).toEqual(reference(texts));
  });
});

describe('predictions from texts', () => {
  const options = { embeddingDim: 8, hiddenSize: 8, epochs: 1, seed: 3, maxLength: 9, batchSize: 16 };
  let native: TextClassifier;
  let javascript: TextClassifier;
  beforeAll(async () => {
    native = await TextClassifier.train(topicTexts(60), options);
    javascript = await TextClassifier.train(topicTexts(60), { ...options, tokenizer: referenceSplit });
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
