import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  convertTags,
  getEntities,
  type ReadConllOptions,
  readConll,
  readConllu,
  spansToTags,
} from '../../src/index.js';
import { TAG_SCHEMES } from '../../src/text/tags/scheme.js';
import { realData } from '../support/data.js';
import { temporaryFolder } from '../support/folder.js';
import { all, errorOf } from '../support/rows.js';

const folder = temporaryFolder();
let files = 0;

function write(content: string | Uint8Array): string {
  const path = join(folder, `${files++}.conll`);
  writeFileSync(path, content);
  return path;
}

const read = (content: string, options?: ReadConllOptions) => all(readConll(write(content), options));

describe('readConll', () => {
  it('reads columns between blanks, and leaves documents and comments out', async () => {
    const file = write(
      '-DOCSTART- -X- -X- O\n\n# newdoc\nEU NNP B-NP B-ORG\nrejects  VBZ B-VP O\n\n\n# a comment\nGerman JJ B-NP B-MISC \n' +
        '-DOCSTART- -X- -X- O\nPeter NNP B-NP B-PER',
    );
    const rows = readConll(file);
    const expected = [
      { tokens: ['EU', 'rejects'], tags: ['B-ORG', 'O'], line: 4 },
      { tokens: ['German'], tags: ['B-MISC'], line: 9 },
      { tokens: ['Peter'], tags: ['B-PER'], line: 11 },
    ];
    expect(await all(rows)).toEqual(expected);
    expect(await all(rows)).toEqual(expected);
    expect([rows.file, rows.scheme, rows.repaired, rows.skipped, rows.hints]).toEqual([file, 'IOB2', 0, 0, []]);
    expect((await all(readConll(file, { token: 2, tag: 3 })))[0]).toEqual({
      tokens: ['NNP', 'VBZ'],
      tags: ['B-NP', 'B-VP'],
      line: 4,
    });
  });

  it('reads tabs, CRLF, a byte order mark, gzip, and tokens with blanks or a #', async () => {
    const content = '\ufeffNew York\tB-LOC\r\n#\tO\r\n#tag\tO\r\n\r\n#first\tO\r\n \t\r\nend\tO';
    const expected = [
      { tokens: ['New York', '#', '#tag'], tags: ['B-LOC', 'O', 'O'], line: 1 },
      { tokens: ['#first'], tags: ['O'], line: 5 },
      { tokens: ['end'], tags: ['O'], line: 7 },
    ];
    expect(await read(content)).toEqual(expected);
    expect(await all(readConll(write(gzipSync(content))))).toEqual(expected);
    expect(await all(readConll(Readable.from([Buffer.from(content)])))).toEqual(expected);
  });

  it('tells comments from tokens by their columns, or as it is told', async () => {
    expect(await read('a O\n# O\n# a comment\nb O\n\n#x y z\nc O')).toEqual([
      { tokens: ['a', '#', 'b'], tags: ['O', 'O', 'O'], line: 1 },
      { tokens: ['c'], tags: ['O'], line: 7 },
    ]);
    expect(await read('#tag O\na O')).toEqual([{ tokens: ['#tag', 'a'], tags: ['O', 'O'], line: 1 }]);
    expect(await read('# O\na O', { comments: false })).toEqual([{ tokens: ['#', 'a'], tags: ['O', 'O'], line: 1 }]);
    expect(await read('a O\n#b O', { comments: true })).toEqual([{ tokens: ['a'], tags: ['O'], line: 1 }]);
    // A tag that was forgotten is no comment.
    expect(await errorOf(readConll(write('a\tO\n#b\nc\tO')))).toMatchObject({ code: 'INVALID_ROW', line: 2 });
  });

  it.each<[string, string, ReadConllOptions]>([
    ['a header', 'word tag x\na O 1\n', { header: true, token: 'word', tag: 'tag' }],
    ['names', 'a O 1\n', { columns: ['word', 'tag', 'x'], token: 'word', tag: 'tag' }],
    ['a comment', '# global.columns = word tag x\na O 1\n', { token: 'word', tag: 'tag' }],
  ])('finds columns by %s', async (_, content, options) => {
    const [row] = await read(content, options);
    expect([row!.tokens, row!.tags]).toEqual([['a'], ['O']]);
    expect((await errorOf(readConll(write(content), { ...options, tag: 'pos' }))).message).toMatch(
      /there is no column "pos"; the file has 3: word, tag, x/,
    );
  });

  it('reads tags of no scheme as they are, of any scheme as they should be', async () => {
    const pos = readConll(write('I PRON\nB NOUN\n\nrun VERB\n'));
    expect((await all(pos)).map(({ tags }) => tags)).toEqual([['PRON', 'NOUN'], ['VERB']]);
    expect(pos.scheme).toBeUndefined();
    const wrong = 'a O\nb I-PER\nc I-PER\nd B-LOC\n\ne S-PER\n';
    const rows = readConll(write(wrong), { scheme: 'IOB2' });
    expect((await all(rows)).map(({ tags }) => tags.join(' '))).toEqual(['O B-PER I-PER B-LOC', 'B-PER']);
    expect(rows.repaired).toBe(2);
    expect(rows.hints.map(({ line, message }) => [line, message.replace(/^.*conll:/, '')])).toEqual([
      [2, '2: I-PER cannot follow O in IOB2; it is read as B-PER'],
      [6, '6: S-PER cannot be the first tag of a sentence in IOB2; it is read as B-PER'],
    ]);
    expect((await read(wrong, { scheme: null }))[0]!.tags).toEqual(['O', 'I-PER', 'I-PER', 'B-LOC']);
    const open = readConll(write('a B-X\nb I-X\n\nc S-X\nd E-X\n'));
    expect((await all(open)).map(({ tags }) => tags.join(' '))).toEqual(['B-X E-X', 'S-X S-X']);
    expect(open.hints.map(({ message }) => message.replace(/^.*conll:/, ''))).toEqual([
      '2: I-X cannot be the last tag of a sentence in IOBES; it is read as E-X',
      '5: E-X cannot follow S-X in IOBES; it is read as S-X',
    ]);
    expect(await errorOf(readConll(write('a B-X\nb NOUN\n'), { scheme: 'IOB2' }))).toMatchObject({
      code: 'INVALID_ROW',
      line: 2,
      message: expect.stringMatching(/the tag "NOUN" is none of IOB2: expected O, or B, I with - and a label/),
    });
  });

  it('recognises the scheme behind many sentences without entities', async () => {
    const rows = readConll(write(`${'a O\n\n'.repeat(1500)}b I-X\nc I-X\nd B-X\n`));
    expect((await all(rows)).at(-1)!.tags).toEqual(['I-X', 'I-X', 'B-X']);
    expect([rows.scheme, rows.repaired]).toEqual(['IOB1', 0]);
  });

  it('keeps the first 100 hints, and counts the sentences', async () => {
    const rows = readConll(write('a I-X\n\n'.repeat(150)), { scheme: 'IOB2' });
    expect(await all(rows)).toHaveLength(150);
    expect([rows.hints.length, rows.repaired]).toEqual([100, 150]);
  });

  it('leaves sentences out that do not fit, or names their line', async () => {
    const file = write('a\tO\n\nb\tO\tx\nc\tO\n\nd\t\n\ne\tO\n');
    expect(await errorOf(readConll(file))).toMatchObject({
      code: 'INVALID_ROW',
      file,
      line: 3,
      message: expect.stringContaining('the line has 3 columns separated by tabs; expected 2'),
    });
    const rows = readConll(file, { onBadRow: 'skip' });
    expect((await all(rows)).map(({ tokens }) => tokens)).toEqual([['a'], ['e']]);
    expect(rows.skipped).toBe(2);
    expect(await errorOf(readConll(write('a\t\n')))).toMatchObject({ line: 1, column: 2 });
  });

  it('bounds a sentence, and takes long ones', async () => {
    const long = 'token O\n'.repeat(100_000);
    expect((await read(long))[0]!.tokens).toHaveLength(100_000);
    expect(await errorOf(readConll(write(long), { maxRowBytes: 10_000 }))).toMatchObject({
      code: 'INVALID_ROW',
      message: expect.stringMatching(/:1: the sentence is longer than maxRowBytes.* a blank line between sentences/),
    });
  });

  it('gives back what was written', async () => {
    const token = fc
      .string({ minLength: 1, unit: 'binary' })
      .filter((each) => !/[\s\ufeff]|^#|^-DOCSTART-/u.test(each));
    const entity = fc.constantFrom('PER', 'LOC');
    const sentence = fc.array(fc.tuple(token, fc.option(entity)), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(sentence, { minLength: 1, maxLength: 8 }),
        fc.constantFrom(...TAG_SCHEMES),
        fc.constantFrom('\n', '\r\n'),
        fc.constantFrom('\t', ' ', '  '),
        async (sentences, scheme, end, separator) => {
          const rows = sentences.map((tokens) => {
            const spans = tokens.flatMap(([, label], start) =>
              label === null ? [] : [{ start, end: start + 1, label }],
            );
            return { tokens: tokens.map(([text]) => text), tags: spansToTags(spans, tokens.length, scheme) };
          });
          const lines = rows.map(({ tokens, tags }) =>
            tokens.map((text, i) => text + separator + tags[i] + end).join(''),
          );
          const reader = readConll(write(lines.join(end)), { scheme });
          expect((await all(reader)).map(({ tokens, tags }) => ({ tokens, tags }))).toEqual(rows);
          expect(reader.repaired).toBe(0);
        },
      ),
    );
  });

  it('reads any tags as getEntities does', async () => {
    const tag = fc.constantFrom('O', 'B-A', 'I-A', 'I-B', 'E-A', 'S-B', 'B-B');
    await fc.assert(
      fc.asyncProperty(
        fc.array(tag, { minLength: 1, maxLength: 12 }),
        fc.constantFrom(...TAG_SCHEMES),
        async (tags, scheme) => {
          const [row] = await read(tags.map((each) => `x ${each}\n`).join(''), { scheme });
          expect(getEntities(row!.tags)).toEqual(getEntities(tags));
          expect(row!.tags).toEqual(convertTags(tags, scheme));
        },
      ),
    );
  });

  it.each<[ReadConllOptions, RegExp]>([
    [{ tags: 2 } as never, /did you mean tag/],
    [{ tag: 0 }, /its number, from 1 for tag/],
    [{ columns: [] }, /a non-empty array of names for columns/],
    [{ columns: ['a'], header: true }, /cannot be combined with header: true/],
    [{ separator: ',' as never }, /'tab' or 'blank' for separator/],
    [{ scheme: 'BIO' as never }, /for scheme/],
    [{ comments: 1 as never }, /true or false for comments/],
    [{ onBadRow: 'x' as never }, /for onBadRow/],
  ])('refuses the options %j', async (options, message) => {
    await expect(async () => all(readConll(write('a O\n'), options))).rejects.toThrow(message);
  });

  it('does not take tokens for tags in a file of one column', async () => {
    expect(await errorOf(readConll(write('a\nb\n')))).toMatchObject({
      code: 'MISSING_COLUMN',
      message: expect.stringContaining('the line has one column; expected a token and its tag'),
    });
    expect((await errorOf(readConll(write('a O\n'), { token: 2 }))).message).toMatch(/token and tag are both column 2/);
  });

  it('names columns that are not there', async () => {
    expect(await errorOf(readConll(write('a O\n'), { tag: 3 }))).toMatchObject({
      code: 'MISSING_COLUMN',
      message: expect.stringContaining('there is no column 3; the file has 2'),
    });
    expect((await errorOf(readConll(write('a O\n'), { tag: 'ner' }))).message).toMatch(/the columns have no names/);
    expect((await errorOf(readConll('none.conll'))).code).toBe('FILE_NOT_FOUND');
  });
});

describe('readConllu', () => {
  const line = (id: string, form: string, upos: string, deprel = 'dep') =>
    `${[id, form, '_', upos, '_', '_', '0', deprel, '_', '_'].join('\t')}\n`;
  const sentence = `# text = vámonos\n${line('1-2', 'vámonos', '_')}${line('1', 'vamos', 'VERB', 'root')}${line('2', 'nos', 'PRON')}${line('2.1', 'x', 'NOUN')}${line('3', '#', 'SYM')}`;

  it('reads words, without multiword tokens and empty nodes', async () => {
    const file = write(`${sentence}\n${line('0.1', 'y', 'X')}${line('1', 'Sí', 'INTJ')}`);
    expect(await all(readConllu(file))).toEqual([
      { tokens: ['vamos', 'nos', '#'], tags: ['VERB', 'PRON', 'SYM'], line: 3 },
      { tokens: ['Sí'], tags: ['INTJ'], line: 9 },
    ]);
    expect((await all(readConllu(file, { tag: 'DEPREL' })))[0]!.tags).toEqual(['root', 'dep', 'dep']);
    expect((await all(readConllu(file, { token: 1, tag: 2 })))[0]).toMatchObject({ tokens: ['1', '2', '3'] });
  });

  it('takes the columns of CoNLL-U Plus, and their scheme', async () => {
    const rows = readConllu(write('# global.columns = ID FORM PARSEME:NE\n1\tIn\tO\n2\tBerlin\tI-LOC\n3\t.\tO\n'), {
      tag: 'PARSEME:NE',
      scheme: 'IOB2',
    });
    expect((await all(rows))[0]!.tags).toEqual(['O', 'B-LOC', 'O']);
    expect(rows.hints).toEqual([{ line: 3, message: expect.stringContaining('I-LOC cannot follow O in IOB2') }]);
  });

  it.each([
    [line('2', 'a', 'X'), 1, /the ID is "2"; expected 1, a range such as 1-2/],
    [`${line('1', 'a', 'X')}${line('3', 'b', 'X')}`, 2, /the ID is "3"; expected 2/],
    [line('1', '', 'X'), 1, /the token is empty/],
    ['1\ta\n', 1, /the line has 2 columns separated by tabs; expected 10/],
    [line('1-2', 'a', 'X'), 1, /the sentence has no words/],
  ])('names what is wrong with %j, or leaves it out', async (content, number, message) => {
    const file = write(`${content}\n${line('1', 'ok', 'X')}`);
    expect(await errorOf(readConllu(file))).toMatchObject({
      code: 'INVALID_ROW',
      line: number,
      message: expect.stringMatching(message),
    });
    const rows = readConllu(file, { onBadRow: 'skip' });
    expect((await all(rows)).map(({ tokens }) => tokens)).toEqual([['ok']]);
    expect(rows.skipped).toBe(1);
  });

  it('names columns that are not there', async () => {
    expect((await errorOf(readConllu(write(sentence), { tag: 'NER' }))).message).toMatch(
      /there is no column "NER"; the file has 10: ID, FORM, .*, MISC/,
    );
    expect(() => readConllu('a', { columns: ['x'] } as never)).toThrow(/Unknown option "columns"/);
  });
});

describe('the real files', () => {
  it.each([
    ['ud_ewt', 2001, 25_147, undefined],
    ['wnut17', 1009, 15_733, 'IOB2'],
  ] as const)('%s', async (name, sentences, tokens, scheme) => {
    const file = realData(name, 'dev.conll');
    if (file === undefined) return;
    const rows = readConll(file);
    const read = await all(rows);
    expect([read.length, read.flatMap((row) => row.tokens).length]).toEqual([sentences, tokens]);
    expect([rows.scheme, rows.repaired, rows.skipped]).toEqual([scheme, 0, 0]);
  });
});
