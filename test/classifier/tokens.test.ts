import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  HuggingFaceTokenizer,
  type LabelledText,
  type Prediction,
  TextClassifier,
  type TextOptions,
  unicodeWords,
  Vocab,
} from '../../src/index.js';
import { checkVocabulary } from '../../src/models/vocabularyRoom.js';
import { light } from '../../src/native/light.js';
import { tokenSettings } from '../../src/text/options.js';
import { modelTokenizer, readingOf } from '../../src/text/reading.js';
import { temporaryFolder } from '../support/folder.js';
import { SMALL, topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const description = (kind: string) => join(import.meta.dirname, `../fixtures/tokenizers/${kind}.json`);

/** Texts that have gone wrong somewhere. */
const HARD = [
  '',
  ' \n\t',
  '\0',
  'a\0b',
  '\ud800',
  'half \udc00 a pair \ud83d',
  'zyx wvu',
  '<pad>',
  '<unk> <pad> <pad>',
  '__proto__ constructor hasOwnProperty toString',
  '🙂👨‍👩‍👧🇩🇪',
  'שלום \u202eעולם\u202c مرحبا',
  '你好世界 今日は',
  'x'.repeat(5_000),
  'the cat and the dog '.repeat(700),
];
const distribution = (prediction: Prediction) => prediction.classes.map(({ probability }) => probability);

function expectDistribution(prediction: Prediction): void {
  const probabilities = distribution(prediction);
  expect(probabilities.every((each) => each >= 0 && each <= 1)).toBe(true);
  expect(probabilities.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 5);
  expect(prediction.knownTokens).toBeLessThanOrEqual(prediction.tokens);
}

describe.each<[string, TextOptions]>([
  ['basic_english', {}],
  ['unicode_words', { tokenizer: 'unicode_words' }],
  ['characters', { tokenizer: 'characters', maxLength: 60 }],
  ['two-word runs', { ngrams: 2, minFreq: 2 }],
  ['three-word runs of the ends', { ngrams: 3, truncate: 'both', maxLength: 5, maxTokens: 200 }],
  ['the end of texts', { tokenizer: 'characters', truncate: 'tail', maxLength: 7 }],
  ['a HuggingFace tokenizer', { tokenizer: 'word_piece' as never }],
  ['another HuggingFace tokenizer', { tokenizer: 'byte_bpe' as never, ngrams: 2, truncate: 'tail', maxLength: 30 }],
])('a model with %s', (name, options) => {
  let model: TextClassifier;
  let loaded: TextClassifier;
  beforeAll(async () => {
    const ofHuggingFace = name.includes('HuggingFace');
    const tokenizer = ofHuggingFace
      ? await HuggingFaceTokenizer.fromFile(description(options.tokenizer as string))
      : options.tokenizer;
    model = await TextClassifier.train(topicTexts(150), { ...SMALL, ...options, ...(tokenizer && { tokenizer }) });
    const path = join(folder, `${name}.safetensors`);
    await model.save(path);
    loaded = await TextClassifier.load(path);
    return () => {
      model.close();
      loaded.close();
    };
  });

  it('is loaded as it was saved, without a second file, and predicts the same, bit by bit', async () => {
    const texts = [...HARD, ...topicTexts(60, 9).map(({ text }) => text)];
    expect(await loaded.predictMany(texts)).toEqual(await model.predictMany(texts));
    expect(loaded.vocab.itos).toEqual(model.vocab.itos);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), async (text) => {
        expect(await loaded.predict(text)).toEqual(await model.predict(text));
      }),
      { numRuns: 50 },
    );
  });

  it('gives a distribution for any text, and the same for one as among many', async () => {
    const many = await model.predictMany(HARD);
    for (const [i, text] of HARD.entries()) {
      const single = await model.predict(text);
      expectDistribution(single);
      expect([single.tokens, single.knownTokens]).toEqual([many[i]!.tokens, many[i]!.knownTokens]);
      const alone = distribution(single);
      for (const [label, each] of many[i]!.classes.entries()) expect(each.probability).toBeCloseTo(alone[label]!, 5);
    }
    expect(many[0]).toMatchObject({ tokens: 0, knownTokens: 0 });
  });

  it('finds in evaluation what it predicts', async () => {
    const rows = topicTexts(40, 5);
    const predictions = await model.predictMany(rows.map(({ text }) => text));
    const right = predictions.filter(({ label }, i) => label === rows[i]!.label).length;
    expect((await loaded.evaluate(rows)).accuracy).toBeCloseTo(right / rows.length, 10);
  });
});

describe('a long text of unicode_words', () => {
  const text = "It's 3.50 €, İΣ ﬁne 你好世界。\n".repeat(3_000);
  const words = unicodeWords(text);

  it.each([1, 2, 7, 1_000, words.length - 1, words.length, words.length + 1])('is cut to its %i', (maxLength) => {
    const read = (truncate: 'head' | 'tail' | 'both') => {
      const settings = tokenSettings({ tokenizer: 'unicode_words', maxLength, truncate });
      return (modelTokenizer(settings) as (text: string) => string[])(text);
    };
    expect(read('head')).toEqual(words.slice(0, maxLength));
    expect(read('tail')).toEqual(words.slice(-maxLength));
    const [first, last] = [Math.ceil(maxLength / 2), Math.floor(maxLength / 2)];
    const both = maxLength >= words.length ? words : [...words.slice(0, first), ...words.slice(words.length - last)];
    expect(read('both')).toEqual(both);
  });

  it('is explained while the event loop goes round', async () => {
    let turns = 0;
    let ended = false;
    const count = () => {
      turns++;
      if (!ended) setImmediate(count);
    };
    setImmediate(count);
    const { own } = await readingOf(text.repeat(10), tokenSettings({ tokenizer: 'unicode_words', maxLength: 5 }));
    ended = true;
    expect(own).toHaveLength(10 * words.length);
    expect(turns).toBeGreaterThan(3);
  });
});

describe('words that mean something elsewhere', () => {
  const ODD = ['__proto__', 'constructor', 'hasOwnProperty', 'toString', 'valueOf', 'then'];
  const rows: LabelledText[] = Array.from({ length: 90 }, (_, i) => ({
    text: i % 2 ? `${ODD[(i >> 1) % ODD.length]} yes` : 'plain words <pad> <unk>',
    label: i % 2 ? '__proto__' : 'constructor',
  }));

  it('are words, and labels, like all others, from training to the loaded model', async () => {
    using model = await TextClassifier.train(rows, { ...SMALL, epochs: 10 });
    const path = join(folder, 'odd.safetensors');
    await model.save(path);
    using loaded = await TextClassifier.load(path);
    expect(loaded.labels).toEqual(['__proto__', 'constructor']);
    for (const word of ODD) expect(await loaded.predict(word)).toMatchObject({ tokens: 1, knownTokens: 1 });
    expect(await loaded.predict('isPrototypeOf')).toMatchObject({ tokens: 1, knownTokens: 0 });
    for (const each of [model, loaded]) {
      expect(await each.predict('constructor yes')).toMatchObject({ label: '__proto__', tokens: 2, knownTokens: 2 });
      expect(await each.predict('plain words')).toMatchObject({ label: 'constructor' });
    }
  });

  it('a typed special is an unknown word: never padding, never a second row of the vocabulary', async () => {
    using model = await TextClassifier.train(rows, SMALL);
    expect(model.vocab.itos.filter((word) => word === '<pad>' || word === '<unk>')).toEqual(['<unk>', '<pad>']);
    const [padding, unknown, nonsense] = await model.predictMany(['plain <pad>', 'plain <unk>', 'plain zyx']);
    expect(padding).toMatchObject({ tokens: 2, knownTokens: 1 });
    expect(distribution(padding!)).toEqual(distribution(nonsense!));
    expect(distribution(unknown!)).toEqual(distribution(nonsense!));
    await model.save(join(folder, 'specials'));
    const { tensors } = await light().readSafetensors(join(folder, 'specials'), 1 << 30);
    const { data } = tensors.find(({ name }) => name === 'embedding.weight')!;
    const row = (index: number) => [...new Float32Array(data.slice(index * 24, index * 24 + 24).buffer)];
    expect(row(1)).toEqual(new Array(6).fill(0));
    expect(row(0)).not.toEqual(new Array(6).fill(0));
  });

  it('minFreq 0, and a vocabulary too small for the specials, are refused', async () => {
    await expect(TextClassifier.train(rows, { minFreq: 0 })).rejects.toThrow(/from 1 .* for minFreq/);
    await expect(TextClassifier.train(rows, { maxTokens: 1 })).rejects.toThrow(/from 2 .* for maxTokens/);
  });

  it('a vocabulary of the specials alone still gives a model', async () => {
    using model = await TextClassifier.train(rows, { ...SMALL, maxTokens: 2 });
    expect(model.vocab.size).toBe(2);
    expect(await model.predict('plain words')).toMatchObject({ tokens: 2, knownTokens: 0 });
  });
});

describe('two models in one process', () => {
  it('each keep their tokenizer', async () => {
    const rows = topicTexts(60);
    const tokenizer = await HuggingFaceTokenizer.fromFile(description('unigram'));
    const [words, letters, pieces] = await Promise.all([
      TextClassifier.train(rows, SMALL),
      TextClassifier.train(rows, { ...SMALL, tokenizer: 'characters' }),
      TextClassifier.train(rows, { ...SMALL, tokenizer }),
    ]);
    const counts = async () => {
      const text = 'the cat';
      const all = await Promise.all([words, letters, pieces].map((model) => model!.predict(text)));
      return all.map(({ tokens }) => tokens);
    };
    expect(await counts()).toEqual([2, 7, tokenizer.tokenize('the cat').length]);
    expect(await counts()).toEqual([2, 7, tokenizer.tokenize('the cat').length]);
    letters.close();
    expect((await words.predict('the cat')).tokens).toBe(2);
    for (const model of [words, pieces]) model.close();
  });
});

describe('a model with a HuggingFace tokenizer', () => {
  it('answers many callers at once, long texts among them, and all of them before it closes', async () => {
    const tokenizer = await HuggingFaceTokenizer.fromFile(description('word_piece'));
    const model = await TextClassifier.train(topicTexts(60), { ...SMALL, tokenizer });
    const texts = topicTexts(150, 8).map(({ text }, i) => (i % 50 === 7 ? `${text} `.repeat(900) : text));
    const alone: Prediction[] = [];
    for (const text of texts) alone.push(await model.predict(text));
    const many = Promise.all([model.predictMany(texts), model.predictMany(texts.slice(0, 5)), model.predictMany([])]);
    const single = Promise.all(texts.map((text) => model.predict(text)));
    const aborted = model.predictMany(texts, { signal: AbortSignal.timeout(1) });
    aborted.catch(() => {});
    const closed = model.close();
    const seen = (predictions: Prediction[]) =>
      predictions.map(({ label, tokens, knownTokens }) => [label, tokens, knownTokens]);
    const [all, few, none] = await many;
    expect(seen(all)).toEqual(seen(alone));
    expect(seen(few)).toEqual(seen(alone.slice(0, 5)));
    expect(none).toEqual([]);
    expect(seen(await single)).toEqual(seen(alone));
    await aborted.then(
      (predictions) => expect(predictions).toHaveLength(150),
      (error) => expect(error).toMatchObject({ code: 'ABORTED' }),
    );
    await closed;
    await expect(model.predict('x')).rejects.toMatchObject({ code: 'DISPOSED' });
  });
});

describe('a vocabulary that a model file has no room for', () => {
  it('is refused before the training', () => {
    const vocab = Vocab.fromTokens(['<unk>', '<pad>', 'ä'.repeat(100), '"']);
    const check = (room: number) => [...checkVocabulary(vocab, room)];
    // JSON within JSON, as in the file's metadata.
    const written = Buffer.byteLength(JSON.stringify(JSON.stringify(vocab.itos)));
    expect(check(written)).toEqual([]);
    expect(() => check(written - 20)).toThrow(
      expect.objectContaining({
        name: 'DataError',
        code: 'OUT_OF_RANGE',
        message: expect.stringMatching(/4 tokens .*maxTokens/),
      }),
    );
  });
});

describe('model files', () => {
  const v1 = join(import.meta.dirname, '../fixtures/models/v1');

  it('of format version 1 open, and predict what was recorded when they were written', async () => {
    const recorded = JSON.parse(readFileSync(`${v1}.json`, 'utf8')) as (Prediction & { text: string })[];
    using model = await TextClassifier.load(`${v1}.safetensors`);
    for (const { text, tokens, knownTokens, classes } of recorded) {
      const prediction = await model.predict(text);
      expect([prediction.tokens, prediction.knownTokens]).toEqual([tokens, knownTokens]);
      expect(prediction.classes.map(({ label }) => label)).toEqual(classes.map(({ label }) => label));
      for (const [i, { probability }] of prediction.classes.entries()) {
        expect(probability).toBeCloseTo(classes[i]!.probability, 6);
      }
    }
  });

  it('with a tokenizer that does not fit are refused', async () => {
    const tokenizer = await HuggingFaceTokenizer.fromFile(description('word_level'));
    using model = await TextClassifier.train(topicTexts(30), { ...SMALL, tokenizer });
    const path = join(folder, 'pieces');
    await model.save(path);
    const { tensors, metadata } = await light().readSafetensors(path, 1 << 30);
    const { sha256, 'tokenizer.json': json, ...rest } = metadata;
    expect(json).toBe(tokenizer.serialize());
    const written = JSON.parse(rest.model!) as Record<string, unknown>;
    const refusal = async (change: Record<string, unknown>, description?: string) => {
      const file = join(folder, 'changed');
      const model = JSON.stringify({ ...written, ...change });
      const described = description === undefined ? undefined : { 'tokenizer.json': description };
      await light().writeSafetensors(file, tensors, { ...rest, model, ...described });
      return TextClassifier.load(file).then(
        () => 'loaded',
        (error: Error & { code: string }) => `${error.name} ${error.code} ${error.message}`,
      );
    };
    expect(await refusal({}, json)).toBe('loaded');
    expect(await refusal({})).toMatch(/ModelFileError INVALID_FILE .*changed: it has no tokenizer\.json/);
    expect(await refusal({}, '{}')).toMatch(/ModelFileError INVALID_FILE .*changed: not a usable tokenizer\.json/);
    expect(await refusal({ tokenizer: 'spacy' })).toMatch(/INVALID_FILE .*unknown tokenizer "spacy"/);
    expect(await refusal({ tokenizer: 'characters', ngrams: 9 })).toMatch(/INVALID_FILE .*changed: .*ngrams/);
    expect(await refusal({ tokenizer: 'characters', truncate: {} })).toMatch(/INVALID_FILE .*changed: .*truncate/);
    expect(await refusal({ tokenizer: 'characters', maxLength: 'many' })).toMatch(/INVALID_FILE .*maxLength/);
  });
});
