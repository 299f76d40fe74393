import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ReadCsvOptions, readCsv, readTexts } from '../../src/data/index.js';
import { temporaryFolder } from '../support/folder.js';
import { all, errorOf } from '../support/rows.js';

const folder = temporaryFolder();
let files = 0;

function write(content: string | Uint8Array, name = `${files++}.csv`): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const BY_NAME: ReadCsvOptions = { text: 'body', label: 'queue' };
const BY_NUMBER: ReadCsvOptions = { text: 2, label: 1 };

describe('readCsv', () => {
  it('reads columns by name', async () => {
    const file = write('id,body,queue\n1,My invoice is wrong,billing\n2,"It, too",tech\n');
    const rows = readCsv(file, BY_NAME);
    expect(rows.file).toBe(file);
    const expected = [
      { text: 'My invoice is wrong', label: 'billing', line: 2 },
      { text: 'It, too', label: 'tech', line: 3 },
    ];
    expect(await all(rows)).toEqual(expected);
    expect(await all(rows)).toEqual(expected); // once more: the file is read anew
  });

  it('reads columns by number, from 1, and joins several text columns', async () => {
    const file = write('3,Title,Text one\n1,"","only text"');
    expect(await all(readCsv(file, { text: [2, 3], label: 1 }))).toEqual([
      { text: 'Title Text one', label: '3', line: 1 },
      { text: ' only text', label: '1', line: 2 },
    ]);
  });

  it('skips the header where columns have numbers, if told so', async () => {
    const file = write('label,text\nx,hello\n');
    expect(await all(readCsv(file, { ...BY_NUMBER, header: true }))).toEqual([{ text: 'hello', label: 'x', line: 2 }]);
  });

  it.each([
    ['\n', 'LF'],
    ['\r\n', 'CRLF'],
    ['\r', 'CR'],
  ])('reads %j, quoted line ends, byte order mark and blank lines, and knows the lines', async (end) => {
    const lines = ['\ufeffqueue,body', 'a,"one', '"', '', 'b,two', 'c,"say ""hi"""', '', ''];
    const file = write(lines.join(end));
    expect(await all(readCsv(file, BY_NAME))).toEqual([
      { text: `one${end}`, label: 'a', line: 2 },
      { text: 'two', label: 'b', line: 5 },
      { text: 'say "hi"', label: 'c', line: 6 },
    ]);
  });

  it('reads rows that end with a delimiter which the header does not have', async () => {
    const file = write('queue,body\na,one,\nb,two,\nc,three\n');
    expect(await all(readCsv(file, BY_NAME))).toEqual([
      { text: 'one', label: 'a', line: 2 },
      { text: 'two', label: 'b', line: 3 },
      { text: 'three', label: 'c', line: 4 },
    ]);
    const more = write('queue,body\na,one,\nb,two,x\n');
    expect((await errorOf(readCsv(more, BY_NAME))).message).toMatch(
      /:3: expected 2 fields .* but found 3 \(onBadRow: 'skip' or --skip-bad-rows skips such rows\)$/,
    );
    const later = write('queue,body\na,one\nb,two,\n');
    expect((await errorOf(readCsv(later, BY_NAME))).message).toMatch(
      /:3: expected 2 fields .* found 3, of which the last is empty: does the row end with a delimiter\? \(onBadRow/,
    );
    expect((await errorOf(readCsv(write('a,one\nb,two,\n'), BY_NUMBER))).message).toMatch(/:2: expected 2 fields/);
  });

  it('reads lines that end differently in one file', async () => {
    const file = write('queue,body\r\na,one\nb,two\r\nc,three');
    expect((await all(readCsv(file, BY_NAME))).map(({ text }) => text)).toEqual(['one', 'two', 'three']);
  });

  it('reads TSV by the file name, other delimiters and files without quoting by option', async () => {
    expect(await all(readCsv(write('queue\tbody\na\tone, two\n', 'x.tsv'), BY_NAME))).toEqual([
      { text: 'one, two', label: 'a', line: 2 },
    ]);
    expect(await all(readCsv(write('a;one'), { ...BY_NUMBER, delimiter: ';' }))).toEqual([
      { text: 'one', label: 'a', line: 1 },
    ]);
    expect(await all(readCsv(write('a|say "hi'), { ...BY_NUMBER, delimiter: '|', quote: null }))).toEqual([
      { text: 'say "hi', label: 'a', line: 1 },
    ]);
  });

  it('reads streams of bytes and of text, once', async () => {
    const bytes = Buffer.from('a,schön\nb,🙂\n');
    const rows = readCsv(Readable.from(Array.from(bytes, (byte) => Buffer.of(byte))), BY_NUMBER);
    expect((await all(rows)).map(({ text }) => text)).toEqual(['schön', '🙂']);
    expect(rows.file).toBeUndefined();
    await expect(all(rows)).rejects.toThrow(/stream has already been read/);
    expect(await all(readCsv(Readable.from(['a,on', 'e\n']), BY_NUMBER))).toEqual([
      { text: 'one', label: 'a', line: 1 },
    ]);
  });

  it('reads UTF-16 with its mark and windows-1252 by option', async () => {
    const utf16 = Buffer.from('\ufeffqueue,body\na,schön 🙂\n', 'utf16le');
    expect(await all(readCsv(write(utf16), BY_NAME))).toEqual([{ text: 'schön 🙂', label: 'a', line: 2 }]);
    const latin1 = Buffer.from('a,sch\xf6n \x80\n', 'latin1');
    expect(await all(readCsv(write(latin1), { ...BY_NUMBER, encoding: 'latin1' }))).toEqual([
      { text: 'schön €', label: 'a', line: 1 },
    ]);
  });

  it('gives back what was written, whatever it is', async () => {
    const cell = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 8 }),
      fc.constantFrom('"', '""', ',', '\n', '\r\n', ' ', 'é', '\r'),
    );
    const row = fc.record({ text: cell, label: cell.map((value) => `x${value}`) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 7 }),
        async (rows, size) => {
          const quote = (value: string) => `"${value.replaceAll('"', '""')}"`;
          const bytes = Buffer.from(rows.map(({ text, label }) => `${quote(label)},${quote(text)}\n`).join(''));
          const chunks: Buffer[] = [];
          for (let i = 0; i < bytes.length; i += size) chunks.push(bytes.subarray(i, i + size));
          const read = await all(readCsv(Readable.from(chunks), BY_NUMBER));
          expect(read.map(({ text, label }) => ({ text, label }))).toEqual(rows);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('closes the file when the reader stops early', async () => {
    const source = Readable.from(Array.from({ length: 1000 }, () => Buffer.from('a,one\n'.repeat(100))));
    for await (const _ of readCsv(source, BY_NUMBER)) break;
    expect(source.destroyed).toBe(true);
  });
});

describe('readCsv on bad files', () => {
  it('says that a file is missing or a folder', async () => {
    const missing = join(folder, 'nowhere.csv');
    const error = await errorOf(readCsv(missing, BY_NAME));
    expect(error).toMatchObject({ code: 'FILE_NOT_FOUND', file: missing });
    expect(error.message).toContain(missing);
    mkdirSync(join(folder, 'sub'));
    expect(await errorOf(readCsv(join(folder, 'sub'), BY_NAME))).toMatchObject({ code: 'IO' });
  });

  it('lists the columns there are where one is missing', async () => {
    const error = await errorOf(readCsv(write('id,Body,queue\n1,x,y\n'), BY_NAME));
    expect(error).toMatchObject({ code: 'MISSING_COLUMN', line: 1 });
    expect(error.message).toMatch(/no column "body"; there are "id", "Body", "queue"/);
    const byNumber = await errorOf(readCsv(write('1,x\n'), { text: 3, label: 1 }));
    expect(byNumber.message).toMatch(/no column 3: the rows have 2/);
    expect(await errorOf(readCsv(write(''), BY_NAME))).toMatchObject({ code: 'MISSING_COLUMN' });
    expect(await errorOf(readCsv(write('body,body,queue\n'), BY_NAME))).toMatchObject({
      code: 'INVALID_FILE',
      column: 2,
    });
  });

  it('gives no rows for a file without any', async () => {
    expect(await all(readCsv(write('body,queue\n'), BY_NAME))).toEqual([]);
    expect(await all(readCsv(write(''), BY_NUMBER))).toEqual([]);
  });

  it('skips a header that is repeated, with a warning', async () => {
    const rows = readCsv(write('queue,body\na,one\nqueue,body\nb,two\nqueue,body\n'), BY_NAME);
    expect((await all(rows)).map(({ label }) => label)).toEqual(['a', 'b']);
    expect(rows.skipped).toBe(0);
    expect(rows.warnings.map(({ line, message }) => [line, message.split(': ').slice(1).join(': ')])).toEqual([
      [3, '2 rows equal the header and were skipped: several files with a header seem to have been joined'],
    ]);
    // In a file of one column, the name may be a text.
    expect(await all(readTexts(write('body\none\nbody\n'), { text: 'body', format: 'csv' }))).toHaveLength(2);
  });

  it('counts the empty columns of a joined text', async () => {
    const rows = readCsv(write('queue,body,note\na,one,\nb,,x\n,,\nc,,y\n'), {
      text: ['body', 'note'],
      label: 'queue',
      onBadRow: 'skip',
    });
    await all(rows);
    expect([...rows.emptyCells]).toEqual([
      ['note', 1],
      ['body', 2],
    ]);
  });

  it.each([
    ['too few fields', 'a,b\n1,"2\n2"\n3\n', 4, /expected 2 fields as in the first row but found 1/],
    ['too many fields', 'a,b\n1,2\n\n3,4,5\n', 4, /expected 2 fields as in the first row but found 3/],
    ['a quote not closed', 'a,b\n1,2\n3,"4\n5,6\n7,8\n', 3, /never closed/],
    ['text after a closing quote', 'a,b\n1,"2" x\n', 2, /closing quote is followed by/],
    [
      'an empty label',
      'a,b\n1,2\n,text\n',
      3,
      /label is empty \(onBadRow: 'skip' or --skip-bad-rows skips such rows\)$/,
    ],
  ])('reports %s with file and line', async (_, content, line, message) => {
    const file = write(content);
    const error = await errorOf(readCsv(file, BY_NUMBER));
    expect(error).toMatchObject({ code: 'INVALID_ROW', file, line });
    expect(error.message).toMatch(message);
    expect(error.message.startsWith(`${file}:${line}`)).toBe(true);
  });

  it('gives the rows before the bad one first', async () => {
    const seen: string[] = [];
    const rows = readCsv(write('a,one\nb,two\nc\n'), BY_NUMBER);
    await expect(
      (async () => {
        for await (const { text } of rows) seen.push(text);
      })(),
    ).rejects.toMatchObject({ line: 3 });
    expect(seen).toEqual(['one', 'two']);
  });

  it.each([1, 2, 3, 5, 1000])('finds bytes that are not UTF-8 in chunks of %d', async (size) => {
    const bytes = Buffer.concat([Buffer.from('a,ö€🙂\nb,xé'), Buffer.of(0xe2, 0x82), Buffer.from('y\n')]);
    const chunks: Buffer[] = [];
    for (let i = 0; i < bytes.length; i += size) chunks.push(bytes.subarray(i, i + size));
    const error = await errorOf(readCsv(Readable.from(chunks), BY_NUMBER));
    expect(error).toMatchObject({ code: 'INVALID_ROW', line: 2, column: 6 });
    expect(error.message).toMatch(/byte 6 of the line is not UTF-8/);
  });

  it('finds a file that ends within a character, and broken UTF-16', async () => {
    expect(
      await errorOf(readCsv(write(Buffer.concat([Buffer.from('a,x\nb,'), Buffer.of(0xf0, 0x9f)])), BY_NUMBER)),
    ).toMatchObject({
      line: 2,
      column: 3,
    });
    const utf16 = Buffer.concat([Buffer.from('\ufeffa,x\n', 'utf16le'), Buffer.of(0x00, 0xd8, 0x41, 0x00)]);
    expect(await errorOf(readCsv(write(utf16), BY_NUMBER))).toMatchObject({ code: 'INVALID_ROW' });
  });

  it('bounds the memory that a quote without end can take', async () => {
    const source = Readable.from(
      (function* () {
        yield Buffer.from('a,"x');
        for (;;) yield Buffer.alloc(65536, 'y');
      })(),
    );
    const error = await errorOf(readCsv(source, { ...BY_NUMBER, maxRowBytes: 1_000_000 }));
    expect(error.message).toMatch(/longer than maxRowBytes/);
  });

  it('passes on the error of a stream', async () => {
    const source = new Readable({
      read() {
        this.destroy(new Error('connection lost'));
      },
    });
    expect((await errorOf(readCsv(source, BY_NUMBER))).message).toMatch(/connection lost/);
  });
});

describe('readCsv options', () => {
  it.each([
    [{ text: 0, label: 1 }, /number, from 1 for text/],
    [{ text: [], label: 1 }, /at least one column for text/],
    [{ text: 1 }, /for label but received undefined/],
    [{ text: 'a', label: 1, header: false }, /Expected column numbers.*"a"/],
    [{ text: 1, label: 2, delimiter: '' }, /delimiter/],
    [{ text: 1, label: 2, quote: '' }, /quote/],
    [{ text: 1, label: 2, encoding: 'utf-7' }, /encoding/],
    [{ text: 1, label: 2, maxRowBytes: 0 }, /maxRowBytes/],
    [{ text: 1, label: 2, sep: ',' }, /Unknown option "sep"/],
  ])('refuses %j at once', (options, message) => {
    expect(() => readCsv('x.csv', options as ReadCsvOptions)).toThrow(message);
  });

  it('refuses an input that is no path and no stream', () => {
    expect(() => readCsv(5 as unknown as string, BY_NUMBER)).toThrow(/a path, a file: URL, - or a stream for input/);
  });
});

describe('readTexts', () => {
  it('reads texts without labels', async () => {
    expect(await all(readTexts(write('body,x\none,1\n"",2\n'), { text: 'body' }))).toEqual([
      { text: 'one', line: 2 },
      { text: '', line: 3 },
    ]);
    expect(await all(readTexts(write('one\n""\ntwo'), { text: 1 }))).toEqual([
      { text: 'one', line: 1 },
      { text: '', line: 2 },
      { text: 'two', line: 3 },
    ]);
  });
});

describe('readCsv, several labels and rows left out', () => {
  const options = { text: 'text', label: 'tags', labelSeparator: '|' };

  it('splits labels, without blanks and empty ones', async () => {
    const file = write('tags,text\na|b c,1\n" d | e ",2\n,3\n||f|,4\n');
    expect((await all(readCsv(file, options))).map(({ label }) => label)).toEqual([
      ['a', 'b c'],
      ['d', 'e'],
      [],
      ['f'],
    ]);
    expect(() => readCsv(file, { ...options, labelSeparator: '' })).toThrow(/a non-empty string for labelSeparator/);
  });

  it('leaves rows out that do not fit, and counts them anew each time', async () => {
    const file = write('a,one\n,two\nb\nc,three,more\n\nd,four\n');
    const rows = readCsv(file, { label: 1, text: 2, onBadRow: 'skip' });
    for (let time = 0; time < 2; time++) {
      expect(await all(rows)).toEqual([
        { label: 'a', text: 'one', line: 1 },
        { label: 'd', text: 'four', line: 6 },
      ]);
      expect(rows.skipped).toBe(3);
      expect(rows.whySkipped.map(({ line }) => line)).toEqual([2, 3, 4]);
    }
    expect(await errorOf(readCsv(file, { label: 1, text: 2 }))).toMatchObject({ line: 2, column: 1 });
    expect(() => readCsv(file, { label: 1, text: 2, onBadRow: 'ignore' as never })).toThrow(/for onBadRow/);
  });

  it('does not leave out what makes the whole file doubtful', async () => {
    const skip = { label: 1, text: 2, onBadRow: 'skip' } as const;
    expect((await errorOf(readCsv(write('a,"one\n'), skip))).message).toMatch(/quote that is never closed/);
    expect((await errorOf(readCsv(write(Buffer.from([0x61, 0x2c, 0xff, 0x0a])), skip))).message).toMatch(/not UTF-8/);
    expect(await errorOf(readCsv(write('a\n'), skip))).toMatchObject({ code: 'MISSING_COLUMN' });
  });
});
