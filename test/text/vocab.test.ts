import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect } from '../../src/data/index.js';
import {
  basicEnglish,
  buildVocabFromIterator,
  ngramsIterator,
  Vocab,
  VocabBuilder,
  vocabFromCounter,
} from '../../src/text/index.js';

const TEXTS = ['b a c a', 'a b', 'd'].map((text) => text.split(' '));

describe('buildVocabFromIterator', () => {
  it('puts specials first, then words by falling frequency, ties by code point', () => {
    const vocab = buildVocabFromIterator(TEXTS);
    expect(vocab.itos).toEqual(['<unk>', '<pad>', 'a', 'b', 'c', 'd']);
    expect(vocab.size).toBe(6);
    expect(vocab).toHaveLength(6);
    expect(vocab.defaultIndex).toBe(0);
    expect(vocab.padIndex).toBe(1);
  });

  it('sorts ties by code points, not by UTF-16 code units', () => {
    const vocab = buildVocabFromIterator([['🙂', 'ﬁ', 'z', '日']], { specials: [] });
    expect(vocab.itos).toEqual(['z', '日', 'ﬁ', '🙂']);
  });

  it('leaves out what minFreq and maxTokens say, the specials counting as torchtext has it', () => {
    expect(buildVocabFromIterator(TEXTS, { minFreq: 2 }).itos).toEqual(['<unk>', '<pad>', 'a', 'b']);
    expect(buildVocabFromIterator(TEXTS, { maxTokens: 3 }).itos).toEqual(['<unk>', '<pad>', 'a']);
    expect(buildVocabFromIterator(TEXTS, { maxTokens: 2 }).itos).toEqual(['<unk>', '<pad>']);
  });

  it('puts specials last on demand', () => {
    const vocab = buildVocabFromIterator(TEXTS, { specialFirst: false, specials: ['<unk>'] });
    expect(vocab.itos).toEqual(['a', 'b', 'c', 'd', '<unk>']);
    expect(vocab.get('nowhere')).toBe(4);
    expect(vocab.padIndex).toBeUndefined();
  });

  it('gives a word that equals a special no second place', () => {
    const vocab = buildVocabFromIterator([['<pad>', '<pad>', '<unk>', 'x']]);
    expect(vocab.itos).toEqual(['<unk>', '<pad>', 'x']);
    expect(vocab.get('<pad>')).toBe(1);
  });

  it('takes words that objects know otherwise', () => {
    const words = ['__proto__', 'constructor', 'hasOwnProperty', 'toString', ''];
    const vocab = buildVocabFromIterator([words, ['__proto__']]);
    expect(vocab.itos[2]).toBe('__proto__');
    expect(vocab.size).toBe(7);
    for (const word of words) expect(vocab.lookupToken(vocab.get(word))).toBe(word);
    expect(vocab.get('valueOf')).toBe(0);
  });

  it('builds n-grams', () => {
    const vocab = buildVocabFromIterator([ngramsIterator(basicEnglish('to be or not to be'), 2)], { minFreq: 2 });
    expect(vocab.itos).toEqual(['<unk>', '<pad>', 'be', 'to', 'to be']);
  });

  it.each([
    [{ minFreq: 0 }, /minFreq but received number 0/],
    [{ minFreq: 1.5 }, /minFreq/],
    [{ minFreq: Number.NaN }, /minFreq/],
    [{ maxTokens: 1 }, /at least 2.*maxTokens/],
    [{ specials: ['<unk>', '<unk>'] }, /"<unk>" appears twice/],
    [{ specials: '<unk>' as unknown as string[] }, /array of strings for specials/],
    [{ specialFirst: 1 as unknown as boolean }, /true or false for specialFirst/],
    [{ unkToken: '[UNK]' }, /one of the specials or null for unkToken/],
    [{ minfreq: 2 } as object, /Unknown option "minfreq".*minFreq/],
  ])('refuses %o', (options, message) => {
    expect(() => buildVocabFromIterator(TEXTS, options)).toThrow(message);
  });

  it('refuses a text where tokens are expected', () => {
    expect(() => buildVocabFromIterator(['a b'])).toThrow(/lists of tokens.*string "a b"/);
    expect(() => buildVocabFromIterator([[1 as unknown as string]])).toThrow(
      /a string for token but received number 1/,
    );
  });

  it('equals a plain sort on any words', () => {
    const word = fc.oneof(
      fc.constantFrom('a', 'b', '<unk>', '🙂', 'ﬁ', '\ud800', '\udc00x'),
      fc.string({ unit: 'binary', maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 60 }), (words) => {
        const counts = new Map<string, number>();
        for (const w of words) counts.set(w, (counts.get(w) ?? 0) + 1);
        const points = (w: string) => Array.from(w, (c) => c.codePointAt(0)!);
        const before = (a: number[], b: number[]): number => {
          const i = a.findIndex((point, at) => point !== b[at]);
          return i < 0 ? a.length - b.length : i >= b.length ? 1 : a[i]! - b[i]!;
        };
        counts.delete('<unk>');
        const sorted = [...counts.keys()].sort(
          (a, b) => counts.get(b)! - counts.get(a)! || before(points(a), points(b)),
        );
        expect(buildVocabFromIterator([words], { specials: ['<unk>'] }).itos).toEqual(['<unk>', ...sorted]);
      }),
      { numRuns: 500 },
    );
  });

  it('sorts many words', () => {
    const words = Array.from({ length: 20_000 }, (_, i) => `w${(i * 7919) % 20_000}`);
    const vocab = buildVocabFromIterator([words, words.slice(0, 5000)]);
    const often = words.slice(0, 5000).sort();
    const rare = words.slice(5000).sort();
    expect(vocab.itos.slice(2)).toEqual([...often, ...rare]);
  });
});

describe('vocabFromCounter and VocabBuilder', () => {
  it('takes counts', () => {
    const counter = new Map([
      ['x', 2],
      ['y', 5],
      ['z', 0],
    ]);
    expect(vocabFromCounter(counter).itos).toEqual(['<unk>', '<pad>', 'y', 'x']);
    expect(() => vocabFromCounter([['x', -1]])).toThrow(/non-negative integer for count of "x"/);
  });

  it('counts bit by bit and can go on after building', () => {
    const builder = new VocabBuilder().add(['a', 'b', 'b']);
    expect([...builder.counts()]).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
    const first = builder.build();
    builder.add(['a', 'a']).addToken('c', 9);
    expect(builder.build().itos).toEqual(['<unk>', '<pad>', 'c', 'a', 'b']);
    expect(first.itos).toEqual(['<unk>', '<pad>', 'b', 'a']);
    expect(builder.size).toBe(3);
  });
});

describe('Vocab', () => {
  const vocab = buildVocabFromIterator(TEXTS);

  it('encodes and decodes', () => {
    const ids = vocab.encode(['a', 'nowhere', 'd']);
    expect(ids).toEqual(Int32Array.of(2, 0, 5));
    expect(vocab.decode(ids)).toEqual(['a', '<unk>', 'd']);
    expect(vocab.decode(BigInt64Array.of(2n, 1n))).toEqual(['a', '<pad>']);
    expect(vocab.encode([])).toEqual(new Int32Array(0));
    expect(vocab.lookupIndices(['b'])).toEqual([3]);
    expect(vocab.lookupTokens([3])).toEqual(['b']);
    expect(vocab.has('a')).toBe(true);
    expect(vocab.has('nowhere')).toBe(false);
    expect(vocab.stoi.get('a')).toBe(2);
  });

  it.each([-1, 6, 1.5, Number.NaN])('has no token %d', (index) => {
    expect(() => vocab.lookupToken(index)).toThrow(/an integer from 0 to 5 for index/);
    expect(() => vocab.decode([index])).toThrow(expect.objectContaining({ code: 'OUT_OF_RANGE' }));
  });

  it('refuses an unknown token where none stands for it', () => {
    const strict = buildVocabFromIterator(TEXTS, { specials: [] });
    expect(() => strict.get('nowhere')).toThrow(/"nowhere" is not in the vocabulary/);
    expect(() => strict.encode(['a', 'nowhere'])).toThrow(expect.objectContaining({ code: 'OUT_OF_RANGE' }));
  });

  it('comes back from JSON as it was', () => {
    const odd = buildVocabFromIterator([['__proto__', '\ud800', '🙂', '"']], {
      specials: ['[PAD]', '[CLS]', '[UNK]'],
      unkToken: '[UNK]',
      padToken: '[PAD]',
    });
    for (const each of [vocab, odd]) {
      const back = Vocab.fromJSON(JSON.parse(JSON.stringify(each)));
      expect(back.itos).toEqual(each.itos);
      expect(back.specials).toEqual(each.specials);
      expect([back.defaultIndex, back.padIndex]).toEqual([each.defaultIndex, each.padIndex]);
    }
    expect(odd.specials).toEqual(['[PAD]', '[CLS]', '[UNK]']);
    expect(odd.get('nowhere')).toBe(2);
  });

  it.each([
    null,
    5,
    [],
    {},
    { tokens: 'abc' },
    { tokens: ['a', 'a'] },
    { tokens: ['a', 1] },
    { tokens: ['a'], unkToken: 'b' },
    { tokens: ['a'], unkToken: 5 },
    { tokens: ['a'], specials: ['b'] },
    { tokens: ['a'], specials: [1] },
  ])('refuses %j as JSON', (json) => {
    expect(() => Vocab.fromJSON(json)).toThrow(expect.objectContaining({ name: 'DataError', code: 'INVALID_FILE' }));
  });

  it('is made of a list', () => {
    const list = Vocab.fromTokens(['<pad>', '<unk>', 'x']);
    expect([list.padIndex, list.defaultIndex]).toEqual([0, 1]);
    expect(list.specials).toEqual(['<unk>', '<pad>']);
    expect(Vocab.fromTokens(['<unk>'], { unkToken: null }).defaultIndex).toBeUndefined();
    expect(() => Vocab.fromTokens(['a', 'b', 'a'])).toThrow(/"a" stands at 0 and at 2/);
    expect(() => Vocab.fromTokens('abc')).toThrow(/an iterable of strings/);
  });
});

describe('ngramsIterator', () => {
  it('gives the tokens, then pairs, then threes', () => {
    expect([...ngramsIterator(['here', 'we', 'are'], 2)]).toEqual(['here', 'we', 'are', 'here we', 'we are']);
    expect([...ngramsIterator(['a', 'b', 'c'], 3)]).toEqual(['a', 'b', 'c', 'a b', 'b c', 'a b c']);
    expect([...ngramsIterator(['a'], 5)]).toEqual(['a']);
    expect([...ngramsIterator([], 2)]).toEqual([]);
  });

  it('refuses no n-gram', () => {
    expect(() => ngramsIterator(['a'], 0)).toThrow(/at least 1 for ngrams but received number 0/);
  });
});

describe('a vocabulary that collect counted', () => {
  it('answers as one that JavaScript built, however much is looked up', async () => {
    const texts = Array.from({ length: 300 }, (_, i) => `w${i} w${i % 50} 🙂\ud800 <pad>`);
    const expected = buildVocabFromIterator(texts.map(basicEnglish), { minFreq: 2 });
    const counted = () =>
      collect(
        texts.map((text) => ({ text, label: 'x' })),
        { minFreq: 2 },
      );
    const asked = [...expected.itos, 'nothing', '', '\ud800'];
    const { vocab } = await counted();
    expect(vocab.toJSON()).toEqual(expected.toJSON());
    for (let round = 0; round < 3; round++) {
      for (const token of asked) {
        expect(vocab.get(token)).toBe(expected.get(token));
        expect(vocab.has(token)).toBe(expected.has(token));
      }
      expect(vocab.encode(asked)).toEqual(expected.encode(asked));
      expect(vocab.has(5 as never)).toBe(false);
    }
    const { vocab: other } = await counted();
    for (let round = 0; round < 3; round++) expect(other.encode(asked)).toEqual(expected.encode(asked));
    expect(other.lookupToken(3)).toBe(expected.lookupToken(3));
    expect([...other.stoi]).toEqual([...expected.stoi]);
    expect(vocab.toJSON()).toEqual(expected.toJSON());
  });
});
