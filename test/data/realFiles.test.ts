import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import {
  type ReadProgress,
  readCsv,
  readFastText,
  readJsonLines,
  readParquet,
  readRows,
  readTexts,
} from '../../src/data/index.js';
import { temporaryFolder } from '../support/folder.js';
import { all, errorOf } from '../support/rows.js';

const folder = temporaryFolder();
let files = 0;

function write(content: string | Uint8Array, name = `${files++}.csv`): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const fixture = (name: string) => new URL(`../fixtures/data/${name}`, import.meta.url);
const BY_NUMBER = { text: 2, label: 1 };
const BY_NAME = { text: 'text', label: 'label' };

/** A stream of pieces of some bytes each. */
function pieces(bytes: Uint8Array, size: number): Readable {
  return Readable.from(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size)),
  );
}

/** UTF-16 with its mark, of either byte order. */
function utf16(text: string, order: 'le' | 'be'): Buffer {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
  return order === 'le' ? bytes : bytes.swap16();
}

interface Quoting {
  content: string;
  delimiter: string;
  quote: string | null;
  rows: string[][];
}

const quoting = JSON.parse(
  readFileSync(new URL('../fixtures/golden/quoting.json', import.meta.url), 'utf8'),
) as Quoting[];

describe('quotes', () => {
  it.each(quoting)('of $content are read as Python reads them', async ({ content, delimiter, quote, rows }) => {
    for (const size of [1, 1000]) {
      const read = await all(readCsv(pieces(Buffer.from(content), size), { ...BY_NUMBER, delimiter, quote }));
      expect(read.map(({ text, label }) => [label, text])).toEqual(rows);
    }
  });

  it('that enclose fields are not what stands between them', () => {
    expect(() => readCsv('x.csv', { ...BY_NUMBER, quote: ',', delimiter: ',' })).toThrow(/they must differ/);
  });

  it('that open in one row and close far below are told', async () => {
    const lines = Array.from({ length: 60 }, (_, i) => `${i === 5 || i === 55 ? '"' : ''}word ${i},${i % 3}\n`);
    lines[55] = 'say",1\n';
    const rows = readCsv(write(`text,label\n${lines.join('')}`), BY_NAME);
    expect(await all(rows)).toHaveLength(10);
    expect(rows.warnings.map(({ line, message }) => [line, message])).toEqual([
      [7, expect.stringMatching(/51 lines were read as one row, since a quote opens .* quote: null .*--quote none/)],
    ]);
    const prose = `"${Array.from({ length: 30 }, (_, i) => `line ${i}, of, a mail`).join('\n')}",a\n`;
    const mails = readCsv(write(`text,label\n${prose}`), BY_NAME);
    expect([(await all(mails)).length, mails.warnings]).toEqual([1, []]);
  });
});

describe('encodings', () => {
  const text = 'label,text\na,schön 🙂\nb,zwei\n';

  it.each(['le', 'be'] as const)('UTF-16 %s is known by its mark, in whatever chunks it arrives', async (order) => {
    const expected = ['schön 🙂', 'zwei'];
    for (const size of [1, 2, 3, 7, 1000]) {
      const texts = async (rows: AsyncIterable<{ text: string }>) => (await all(rows)).map((row) => row.text);
      expect(await texts(readCsv(pieces(utf16(text, order), size), BY_NAME))).toEqual(expected);
      const json = utf16('{"label":"a","text":"schön 🙂"}\r{"label":"b","text":"zwei"}', order);
      expect(await texts(readJsonLines(pieces(json, size), BY_NAME))).toEqual(expected);
      expect(await texts(readRows(pieces(json, size), BY_NAME))).toEqual(expected);
      const fast = utf16('__label__a schön 🙂\n__label__b zwei\n', order);
      expect(await texts(readFastText(pieces(fast, size)))).toEqual(expected);
      expect(await texts(readTexts(pieces(utf16(expected.join('\r\n'), order), size)))).toEqual(expected);
    }
  });

  it('are those that TextDecoder knows, by name', async () => {
    const rows = (encoding: string, bytes: number[]) =>
      all(readCsv(write(Buffer.from([0x61, 0x2c, ...bytes])), { ...BY_NUMBER, encoding }));
    expect(await rows('windows-1251', [0xc4, 0xe0])).toMatchObject([{ text: 'Да' }]);
    expect(await rows('gb18030', [0xc4, 0xe3, 0xba, 0xc3])).toMatchObject([{ text: '你好' }]);
    expect(await rows('latin1', [0x80])).toMatchObject([{ text: '€' }]);
    const bytes = Buffer.from('a,x', 'utf16le').swap16();
    expect(await all(readCsv(write(bytes), { ...BY_NUMBER, encoding: 'utf16be' }))).toMatchObject([{ text: 'x' }]);
    expect(() => readCsv('x.csv', { ...BY_NUMBER, encoding: 'utf9' })).toThrow(/'latin1' or another name .* "utf9"/);
    await expect(rows('shift_jis', [0x81])).rejects.toThrow(/not valid shift_jis/);
  });

  it('are named where bytes are not UTF-8, or UTF-16 has no mark', async () => {
    const latin1 = await errorOf(readCsv(write(Buffer.from('a,sch\xf6n\n', 'latin1')), BY_NUMBER));
    expect(latin1.message).toMatch(/byte 6 of the line is not UTF-8: .*encoding: 'latin1' .*--encoding latin1/);
    const bare = await errorOf(readCsv(write(Buffer.from(text, 'utf16le')), BY_NAME));
    expect(bare.message).toMatch(/seems to be UTF-16 without .* encoding: 'utf16le'/);
  });
});

describe('files that are no texts', () => {
  const header = Buffer.from('{"fc.bias":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const model = Buffer.concat([length, header, Buffer.alloc(4)]);
  const workbook = Buffer.from('PK\x03\x04\x14\x00\x06\x00', 'latin1');

  it.each([
    ['a model', model, /: this is a safetensors file, such as a model or a checkpoint, .*: give a file of texts$/],
    ['a workbook', workbook, /: this is a ZIP archive or an Excel workbook \(\.xlsx\): save the table as CSV/],
  ])('are named in every format: %s', async (_, bytes, message) => {
    const file = write(bytes, `${files++}.bin`);
    const readers = [
      ...[readCsv(file, BY_NAME), readJsonLines(file, BY_NAME), readFastText(file), readTexts(file)],
      ...[readRows(file), readRows(file, BY_NAME), readCsv(file, { ...BY_NAME, encoding: 'latin1' })],
    ];
    for (const rows of readers) expect(await errorOf(rows)).toMatchObject({ code: 'INVALID_FILE', file, message });
  });
});

describe('line ends', () => {
  it.each(['\n', '\r\n', '\r'])('%j ends a line of every format, also between two chunks', async (end) => {
    const contents = {
      csv: ['a,one', 'b,two', ''],
      jsonl: ['{"label":"a","text":"one"}', '', '{"label":"b","text":"two"}'],
      fasttext: ['__label__a one', '__label__b two', ''],
    } as const;
    for (const size of [1, 3, 1000]) {
      for (const [format, lines] of Object.entries(contents)) {
        const source = pieces(Buffer.from(lines.join(end)), size);
        const columns = format === 'jsonl' ? BY_NAME : BY_NUMBER;
        const rows = readRows(source, { ...columns, format: format as keyof typeof contents });
        expect(await all(rows), `${format} ${size}`).toEqual([
          { text: 'one', label: 'a', line: 1 },
          { text: 'two', label: 'b', line: format === 'jsonl' ? 3 : 2 },
        ]);
      }
      const lines = readTexts(pieces(Buffer.from(`one${end}${end}two`), size));
      expect((await all(lines)).map(({ text, line }) => [text, line])).toEqual([
        ['one', 1],
        ['', 2],
        ['two', 3],
      ]);
    }
  });
});

describe('a first line that names the delimiter', () => {
  it.each(['sep=;\r\n', '\ufeffsep=;\r\n', 'SEP=;\n'])('%j is no row', async (first) => {
    const content = Buffer.from(`${first}text;label\r\none, two;a\r\n`);
    const expected = [{ text: 'one, two', label: 'a', line: 3 }];
    for (const size of [1, 1000]) expect(await all(readCsv(pieces(content, size), BY_NAME))).toEqual(expected);
    expect(await all(readCsv(write(content), { ...BY_NAME, delimiter: ';' }))).toEqual(expected);
    const numbers = readCsv(write(`${first}a;one\n`), BY_NUMBER);
    expect(await all(numbers)).toEqual([{ text: 'one', label: 'a', line: 2 }]);
  });
});

describe('columns', () => {
  it('that are missing where another delimiter fits name it', async () => {
    const message = async (content: string, columns: { text: string | number; label: string | number } = BY_NAME) =>
      (await errorOf(readCsv(write(content), columns))).message;
    expect(await message('\ufefftext;label\r\na b;c\r\n')).toMatch(
      /delimiter: ';' \(on the command line --delimiter ';'\)/,
    );
    expect(await message('text\tlabel\na b\tc\n')).toMatch(/delimiter: '\\t'/);
    expect(await message('a b;c\n', BY_NUMBER)).toMatch(/no column 2: the rows have 1; .*delimiter: ';'/);
    expect(await message('Text,label\na,b\n')).toMatch(/there are "Text", "label"; did you mean "Text"\?$/);
    const json = await errorOf(readJsonLines(write('{"text":"a","label":"b"}'), { text: 'Text', label: 'label' }));
    expect(json.message).toMatch(/"Text" is missing: .*there are "text", "label"; did you mean "text"\?/);
  });

  it('named by digits are found by a number beyond the last column', async () => {
    const file = write('2023,2024,1\nmy invoice,billing,x\n');
    const expected = [{ text: 'my invoice', label: 'billing', line: 2 }];
    expect(await all(readCsv(file, { text: 2023, label: 2024 }))).toEqual(expected);
    expect(await all(readCsv(file, { text: '2023', label: '1' }))).toMatchObject([{ label: 'x' }]);
    const rows = readCsv(file, { text: 1, label: 2024 });
    expect(await all(rows)).toEqual(expected);
    expect(rows.warnings[0]!.message).toMatch(/1 is taken as the number of a column; .* is column 3/);
    expect((await errorOf(readCsv(file, { text: 2023, label: 2025 }))).message).toMatch(/no column 2025/);
  });

  it('a header that is read as a row is told', async () => {
    const rows = readCsv(write('text,label\na b,x\nc d,y\ne f,x\n'), { text: 1, label: 2 });
    expect(await all(rows)).toHaveLength(4);
    expect(rows.warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/:1: the first line is read as a row .* "text" .* "label".* header: true .*--header/),
    ]);
    const given = readCsv(rows.file!, { text: 1, label: 2, header: false });
    await all(given);
    const none = readCsv(write('good text,x\na b,x\nc d,y\n'), { text: 1, label: 2 });
    await all(none);
    expect([given.warnings, none.warnings]).toEqual([[], []]);
  });
});

describe('rows that are left out', () => {
  it('have a reason', async () => {
    const rows = readRows(write('{"text":"a"}\n{"label":"b"}\n', 'left.jsonl'), { ...BY_NAME, onBadRow: 'skip' });
    expect(await all(rows)).toEqual([]);
    expect([rows.skipped, rows.firstSkipped?.message]).toEqual([2, expect.stringMatching(/left\.jsonl:1: .*"label"/)]);
  });
});

describe('Parquet', () => {
  it('gives the names of ClassLabels in a list', async () => {
    const rows = readParquet(fixture('hf-list.parquet'), BY_NAME);
    expect((await all(rows)).map(({ label }) => label)).toEqual([['ham'], ['ham', 'spam']]);
  });

  it('says that two columns have one name', async () => {
    const file = fixture('two-names.parquet');
    const message = /2 columns with the name "text", as column 1 and 3, which are ambiguous/;
    expect((await errorOf(readParquet(file, BY_NAME))).message).toMatch(message);
    expect((await errorOf(readParquet(file, { text: 3, label: 'label' }))).message).toMatch(message);
    expect(await all(readParquet(file, { text: 'label', label: 'label' }))).toHaveLength(2);
  });

  it('checks the checksums of pages', async () => {
    const bytes = readFileSync(fixture('checksum.parquet'));
    expect(await all(readParquet(write(bytes, 'whole.parquet'), BY_NAME))).toHaveLength(3);
    const damaged = Buffer.from(bytes);
    damaged.writeUInt8(0x49, damaged.indexOf('invoice'));
    expect(await errorOf(readParquet(write(damaged, 'damaged.parquet'), BY_NAME))).toMatchObject({
      code: 'INVALID_FILE',
      message: expect.stringMatching(/checksum does not match its contents/),
    });
  });
});

describe('inputs', () => {
  const content = 'text,label\none,a\n';
  const expected = [{ text: 'one', label: 'a', line: 2 }];

  it('are file URLs, web streams and bodies of responses', async () => {
    const file = write(content, 'with blank.csv');
    const url = pathToFileURL(file);
    expect(await all(readCsv(url, BY_NAME))).toEqual(expected);
    expect(await all(readRows(url.href, BY_NAME))).toEqual(expected);
    expect(await all(readParquet(fixture('hf-list.parquet'), BY_NAME))).toHaveLength(2);
    const body = readCsv(new Response(content).body!, BY_NAME);
    expect(await all(body)).toEqual(expected);
    await expect(async () => all(body)).rejects.toThrow(/stream has already been read/);
    expect(await all(readTexts(new Blob(['one\ntwo']).stream()))).toHaveLength(2);
    expect(() => readCsv(new URL('https://example.org/a.csv'), BY_NAME)).toThrow(/received a URL of https: give/);
  });

  it('tell how far they are read', async () => {
    const reports: ReadProgress[] = [];
    const file = write(`text,label\n${'one,a\n'.repeat(50_000)}`);
    const rows = readCsv(file, { ...BY_NAME, onProgress: (progress) => reports.push(progress) });
    await all(rows);
    expect(reports.at(-1)).toEqual({ file, bytes: 300_011, totalBytes: 300_011, rows: 50_000 });
    const stream = readRows(pieces(Buffer.from(content), 4), { ...BY_NAME, onProgress: (each) => reports.push(each) });
    await all(stream);
    expect(reports.at(-1)).toEqual({ file: undefined, bytes: 17, totalBytes: undefined, rows: 1 });
  });
});
