import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type ReadRowsOptions, readRows, readTexts, type TextFormat } from '../../src/data/index.js';
import { temporaryFolder } from '../support/folder.js';
import { all, errorOf } from '../support/rows.js';

const folder = temporaryFolder();

function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const CONTENT = {
  csv: 'label,text\nx,"a, b"\n',
  tsv: 'label\ttext\nx\ta, b\n',
  jsonl: '{"label":"x","text":"a, b"}\n',
  fasttext: '__label__x a, b\n',
  lines: 'a, b\n',
} as const;
const COLUMNS: ReadRowsOptions = { text: 'text', label: 'label' };

async function simple(rows: AsyncIterable<{ text: string; label?: string | readonly string[] }>) {
  return (await all(rows)).map(({ text, label }) => [text, label]);
}

describe('readRows', () => {
  it.each([
    ['a.csv', 'csv'],
    ['a.CSV', 'csv'],
    ['a.tsv', 'tsv'],
    ['a.tab', 'tsv'],
    ['a.jsonl', 'jsonl'],
    ['a.ndjson', 'jsonl'],
    ['a.json', 'jsonl'],
    ['a', 'csv'],
    ['a.txt', 'csv'],
    ['b.txt', 'jsonl'],
    ['train.ft.txt', 'fasttext'],
  ] as const)('reads %s as %s', async (name, format) => {
    expect(await simple(readRows(write(name, CONTENT[format]), COLUMNS))).toEqual([['a, b', 'x']]);
  });

  it.each(['csv', 'tsv', 'jsonl', 'fasttext'] as const)('reads %s by option, whatever the name', async (format) => {
    const file = write('some.csv', CONTENT[format]);
    expect(await simple(readRows(file, { ...COLUMNS, format }))).toEqual([['a, b', 'x']]);
  });

  it.each(['csv', 'jsonl', 'fasttext'] as const)('knows a stream of %s by its content', async (format) => {
    const rows = readRows(Readable.from([Buffer.from(CONTENT[format])]), COLUMNS);
    expect(rows.file).toBe(undefined);
    expect(await simple(rows)).toEqual([['a, b', 'x']]);
    await expect(async () => all(rows)).rejects.toThrow(/already been read/);
  });

  it('takes content for JSON only where it is', async () => {
    expect(await simple(readRows(write('c.txt', '{a},x\n'), { text: 1, label: 2 }))).toEqual([['{a}', 'x']]);
    expect(await simple(readRows(write('d.txt', '{"a"},x\n'), { text: 1, label: 2, quote: null }))).toEqual([
      ['{"a"}', 'x'],
    ]);
    const long = `{"text":"${'a'.repeat(200_000)}","label":"x"}\n`;
    expect((await all(readRows(write('e.txt', long), COLUMNS)))[0]!.label).toBe('x');
  });

  it('counts rows left out, also where the content decided', async () => {
    const rows = readRows(write('f.txt', `${CONTENT.jsonl}{}\n`), { ...COLUMNS, onBadRow: 'skip' });
    expect(rows.skipped).toBe(0);
    expect(await all(rows)).toHaveLength(1);
    expect(rows.skipped).toBe(1);
  });

  it('passes the options on', async () => {
    const file = write('g.csv', 'x|y;a\n');
    expect(await simple(readRows(file, { label: 1, text: 2, delimiter: ';', labelSeparator: '|' }))).toEqual([
      ['a', ['x', 'y']],
    ]);
    expect(await simple(readRows(write('h.txt', '#x a\n'), { labelPrefix: '#' }))).toEqual([['a', 'x']]);
  });

  it('refuses what it cannot read', async () => {
    expect(() => readRows('a', { format: 'xml' as never })).toThrow(
      /one of 'csv', 'tsv', 'jsonl', 'fasttext', 'parquet' for format/,
    );
    expect(() => readRows('a', { columns: 1 } as never)).toThrow(/Unknown option "columns" for readRows/);
    expect(() => readRows('a', { ...COLUMNS, onBadRow: 'x' as never })).toThrow(/for onBadRow/);
    await expect(all(readRows(write('i.txt', 'a,b\n')))).rejects.toThrow(/there is no column "text"/);
    expect(await errorOf(readRows(join(folder, 'none'), COLUMNS))).toMatchObject({ code: 'FILE_NOT_FOUND' });
  });
});

describe('readTexts', () => {
  it.each(['csv', 'tsv', 'jsonl', 'fasttext', 'lines'] as TextFormat[])('reads %s by option', async (format) => {
    const file = write('texts', CONTENT[format as keyof typeof CONTENT]);
    const text = format === 'lines' || format === 'fasttext' ? undefined : 'text';
    expect((await all(readTexts(file, { format, text }))).map((row) => row.text)).toEqual(['a, b']);
  });

  it('takes each line for a text where no column is given, blank ones too', async () => {
    const content = '\ufeffone\r\n\n{"text":"x"}\n__label__a b';
    expect(await all(readTexts(write('lines.txt', content)))).toEqual([
      { text: 'one', line: 1 },
      { text: '', line: 2 },
      { text: '{"text":"x"}', line: 3 },
      { text: '__label__a b', line: 4 },
    ]);
  });

  it('knows the content where a column is given', async () => {
    expect((await all(readTexts(write('j.txt', CONTENT.jsonl), { text: 'text' }))).map(({ text }) => text)).toEqual([
      'a, b',
    ]);
  });
});
