import { describe, expect, it } from 'vitest';
import { TextReader } from '../../src/text/reader.js';

describe('TextReader.tokenizeMany', () => {
  const long = Array.from({ length: 30_000 }, (_, i) => `Word${(i * 7919) % 5_000}, it's`).join(' ');
  const texts = ['a short one', '', long, ' ', 'caf\u00e9 \u4e2d\u6587 <unk> <pad> a'];

  it.each([
    ['as the tokenizer gives them', TextReader.plain('basic_english')],
    ['of characters', TextReader.plain('characters')],
    [
      'as a model reads them',
      new TextReader({ tokenizer: 'basic_english', ngrams: 2, maxLength: 500, truncate: 'both', masksPadding: true }),
    ],
  ])('gives the same tokens as one text at a time, also where it works in the background: %s', async (_, reader) => {
    const expected = texts.map((text) => reader.tokenize(text));
    expect(await reader.tokenizeMany(texts)).toEqual(expected);
    expect(await reader.tokenizeMany(texts.filter((text) => text.length < 100))).toEqual(
      expected.filter((_, index) => texts[index]!.length < 100),
    );
  });

  it('leaves the event loop to others', async () => {
    let turns = 0;
    const count = () => {
      turns++;
      immediate = setImmediate(count);
    };
    let immediate = setImmediate(count);
    const many = await TextReader.plain('basic_english').tokenizeMany(Array(20).fill(long));
    clearImmediate(immediate);
    expect(many).toHaveLength(20);
    expect(turns).toBeGreaterThan(5);
  });
});
