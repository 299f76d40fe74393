import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  basicEnglish,
  HuggingFaceTokenizer,
  type LabelledText,
  ngramsIterator,
  type Prediction,
  TextClassifier,
  type TextOptions,
  type TokenizerLike,
  unicodeWords,
  Vocab,
} from '../../src/index.js';
import { checkVocabulary } from '../../src/models/vocabularyRoom.js';
import { light } from '../../src/native/light.js';
import { tokenSettings } from '../../src/text/options.js';
import { modelTokenizer, readingOf } from '../../src/text/reading.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const SMALL = {
  linear: false,
  embeddingDim: 6,
  hiddenSize: 5,
  batchSize: 16,
  epochs: 1,
  lr: 1e-2,
  seed: 3,
  threads: 1,
} as const;
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

describe('how a text becomes tokens', () => {
  const DEFAULTS = { tokenizer: 'basic_english', ngrams: 1, maxLength: 1_000, truncate: 'head' } as const;
  const split = (text: string, options: Partial<TextOptions>) => {
    const tokenizer = modelTokenizer({ ...DEFAULTS, ...options } as never);
    return typeof tokenizer === 'function' ? tokenizer(text) : tokenizer.tokenize(text);
  };

  it('keeps the head, the tail, or half of each', () => {
    expect(split('a b c d e', { maxLength: 3 })).toEqual(['a', 'b', 'c']);
    expect(split('a b c d e', { maxLength: 3, truncate: 'tail' })).toEqual(['c', 'd', 'e']);
    expect(split('a b c d e', { maxLength: 3, truncate: 'both' })).toEqual(['a', 'b', 'e']);
    expect(split('a b c d e', { maxLength: 4, truncate: 'both' })).toEqual(['a', 'b', 'd', 'e']);
    expect(split('a b c d e', { maxLength: 1, truncate: 'both' })).toEqual(['a']);
    for (const truncate of ['head', 'tail', 'both'] as const) {
      expect(split('a b c', { maxLength: 3, truncate })).toEqual(['a', 'b', 'c']);
    }
  });

  it("adds n-grams of what is left, in torchtext's order, none of them across a gap", () => {
    expect(split('a b c', { ngrams: 3 })).toEqual(['a', 'b', 'c', 'a b', 'b c', 'a b c']);
    expect(split('a b c d', { ngrams: 2, maxLength: 2 })).toEqual(['a', 'b', 'a b']);
    expect(split('a b c d e f', { ngrams: 3, maxLength: 4, truncate: 'both' })).toEqual(
      'a b e f'.split(' ').concat(['a b', 'e f']),
    );
  });

  it('equals the plain definitions on any text', () => {
    const unit = fc.oneof(
      fc.constantFrom('a', 'b', ' ', '.', '🙂', '\ud83d', '\ude42'),
      fc.string({ unit: 'binary', maxLength: 1 }),
    );
    const settings = fc.record({
      ngrams: fc.constantFrom(1, 2, 3),
      maxLength: fc.integer({ min: 1, max: 9 }),
      truncate: fc.constantFrom('head', 'tail', 'both'),
      tokenizer: fc.constantFrom('basic_english', 'unicode_words', 'characters'),
    });
    const plain = { basic_english: basicEnglish, unicode_words: unicodeWords, characters: (text: string) => [...text] };
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 80 }), settings, (text, options) => {
        const { ngrams, maxLength, truncate, tokenizer } = options;
        const all = plain[tokenizer as keyof typeof plain](text);
        const half = Math.ceil(maxLength / 2);
        const whole = all.length <= maxLength;
        const parts =
          whole || truncate === 'head'
            ? [all.slice(0, maxLength)]
            : truncate === 'tail'
              ? [all.slice(-maxLength)]
              : [all.slice(0, half), all.slice(all.length - (maxLength - half))];
        const expected = Array.from({ length: ngrams }, (_, n) =>
          parts.flatMap((part) =>
            [...ngramsIterator(part, n + 1)].slice(n === 0 ? 0 : [...ngramsIterator(part, n)].length),
          ),
        ).flat();
        expect(split(text, options as never)).toEqual(expected);
      }),
      { numRuns: 1_000 },
    );
  });

  it('reads of a book only what it keeps, and that as always', () => {
    const book = `今日は良い天気ですね。it's fine 🙂👍 ${'明日も東京で会議があります、'.repeat(300)}`;
    for (const maxLength of [1, 7, 20, 600, 10_000]) {
      expect(split(book, { tokenizer: 'unicode_words', maxLength })).toEqual(unicodeWords(book).slice(0, maxLength));
    }
  });

  it('does not change what a function of the caller returned', () => {
    const kept = ['<pad>', 'a', 'b'];
    expect(split('', { tokenizer: () => kept, ngrams: 2 })).toEqual(['<unk>', 'a', 'b', '<unk> a', 'a b']);
    expect(kept).toEqual(['<pad>', 'a', 'b']);
  });

  it.each<[object, RegExp]>([
    [
      { tokenizer: 'spacy' },
      /'characters', a HuggingFaceTokenizer, or a function .* for tokenizer but received string "spacy"/,
    ],
    [{ tokenizer: { huggingFace: 'x' } }, /HuggingFaceTokenizer/],
    [{ ngrams: 0 }, /from 1 to 3 for ngrams/],
    [{ ngrams: 4 }, /from 1 to 3 for ngrams/],
    [{ truncate: 'middle' }, /one of 'head', 'tail', 'both' for truncate/],
    [{ maxLength: 0 }, /for maxLength/],
  ])('refuses %o', async (options, message) => {
    await expect(TextClassifier.train(topicTexts(9), options)).rejects.toThrow(message);
  });

  it('names a function that gives no tokens, in training and in prediction', async () => {
    const wrong = (() => 'a b') as never;
    await expect(TextClassifier.train(topicTexts(9), { tokenizer: wrong })).rejects.toThrow(
      /array of strings for the tokenizer's result/,
    );
    let result: unknown = ['a'];
    using model = await TextClassifier.train(topicTexts(9), { ...SMALL, tokenizer: () => result as string[] });
    result = 'abc';
    await expect(model.predict('x')).rejects.toThrow(/array of strings for the tokenizer's result/);
  });
});

describe('tokenizers of the caller', () => {
  it('are asked for again, also those that split many texts', async () => {
    const tokenizer = {
      tokenize: (text: string) => text.split('|'),
      tokenizeMany: async (texts: readonly string[]) => texts.map((text) => text.split('|')),
    } satisfies TokenizerLike;
    using model = await TextClassifier.train(topicTexts(30), { ...SMALL, tokenizer });
    const path = join(folder, 'own');
    await model.save(path);
    await expect(TextClassifier.load(path)).rejects.toThrow(/own was trained with a custom tokenizer function/);
    await expect(TextClassifier.load(path, { tokenizer: 'characters' as never })).rejects.toThrow(
      /a function from text to tokens/,
    );
    using loaded = await TextClassifier.load(path, { tokenizer });
    expect(await loaded.predict('a|b')).toEqual(await model.predict('a|b'));
    expect((await loaded.predict('a|b')).tokens).toBe(2);
  });

  it('end a call with an error if they fail, and the model goes on', async () => {
    let lists: (() => unknown) | undefined;
    const tokenizer = {
      tokenize: (text: string) => text.split(' '),
      tokenizeMany: async (texts: readonly string[]) =>
        (lists ? lists() : texts.map((text) => text.split(' '))) as string[][],
    };
    using model = await TextClassifier.train(topicTexts(30), { ...SMALL, tokenizer });
    const texts = topicTexts(200, 4).map(({ text }) => text);
    const right = await model.predictMany(texts);
    expect(right).toHaveLength(200);
    lists = () => [['a']];
    await expect(model.predictMany(texts)).rejects.toThrow(/64 lists of tokens.* for the result of tokenizeMany/);
    lists = () => Promise.reject(new RangeError('mine'));
    await expect(model.predictMany(texts)).rejects.toThrow(new RangeError('mine'));
    lists = () => new Array(64).fill('a');
    await expect(model.predictMany(texts)).rejects.toThrow(/array of strings for the tokenizer's result/);
    lists = undefined;
    expect(await model.predictMany(texts)).toEqual(right);
  });

  it('are refused for a model that has its own', async () => {
    using model = await TextClassifier.train(topicTexts(30), SMALL);
    const path = join(folder, 'named');
    await model.save(path);
    await expect(TextClassifier.load(path, { tokenizer: (text) => [text] })).rejects.toThrow(
      /already contains its tokenizer/,
    );
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
