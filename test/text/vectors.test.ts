import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collect } from '../../src/data/index.js';
import { agNews } from '../../src/lesson/index.js';
import { Vectors, type VectorsOptions, Vocab } from '../../src/text/index.js';
import { realData } from '../support/data.js';
import { temporaryFolder } from '../support/folder.js';

const folder = temporaryFolder();
let files = 0;

function write(content: string | Uint8Array): string {
  const path = join(folder, `${files++}.vec`);
  writeFileSync(path, content);
  return path;
}

/** word2vec's binary form; `end` stands after each vector. */
function binary(header: string, words: Record<string, number[]>, end = '\n'): Buffer {
  const parts = [Buffer.from(header)];
  for (const [word, numbers] of Object.entries(words)) {
    const floats = Buffer.alloc(4 * numbers.length);
    numbers.forEach((value, i) => {
      floats.writeFloatLE(value, 4 * i);
    });
    parts.push(Buffer.from(`${word} `), floats, Buffer.from(end));
  }
  return Buffer.concat(parts);
}

const vocab = Vocab.fromTokens(['<unk>', '<pad>', 'cat', 'dog', 'straße', 'at home', '__proto__']);
const load = (file: string, options: Partial<VectorsOptions> = {}) => Vectors.load(file, { vocab, ...options });
const rowsOf = (vectors: Vectors) => vocab.itos.map((_, i) => [...vectors.row(i)]);

describe('Vectors.load', () => {
  const EXPECTED = [
    [0, 0],
    [0, 0],
    [1, -2],
    [0.5, 4],
    [0, 0],
    [0, 0],
    [0, 0],
  ];

  it.each([
    ['GloVe text', 'cat 1 -2\nother 9 9\ndog .5 4e0\n'],
    ['text without a last line end, with CRLF and blanks at the ends', 'cat 1 -2 \r\nother 9 9 \r\ndog 0.5 4'],
    ['text with tabs and blank lines', 'cat\t1\t-2\n\nother\t9\t9\ndog\t0.5\t4\n'],
    ['word2vec text', '3 2\ncat 1 -2\nother 9 9\ndog 0.5 4\n'],
    ['word2vec binary', binary('3 2\n', { cat: [1, -2], other: [9, 9], dog: [0.5, 4] })],
    ['word2vec binary without line ends', binary('3 2\n', { cat: [1, -2], other: [9, 9], dog: [0.5, 4] }, '')],
  ])('reads %s', async (_, content) => {
    const vectors = await load(write(content));
    expect(vectors.dim).toBe(2);
    expect(vectors.matrix).toHaveLength(vocab.size * 2);
    expect(rowsOf(vectors)).toEqual(EXPECTED);
    expect([...vectors.known]).toEqual([0, 0, 1, 1, 0, 0, 0]);
    expect(vectors.coverage).toEqual({ found: 2, missing: 3, fileWords: 3, tokensCovered: undefined });
  });

  it('reads words with blanks, other letters and names of objects', async () => {
    const vectors = await load(write('straße 1 2\nat home 3 4\n. . . 5 6\n__proto__ 7 8\n'));
    expect(rowsOf(vectors).slice(4)).toEqual([
      [1, 2],
      [3, 4],
      [7, 8],
    ]);
    expect(vectors.coverage).toMatchObject({ found: 3, fileWords: 4 });
  });

  it('takes the first vector of a word, and none for the padding', async () => {
    const vectors = await load(write('cat 1 1\ncat 2 2\n<pad> 3 3\n<unk> 4 4\n'));
    expect(rowsOf(vectors).slice(0, 3)).toEqual([
      [4, 4],
      [0, 0],
      [1, 1],
    ]);
  });

  it('says which share of the tokens is covered', async () => {
    const { coverage } = await load(write('cat 1 1\n'), { counts: [10, 0, 30, 20, 0, 0, 0] });
    expect(coverage.tokensCovered).toBe(0.5);
  });

  it('gives words without a vector what is asked for', async () => {
    const file = write('cat 3 4\ndog 3 4\n');
    const normal = await load(file, { unknown: 'normal', seed: 1 });
    expect(rowsOf(await load(file, { unknown: 'normal', seed: 1 }))).toEqual(rowsOf(normal));
    expect(rowsOf(await load(file, { unknown: 'normal', seed: 2 }))).not.toEqual(rowsOf(normal));
    expect(rowsOf(normal)[1]).toEqual([0, 0]);
    expect(rowsOf(normal)[2]).toEqual([3, 4]);
    expect(normal.row(0).every((value) => value !== 0)).toBe(true);
    const own = await load(file, { unknown: (token, dim) => Array(dim).fill(token.length) });
    expect(rowsOf(own)[4]).toEqual([6, 6]);
    await expect(load(file, { unknown: () => [1] })).rejects.toThrow(/2 numbers for the result of unknown/);
  });

  it("draws 'normal' with the spread of the file's vectors", async () => {
    const many = Vocab.fromTokens(['a', 'b', ...Array.from({ length: 5000 }, (_, i) => `w${i}`)]);
    const { matrix } = await Vectors.load(write('a 3 -3\nb -3 3\n'), { vocab: many, unknown: 'normal' });
    const drawn = matrix.subarray(4);
    const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
    const spread = Math.sqrt(drawn.reduce((sum, value) => sum + value * value, 0) / drawn.length);
    expect(Math.abs(mean)).toBeLessThan(0.12);
    expect(Math.abs(spread - 3)).toBeLessThan(0.1);
  });

  it('reads files larger than a chunk', async () => {
    const line = (i: number) => `word${i} ${Array.from({ length: 50 }, (_, j) => (i + j) / 8).join(' ')}`;
    const words = Array.from({ length: 3000 }, (_, i) => i);
    const some = Vocab.fromTokens(words.filter((i) => i % 7 === 0).map((i) => `word${i}`));
    const check = (vectors: Vectors) => {
      for (const [index, token] of some.itos.entries()) {
        expect(vectors.row(index)[49]).toBe((Number(token.slice(4)) + 49) / 8);
      }
      expect(vectors.coverage).toMatchObject({ found: some.size, missing: 0, fileWords: 3000 });
    };
    check(await Vectors.load(write(words.map(line).join('\n')), { vocab: some }));
    const entries = words.map((i) => [`word${i}`, Array.from({ length: 50 }, (_, j) => (i + j) / 8)] as const);
    check(await Vectors.load(write(binary('3000 50\n', Object.fromEntries(entries))), { vocab: some }));
  });

  it('stops when aborted and reports progress', async () => {
    const file = write('cat 1 1\n');
    await expect(load(file, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    const reports: number[] = [];
    await load(file, { onProgress: ({ words }) => reports.push(words) });
    expect(reports.at(-1)).toBe(1);
  });
});

describe('Vectors.load on bad files', () => {
  it.each([
    ['too few numbers', 'cat 1 2\ndog 1\n', 'INVALID_ROW', 2, /expected a word and 2 numbers but found 2 fields/],
    ['too many numbers', 'cat 1.5 2.5\ndog 1.5 2.5 3.5\n', 'INVALID_ROW', 2, /found more numbers/],
    ['something that is no number', 'cat 1 2\ndog 1 x\n', 'INVALID_ROW', 2, /a number but found "x"/],
    ['a number that is infinite', 'cat 1 1e999\n', 'INVALID_ROW', 1, /a number but found "1e999"/],
    ['a word alone', 'cat\n', 'INVALID_ROW', 1, /expected a word and its numbers/],
    ['a vector without a word', 'cat 1 2\n 1 2\n', 'INVALID_ROW', 2, /expected a word and 2 numbers/],
    [
      'fewer words than the header says',
      '3 2\ncat 1 2\n',
      'INVALID_FILE',
      undefined,
      /header gives 3 words but the file has 1/,
    ],
    [
      'more words than the header says',
      '1 2\ncat 1 2\ndog 1 2\n',
      'INVALID_FILE',
      undefined,
      /gives 1 words but the file has 2/,
    ],
    ['a header that is not believed', '1 99999999\ncat 1\n', 'INVALID_FILE', 1, /1 to 16384 numbers/],
    ['an empty file', '', 'INVALID_FILE', undefined, /no vectors/],
    ['a word that is not UTF-8', Buffer.from('cat 1 2\nd\xf6g 1 2\n', 'latin1'), 'INVALID_ROW', 2, /not UTF-8/],
    ['one endless line', 'x'.repeat(3_000_000), 'INVALID_ROW', 1, /longer than/],
    [
      'a binary cut off',
      binary('2 2\n', { cat: [1, 2], dog: [3, 4] }).subarray(0, -4),
      'INVALID_FILE',
      undefined,
      /ends after 1/,
    ],
    ['a binary that goes on', binary('1 2\n', { cat: [1, 2], dog: [3, 4] }), 'INVALID_FILE', undefined, /continues/],
    [
      'a binary number that is none',
      binary('1 2\n', { cat: [Number.NaN, 0] }),
      'INVALID_ROW',
      undefined,
      /word 1 has NaN/,
    ],
  ])('reports %s', async (_, content, code, line, message) => {
    const file = write(content);
    const error = await load(file).then(
      () => expect.fail('no error'),
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ name: 'DataError', code, file, message: expect.stringMatching(message) });
    if (line !== undefined) expect(error).toMatchObject({ line });
  });

  it('leaves out words that are not UTF-8 on demand', async () => {
    const text = Buffer.from('cat 1 2\nd\xf6g 1 2\n', 'latin1');
    expect((await load(write(text), { invalidUtf8: 'skip' })).coverage.found).toBe(1);
    const bytes = Buffer.concat([binary('2 1\n', { cat: [7] }), Buffer.of(0xff, 0x20, 0, 0, 0, 0, 10)]);
    await expect(load(write(bytes))).rejects.toThrow(/word 2 is not UTF-8/);
    expect([...(await load(write(bytes), { invalidUtf8: 'skip' })).row(2)]).toEqual([7]);
  });

  it('reports a file that is not there or of another format', async () => {
    await expect(load(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
    await expect(load(folder)).rejects.toMatchObject({ code: 'IO' });
    await expect(load(write('cat 1 2\n'), { format: 'word2vec-binary' })).rejects.toThrow(/expected a word2vec header/);
  });

  it.each([
    [{ format: 'npy' }, /format/],
    [{ unknown: 'random' }, /'zero', 'normal' or a function for unknown/],
    [{ counts: [1] }, /7 numbers, one for each token for counts/],
    [{ invalidUtf8: 'replace' }, /invalidUtf8/],
    [{ seed: -1 }, /seed/],
    [{ vocab: null }, /a Vocab for vocab/],
    [{ dims: 5 }, /Unknown option "dims"/],
  ])('refuses %j', async (options, message) => {
    await expect(load(write('cat 1 2\n'), options as never)).rejects.toThrow(message);
  });

  it('has no row beyond the vocabulary', async () => {
    const vectors = await load(write('cat 1 2\n'));
    expect(() => vectors.row(7)).toThrow(/from 0 to 6 for index/);
  });
});

describe('real vectors', () => {
  const glove = realData('vectors', 'glove.6B.50d.top50k.txt');
  const root = realData('ag_news');

  it.skipIf(!glove || !root)('cover AG News as far as Python finds', async () => {
    const { test, train, classes } = await agNews({ root: root! });
    const { dataset, vocab: words } = await collect(train.original ? test : train, { classes });
    const counts = new Float64Array(words.size);
    for (const token of dataset.tokens) counts[token]!++;
    const { coverage, dim, ...vectors } = await Vectors.load(glove!, { vocab: words, counts });
    expect([dim, coverage.fileWords]).toEqual([50, 50_000]);
    expect([...vectors.matrix.subarray(words.get('the') * 50, words.get('the') * 50 + 2)]).toEqual(
      [0.418, 0.24968].map(Math.fround),
    );
    // 33,204 of the words and 94.874 % of the tokens, by a few lines of Python over the same 65,073 rows.
    if (dataset.length === 65_073) {
      expect([coverage.found, coverage.missing]).toEqual([33_204, 38_796]);
      expect(coverage.tokensCovered).toBeCloseTo(0.9487431532554957, 12);
    }
  });
});
