import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  basicEnglish,
  ngramsIterator,
  TextClassifier,
  type TextOptions,
  type TokenizerLike,
  unicodeWords,
} from '../../src/index.js';
import { modelTokenizer } from '../../src/text/reading.js';
import { temporaryFolder } from '../support/folder.js';
import { SMALL, topicTexts } from '../support/texts.js';

const folder = temporaryFolder();

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
