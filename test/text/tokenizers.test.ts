import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { basicEnglish, characters, getTokenizer, unicodeWords } from '../../src/text/index.js';
import { firstWords, lastWords } from '../../src/text/unicodeWords.js';

describe('getTokenizer', () => {
  it('knows tokenizers by name, and takes functions and objects', () => {
    expect(getTokenizer()).toBe(basicEnglish);
    expect(getTokenizer('unicode_words')).toBe(unicodeWords);
    expect(getTokenizer('characters')).toBe(characters);
    const own = (text: string) => text.split('|');
    expect(getTokenizer(own)).toBe(own);
    expect(getTokenizer({ tokenize: own, tokenizeMany: async (texts) => texts.map(own) })('a|b')).toEqual(['a', 'b']);
  });

  it.each(['spacy', 'constructor', '__proto__', null, 5, {}, { tokenize: () => [] }])('refuses %j', (tokenizer) => {
    expect(() => getTokenizer(tokenizer as never)).toThrow(
      /Expected one of 'basic_english', 'unicode_words', 'characters', a HuggingFaceTokenizer, or a function/,
    );
  });
});

describe('characters', () => {
  it('gives code points as they are written', () => {
    expect(characters('Noël 🙂\n')).toEqual(['N', 'o', 'ë', 'l', ' ', '🙂', '\n']);
    expect(characters('e\u0301👨‍👩‍👧')).toEqual(['e', '\u0301', '👨', '\u200d', '👩', '\u200d', '👧']);
    expect(characters('\ud800a\u0000')).toEqual(['\ud800', 'a', '\0']);
    expect(characters('')).toEqual([]);
    expect(() => characters(5 as never)).toThrow(/a string for text/);
  });
});

/** Words as `Intl.Segmenter` alone finds them. */
function segmented(text: string): string[] {
  const segmenter = new Intl.Segmenter('und', { granularity: 'word' });
  const chunks = text.normalize('NFKC').toLowerCase().split(/\s+/u).filter(Boolean);
  return chunks.flatMap((chunk) => Array.from(segmenter.segment(chunk), ({ segment }) => segment));
}

describe('unicodeWords', () => {
  it.each([
    ["It's 3.50 €, Ａnna!", ["it's", '3.50', '€', ',', 'anna', '!']],
    ['1,000 a,b a.b 1.2.3 x:y', ['1,000', 'a', ',', 'b', 'a.b', '1.2.3', ...segmented('x:y')]],
    ['snake_case  and\ttabs\n', ['snake_case', 'and', 'tabs']],
    ['Straße, naïve — „café“', ['straße', ',', 'naïve', '—', '„', 'café', '“']],
    ['Привет, мир!', ['привет', ',', 'мир', '!']],
    ['你好世界', ['你好', '世界']],
    ['今日は良い天気', ['今日', 'は', '良い', '天気']],
    ['สวัสดีชาวโลก', ['สวัสดี', 'ชาว', 'โลก']],
    ['שלום עולם', ['שלום', 'עולם']],
    ['ok 👨‍👩‍👧🇩🇪!', ['ok', '👨‍👩‍👧', '🇩🇪', '!']],
    [' \u3000\n', []],
    ['', []],
  ])('splits %j', (text, words) => {
    expect(unicodeWords(text)).toEqual(words);
  });

  it('gives one token for one word, however it is written', () => {
    expect(unicodeWords('NAI\u0308VE ﬁne ｆｕｌｌ')).toEqual(unicodeWords('na\u00efve fine full'));
  });

  it('agrees with Intl.Segmenter on any text', () => {
    const unit = fc.oneof(
      fc.constantFrom(..."ab1_2'.,:;!-’‘“…·äßжα\u0301\u00ad \u200d\ud800"),
      fc.integer({ min: 0x21, max: 0x20c5 }).map((code) => String.fromCharCode(code)),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    );
    const text = fc.string({ unit, maxLength: 14 });
    fc.assert(
      fc.property(text, (each) => {
        expect(unicodeWords(each)).toEqual(segmented(each));
      }),
      { numRuns: 5_000 },
    );
  });

  it('agrees with it on long texts without blanks, which it reads piece by piece', () => {
    const japanese = '今日は良い天気ですね。明日も東京で会議があります、'.repeat(60);
    expect(unicodeWords(japanese)).toEqual(segmented(japanese));
    const emoji = 'é🙂x'.repeat(1_000);
    expect(unicodeWords(emoji)).toEqual(segmented(emoji));
  });

  it('loses nothing of a word that has no end', () => {
    for (const long of [
      'a'.repeat(3_000),
      '日'.repeat(3_000),
      `e${'\u0301'.repeat(3_000)}`,
      '🙂\u200d'.repeat(1_000),
    ]) {
      const words = unicodeWords(`x ${long} y`);
      expect(words.slice(1, -1).join('')).toBe(long.normalize('NFKC'));
      expect([words[0], words.at(-1)]).toEqual(['x', 'y']);
    }
  });

  it('agrees with it on books, and cuts what has no blank for thousands of characters where a sentence ends', () => {
    const book = "It's 3.50 €,\tİΣ ﬁne 你好世界。今日は\u3000良い\n".repeat(2_000);
    expect(unicodeWords(book)).toEqual(segmented(book));
    const paragraph = '今日は良い天気ですね。明日も東京で会議があります、'.repeat(600);
    expect(unicodeWords(paragraph)).toEqual(segmented(paragraph));
  });

  it('gives the same first and last words without splitting the rest', () => {
    const run = fc
      .tuple(
        fc.constantFrom(
          ' ',
          '\t',
          '\u3000',
          'a',
          'Σ',
          'e\u0301',
          '\u0301',
          '🙂',
          '日本',
          '。',
          '!',
          '1,',
          "'",
          'ﬁ',
          '\ud800',
        ),
        fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1_000, max: 9_000 })),
      )
      .map(([unit, times]) => unit.repeat(times));
    fc.assert(
      fc.property(fc.array(run, { maxLength: 6 }), fc.integer({ min: 1, max: 9_000 }), (runs, enough) => {
        const text = runs.join('');
        const words = unicodeWords(text);
        const [first, last] = [firstWords(text, enough), lastWords(text, enough)];
        expect(first).toEqual(words.slice(0, first.length));
        expect(last).toEqual(words.slice(words.length - last.length));
        expect(Math.min(first.length, last.length)).toBeGreaterThanOrEqual(Math.min(enough, words.length));
      }),
      { numRuns: 300 },
    );
  });

  it('reads no more of a long text for its last words than it needs', () => {
    const normalize = vi.spyOn(String.prototype, 'normalize');
    const read = () => normalize.mock.contexts.reduce<number>((sum, text) => sum + String(text).length, 0);
    for (const text of ['Ein Satz, und noch einer. '.repeat(40_000), '日本語'.repeat(300_000), 'a'.repeat(1_000_000)]) {
      normalize.mockClear();
      lastWords(text, 1);
      expect(read()).toBeLessThan(10_000);
      normalize.mockClear();
      firstWords(text, 1);
      expect(read()).toBeLessThan(10_000);
    }
    normalize.mockRestore();
  });

  it('refuses what is no text', () => {
    for (const words of [unicodeWords, (text: string) => firstWords(text, 1), (text: string) => lastWords(text, 1)]) {
      expect(() => words(undefined as never)).toThrow(/a string for text/);
    }
  });
});
