import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect, DataError, encodeDataset, HuggingFaceTokenizer } from '../../src/index.js';
import { recurra } from '../support/cli.js';
import { temporaryFolder } from '../support/folder.js';

const FIXTURES = join(import.meta.dirname, '../fixtures/tokenizers');
const KINDS = ['byte_bpe', 'word_piece', 'unigram', 'word_level', 'split_bpe'] as const;
const expected = JSON.parse(readFileSync(join(FIXTURES, 'expected.json'), 'utf8')) as {
  texts: string[];
  tokens: Record<string, string[][]>;
};
const folder = temporaryFolder();
const fixture = (kind: string) => join(FIXTURES, `${kind}.json`);
const parsed = (kind: string) => JSON.parse(readFileSync(fixture(kind), 'utf8'));

describe.each(KINDS)('a %s tokenizer', (kind) => {
  it("gives the tokens that HuggingFace's package gives", async () => {
    const tokenizer = await HuggingFaceTokenizer.fromFile(fixture(kind));
    expect(await tokenizer.tokenizeMany(expected.texts)).toEqual(expected.tokens[kind]);
    for (const [i, text] of expected.texts.entries())
      expect(tokenizer.tokenize(text)).toEqual(expected.tokens[kind]![i]);
  });

  it('gives the same tokens one by one, together, and made anew', async () => {
    const tokenizer = await HuggingFaceTokenizer.fromFile(fixture(kind));
    const again = await HuggingFaceTokenizer.fromString(tokenizer.serialize());
    expect(again.serialize()).toBe(readFileSync(fixture(kind), 'utf8'));
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...'aeth ', '\ud800', '\0') }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 300 }), async (texts) => {
        const together = await tokenizer.tokenizeMany(texts);
        expect(together).toEqual(texts.map((each) => tokenizer.tokenize(each)));
        expect(await again.tokenizeMany(texts)).toEqual(together);
      }),
      { numRuns: 30 },
    );
  });
});

describe('HuggingFaceTokenizer', () => {
  it('knows its size, and splits no texts into no lists', async () => {
    const tokenizer = await HuggingFaceTokenizer.fromFile(fixture('word_piece'));
    expect(tokenizer.size).toBe(260);
    expect(await tokenizer.tokenizeMany([])).toEqual([]);
  });

  it('leaves out the chance of BPE dropout', async () => {
    const json = parsed('byte_bpe');
    json.model.dropout = 0.9;
    const tokenizer = await HuggingFaceTokenizer.fromString(JSON.stringify(json));
    const plain = await HuggingFaceTokenizer.fromFile(fixture('byte_bpe'));
    for (let i = 0; i < 5; i++) expect(tokenizer.tokenize('The cat sat')).toEqual(plain.tokenize('The cat sat'));
  });

  it('encodes data sets in order, as it does one by one', async () => {
    const tokenizer = await HuggingFaceTokenizer.fromFile(fixture('word_piece'));
    const rows = Array.from({ length: 2_000 }, (_, i) => ({
      text: `the ${'cat '.repeat(i % 7)}${i % 11 === 0 ? '' : i}`,
      label: String(i % 3),
    }));
    rows[5]!.text = '';
    const together = await collect(rows, { tokenizer });
    const single = await collect(rows, { tokenizer: (text) => tokenizer.tokenize(text) });
    expect(together.vocab.itos).toEqual(single.vocab.itos);
    expect(together.dataset).toEqual(single.dataset);
    expect(together.emptyTexts).toBe(1);
    expect(await encodeDataset(rows, { tokenizer, vocab: single.vocab })).toEqual(single.dataset);
  });

  it('names the row that does not fit, wherever it stands', async () => {
    const tokenizer = await HuggingFaceTokenizer.fromFile(fixture('word_level'));
    const rows = Array.from({ length: 700 }, () => ({ text: 'a', label: 'x' }));
    rows[600] = { label: 'x' } as never;
    await expect(collect(rows, { tokenizer })).rejects.toMatchObject({ code: 'INVALID_ROW', message: /^row 601: / });
    rows[300] = { text: 'a', label: 5 as never };
    await expect(collect(rows, { tokenizer })).rejects.toMatchObject({ code: 'INVALID_ROW', message: /^row 301: / });
    const signal = AbortSignal.abort('no');
    await expect(collect(rows, { tokenizer, signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('reports what a tokenizer of the caller does wrong', async () => {
    const rows = [{ text: 'a', label: 'x' }];
    const tokenize = (text: string) => [text];
    const few = { tokenize, tokenizeMany: async () => [] };
    await expect(collect(rows, { tokenizer: few })).rejects.toThrow(
      /1 lists of tokens.* for the result of tokenizeMany/,
    );
    const failing = { tokenize, tokenizeMany: () => Promise.reject(new TypeError('mine')) };
    await expect(collect(rows, { tokenizer: failing })).rejects.toThrow(new TypeError('mine'));
    const wrong = { tokenize, tokenizeMany: async () => ['a'] as never };
    await expect(collect(rows, { tokenizer: wrong })).rejects.toThrow(/an array of strings for the tokenizer's result/);
  });

  it('stands words of 300,000 characters', async () => {
    for (const kind of KINDS) {
      const tokenizer = await HuggingFaceTokenizer.fromFile(fixture(kind));
      for (const long of ['x'.repeat(300_000), ' '.repeat(300_000), '日本'.repeat(20_000), '\0'.repeat(50_000)]) {
        const [tokens] = await tokenizer.tokenizeMany([long]);
        expect(Array.isArray(tokens)).toBe(true);
      }
    }
  });

  it('refuses arguments that are no texts', async () => {
    const tokenizer = await HuggingFaceTokenizer.fromFile(fixture('word_level'));
    expect(() => tokenizer.tokenize(5 as never)).toThrow(/a string for text/);
    await expect(tokenizer.tokenizeMany(['a', null as never])).rejects.toThrow(/a string for texts\[1\]/);
    await expect(tokenizer.tokenizeMany('a' as never)).rejects.toThrow(/an array of strings for texts/);
    await expect(HuggingFaceTokenizer.fromFile('')).rejects.toThrow(/the path of a tokenizer.json/);
    await expect(HuggingFaceTokenizer.fromString(undefined as never)).rejects.toThrow(/content of a tokenizer.json/);
  });
});

describe('descriptions that are none', () => {
  const change = (kind: string, edit: (json: ReturnType<typeof parsed>) => void) => {
    const json = parsed(kind);
    edit(json);
    return JSON.stringify(json);
  };

  it.each<[string, string, RegExp]>([
    ['empty', '', /EOF/],
    ['no JSON', 'hello', /expected value/],
    ['another JSON', '{"a": 1}', /expected `,` or `}`/],
    ['an array', '[]', /invalid type/],
    ['deeply nested', '['.repeat(100_000), /recursion|invalid type/],
    [
      'a normalizer nested deeply',
      change('word_level', (json) => {
        for (let i = 0; i < 500; i++) json.normalizer = { type: 'Sequence', normalizers: [json.normalizer] };
      }),
      /recursion/,
    ],
    [
      'of a later version',
      change('word_level', (json) => {
        json.version = '2.0';
      }),
      /version '2.0'/,
    ],
    [
      'an unknown model',
      change('word_level', (json) => {
        json.model.type = 'Mamba';
      }),
      /tokenizer\.json/,
    ],
    [
      'no vocabulary',
      change('word_piece', (json) => {
        delete json.model.vocab;
      }),
      /vocab/i,
    ],
    [
      'ids that are no numbers',
      change('word_piece', (json) => {
        json.model.vocab.the = 'x';
      }),
      /invalid type|integer/,
    ],
    [
      'ids below 0',
      change('word_piece', (json) => {
        json.model.vocab.the = -1;
      }),
      /tokenizer\.json/,
    ],
    [
      'no token for the unknown',
      change('word_piece', (json) => {
        json.model.unk_token = '[NONE]';
        json.added_tokens = [];
        delete json.model.vocab['[UNK]'];
      }),
      /cannot split/,
    ],
    [
      'unk_id beyond the vocabulary',
      change('unigram', (json) => {
        json.model.unk_id = 9_999;
      }),
      /UnkIdNotInVocabulary/,
    ],
    [
      'merges of tokens that are not there',
      change('byte_bpe', (json) => {
        json.model.merges = [['nope', 'none']];
      }),
      /tokenizer\.json/,
    ],
    [
      'a regular expression that is none',
      change('split_bpe', (json) => {
        json.pre_tokenizer.pattern.Regex = '((';
      }),
      /tokenizer\.json/,
    ],
    [
      'pieces of length 0',
      change('word_level', (json) => {
        json.pre_tokenizer = { type: 'FixedLength', length: 0 };
      }),
      /chunk|internal fault/,
    ],
    [
      'a normalizer that is broken',
      change('unigram', (json) => {
        json.normalizer = { type: 'Precompiled', precompiled_charsmap: 'BAAAAAEAAAA=' };
      }),
      /tokenizer\.json|cannot split/,
    ],
  ])('%s', async (_, json, message) => {
    const error = await HuggingFaceTokenizer.fromString(json).then(
      () => expect.fail('made a tokenizer'),
      (caught: unknown) => caught,
    );
    expect(error).toBeInstanceOf(DataError);
    expect(error).toMatchObject({ code: 'INVALID_FILE', message: expect.stringMatching(message) });
  });

  it('names the file', async () => {
    const file = join(folder, 'wrong.json');
    writeFileSync(file, '{}');
    await expect(HuggingFaceTokenizer.fromFile(file)).rejects.toMatchObject({
      code: 'INVALID_FILE',
      file,
      message: /^.*wrong\.json: not a usable/,
    });
    writeFileSync(file, Buffer.from([0x7b, 0xff, 0xfe]));
    await expect(HuggingFaceTokenizer.fromFile(file)).rejects.toMatchObject({ code: 'INVALID_FILE', file });
    await expect(HuggingFaceTokenizer.fromFile(join(folder, 'none.json'))).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
    });
    await expect(HuggingFaceTokenizer.fromFile(folder)).rejects.toMatchObject({ code: /IO|INVALID_FILE/ });
  });

  it.each(KINDS)('%s cut off anywhere, or changed anywhere: an error or a tokenizer, nothing else', async (kind) => {
    const json = readFileSync(fixture(kind), 'utf8');
    await fc.assert(
      fc.asyncProperty(fc.nat(json.length - 1), fc.constantFrom('', '0', '"', '}', '\0', 'null'), async (at, put) => {
        const changed = put === '' ? json.slice(0, at) : json.slice(0, at) + put + json.slice(at + 1);
        const made = await HuggingFaceTokenizer.fromString(changed).catch((error: unknown) => error);
        if (made instanceof HuggingFaceTokenizer) expect(Array.isArray(made.tokenize('the cat'))).toBe(true);
        else expect(made).toMatchObject({ name: 'DataError', code: 'INVALID_FILE' });
      }),
      { numRuns: 150 },
    );
  });

  it('with a byte order mark before it, as editors of Windows write', async () => {
    const file = join(folder, 'mark.json');
    writeFileSync(file, `\ufeff${readFileSync(fixture('byte_bpe'), 'utf8')}`);
    const [marked, plain] = await Promise.all(
      [file, fixture('byte_bpe')].map((each) => HuggingFaceTokenizer.fromFile(each)),
    );
    expect(marked!.tokenize('the cat')).toEqual(plain!.tokenize('the cat'));
    expect(marked!.serialize()).toBe(plain!.serialize());
  });

  it('that the library panics on: an error, and nothing on standard error', () => {
    const file = join(folder, 'panic.json');
    const json = parsed('unigram');
    json.normalizer = { type: 'Precompiled', precompiled_charsmap: '!' };
    writeFileSync(file, JSON.stringify(json));
    const run = recurra(['train', 'none.csv', '--text', 'a', '--label', 'b', '--tokenizer', file]);
    expect([run.status, run.err]).toEqual([
      1,
      expect.stringMatching(
        /^recurra: .*panic\.json: not a usable tokenizer\.json: HuggingFace's tokenizers library fails on it: .* \[INVALID_FILE\]\n$/,
      ),
    ]);
  });

  it.each([
    ['null', { type: 'Precompiled', precompiled_charsmap: null }],
    ['left out', { type: 'Precompiled' }],
    ['left out, one of several', { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Precompiled' }] }],
  ])('with a normalizer whose table is %s: an error that says so', async (_, normalizer) => {
    const json = JSON.stringify({ ...parsed('unigram'), normalizer });
    await expect(HuggingFaceTokenizer.fromString(json)).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: expect.stringContaining('its normalizer Precompiled has no precompiled_charsmap'),
    });
  });

  it('too large for a model file', async () => {
    const json = change('word_level', (each) => {
      each.comment = '"'.repeat(20_000_000);
    });
    await expect(HuggingFaceTokenizer.fromString(json)).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: /more than a model file has room for/,
    });
  });
});
