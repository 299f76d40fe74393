import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Turns } from '../../src/core/turns.js';
import { collect, encodeDataset, type LabelledText } from '../../src/data/index.js';
import { recounted } from '../../src/text/counting.js';
import { TextReader } from '../../src/text/reader.js';
import { modelTokenizer } from '../../src/text/reading.js';
import { anyText } from '../support/anyText.js';
import { referenceTokens } from '../support/reference/reading.js';
import { topicTexts } from '../support/texts.js';

const settings = fc.record({
  tokenizer: fc.constantFrom('basic_english' as const, 'characters' as const),
  ngrams: fc.constantFrom(1 as const, 2 as const, 3 as const),
  maxLength: fc.constantFrom(1, 4, 1_000),
  truncate: fc.constantFrom('head' as const, 'tail' as const, 'both' as const),
});
const vocabulary = fc.record({
  minFreq: fc.integer({ min: 1, max: 3 }),
  maxTokens: fc.constantFrom(4, 9, Number.POSITIVE_INFINITY),
  specialFirst: fc.boolean(),
  specials: fc.constantFrom(['<unk>', '<pad>'], ['<pad>', '<unk>', 'a', '\ud800']),
});
const rows = fc.array(fc.record({ text: anyText, label: fc.constantFrom('x', 'y', 'Ω') }), { maxLength: 12 });

describe('a training reads texts by the addon as JavaScript would', () => {
  it('with the same vocabulary and the same ids, which are those that a prediction reads', async () => {
    await fc.assert(
      fc.asyncProperty(rows, settings, vocabulary, async (rows, settings, options) => {
        const reader = modelTokenizer(settings);
        const tokenizer = (text: string) => referenceTokens(text, settings);
        const expected = await collect(rows, { ...options, tokenizer });
        const actual = await collect(rows, { ...options, tokenizer: reader });
        expect(actual.vocab.toJSON()).toEqual(expected.vocab.toJSON());
        expect(actual.vocab.itos).toEqual(expected.vocab.itos);
        expect(actual.dataset).toEqual(expected.dataset);
        expect(actual.emptyTexts).toBe(expected.emptyTexts);
        const { vocab } = actual;
        expect(await encodeDataset(rows, { vocab, tokenizer: reader })).toEqual(expected.dataset);
        expect(await encodeDataset(rows, { vocab, tokenizer })).toEqual(expected.dataset);
      }),
      { numRuns: 600 },
    );
  });

  it('with the same vocabulary of a part of the texts', async () => {
    await fc.assert(
      fc.asyncProperty(rows, rows, vocabulary, async (part, others, options) => {
        const split = { ...options, tokenizer: 'basic_english' as const };
        const all = await collect([...part, ...others], { specials: options.specials });
        const ids = await encodeDataset(part, { vocab: all.vocab });
        const counts = new Uint32Array(all.vocab.size);
        for (const id of ids.tokens) counts[id]!++;
        // An empty text counts as an unknown token, which is a special.
        const expected = await collect(part, split);
        const listed = await collect([...part, ...others], { ...split, minFreq: 1, maxTokens: 1e6, tokenizer: plain });
        for (const { vocab } of [all, listed]) {
          const moved = Uint32Array.from(vocab.itos, (token) => counts[all.vocab.get(token)]!);
          const { vocab: smaller, indices } = await recounted(vocab, moved, options, new Turns());
          expect(smaller.toJSON()).toEqual(expected.vocab.toJSON());
          for (const [id, token] of vocab.itos.entries()) {
            expect(indices[id]).toBe(smaller.has(token) ? smaller.get(token) : -1);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('where the vocabulary has no token for unknown ones', async () => {
    const some = [{ text: 'A cat.', label: 'x' }];
    const { vocab, dataset } = await collect(some, { specials: [] });
    expect(vocab.itos).toEqual(['.', 'a', 'cat']);
    expect([...dataset.tokens]).toEqual([1, 2, 0]);
    expect((await encodeDataset(some, { vocab })).tokens).toEqual(dataset.tokens);
    await expect(encodeDataset([{ text: 'a dog', label: 'x' }], { vocab })).rejects.toMatchObject({
      code: 'OUT_OF_RANGE',
      message: expect.stringContaining('"dog" is not in the vocabulary'),
    });
    await expect(collect([...some, { text: ' ', label: 'x' }], { specials: [] })).rejects.toThrow(
      /^row 2: the text has/,
    );
  });
});

describe('many rows', () => {
  const many = topicTexts(5_000);

  it('keep their order, whatever the size of the calls', async () => {
    const long = many.map(({ text, label }, i) => ({ text: i % 97 === 0 ? `${text} `.repeat(1_000) : text, label }));
    const tokenizer = (text: string) => referenceTokens(text, { ...PLAIN, maxLength: 1e9 });
    expect((await collect(long)).dataset).toEqual((await collect(long, { tokenizer })).dataset);
  });

  it('are refused at the first row that is wrong, also where the source fails behind it', async () => {
    function* failing(label: unknown): Generator<LabelledText> {
      for (const [i, row] of many.entries()) {
        if (i === 3_000) throw new RangeError('the source ended');
        yield i === 1_500 ? { ...row, label: label as string } : row;
      }
    }
    await expect(collect(failing(null))).rejects.toMatchObject({
      code: 'INVALID_ROW',
      message: expect.stringMatching(/^row 1501: /),
    });
    await expect(collect(failing('animal'))).rejects.toThrow(new RangeError('the source ended'));
    const text = many.map((row, i) => (i === 1_200 ? { ...row, text: 5 as never } : row));
    await expect(collect(text)).rejects.toMatchObject({
      code: 'INVALID_ROW',
      message: expect.stringMatching(/^row 1201: /),
    });
    const both = text.map((row, i) => (i === 1_100 ? { ...row, label: null as never } : row));
    await expect(collect(both)).rejects.toMatchObject({
      code: 'INVALID_ROW',
      message: expect.stringMatching(/^row 1101: /),
    });
  });

  it('leave the event loop its turns, and tell how far they are', async () => {
    let turns = 0;
    let ended = false;
    const count = () => {
      turns++;
      if (!ended) setImmediate(count);
    };
    setImmediate(count);
    const reports: number[] = [];
    const rows = Array.from({ length: 20 }, () => many).flat();
    await collect(rows, { onProgress: ({ rows }) => reports.push(rows) });
    ended = true;
    expect(turns).toBeGreaterThan(20);
    expect(reports.length).toBeGreaterThan(3);
    expect(reports).toEqual(reports.toSorted((a, b) => a - b));
    expect(reports.at(-1)).toBe(rows.length);
  });

  it('that come slowly are told of as they come', async () => {
    const reports: number[] = [];
    async function* slowly(): AsyncGenerator<LabelledText> {
      for (const row of many.slice(0, 4)) {
        await new Promise((resolve) => setTimeout(resolve, 15));
        yield row;
      }
    }
    await collect(slowly(), { onProgress: ({ rows }) => reports.push(rows) });
    expect(new Set(reports).size).toBeGreaterThan(2);
    expect(reports.at(-1)).toBe(4);
  });
});

const PLAIN = { tokenizer: 'basic_english', ngrams: 1, maxLength: 1_000, truncate: 'head' } as const;
const plain = (text: string) => TextReader.plain('basic_english').tokenize(text);
