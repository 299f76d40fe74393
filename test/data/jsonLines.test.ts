import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect, type ReadJsonLinesOptions, readJsonLines } from '../../src/data/index.js';
import { temporaryFolder } from '../support/folder.js';
import { all, errorOf } from '../support/rows.js';

const folder = temporaryFolder();
let files = 0;

function write(content: string | Uint8Array): string {
  const path = join(folder, `${files++}.jsonl`);
  writeFileSync(path, content);
  return path;
}

const COLUMNS: ReadJsonLinesOptions = { text: 'text', label: 'label' };

describe('readJsonLines', () => {
  it('reads a text and a label a line', async () => {
    const file = write('\ufeff{"text":"one","label":"a","more":[1]}\r\n\n  {"label":"b","text":"two\\nlines"}  \n \n');
    const rows = readJsonLines(file, COLUMNS);
    expect(rows.file).toBe(file);
    const expected = [
      { text: 'one', label: 'a', line: 1 },
      { text: 'two\nlines', label: 'b', line: 3 },
    ];
    expect(await all(rows)).toEqual(expected);
    expect(await all(rows)).toEqual(expected);
  });

  it('reads numbers and booleans as text, and arrays as several labels', async () => {
    const labels = ['1', '1.0', '-0.5', '1e-7', 'true', '"x|y"', '["p","q"]', '[]', '[3,false]'];
    const file = write(labels.map((label) => `{"text":2024,"label":${label}}`).join('\n'));
    const rows = await all(readJsonLines(file, COLUMNS));
    expect(rows.map(({ label }) => label)).toEqual([
      '1',
      '1',
      '-0.5',
      '1e-7',
      'true',
      'x|y',
      ['p', 'q'],
      [],
      ['3', 'false'],
    ]);
    expect(rows[0]!.text).toBe('2024');
    const [split] = await all(
      readJsonLines(write('{"text":"a","label":"x| y|"}'), { ...COLUMNS, labelSeparator: '|' }),
    );
    expect(split!.label).toEqual(['x', 'y']);
  });

  it('joins several texts by a blank, of which some may be null', async () => {
    const file = write(
      '{"a":"x","b":"y","label":"1"}\n{"a":null,"b":"y","label":"1"}\n{"a":null,"b":null,"label":"1"}\n',
    );
    const options = { text: ['a', 'b'], label: 'label' };
    const rows = readJsonLines(file, { ...options, onBadRow: 'skip' });
    expect((await all(rows)).map(({ text }) => text)).toEqual(['x y', ' y']);
    expect(rows.skipped).toBe(1);
    expect(await errorOf(readJsonLines(file, options))).toMatchObject({
      code: 'INVALID_ROW',
      line: 3,
      message: expect.stringContaining('the fields "a", "b" are all null'),
    });
    expect((await errorOf(readJsonLines(file, { text: ['a', 'c'], label: 'label' }))).message).toMatch(
      /:1: the field "c" is missing: expected a string/,
    );
  });

  it.each([
    ['{"text":"a"}', /:2: the field "label" is missing: expected a string, or an array .*onBadRow: 'skip'/],
    ['{"text":null,"label":"a"}', /:2: the field "text" is null: expected a string .*onBadRow/],
    ['{"text":["a"],"label":"a"}', /:2: the field "text" is an array: expected a string \(onBadRow/],
    ['{"text":"a","label":{}}', /:2: the field "label" is an object/],
    ['{"text":"a","label":["x",null]}', /:2: the field "label\[1\]" is null/],
    ['{"text":"a","label":""}', /:2: the label in "label" is empty/],
    ['{"text":"a","label":12345678901234567890}', /:2: the field "label" is a number beyond 2\^53/],
    ['{"text":"a","label":NaN}', /:2: the line is not JSON .*NaN and Infinity are not JSON: write null/],
    ['{"text":"a","label":"b"', /:2: the line is not JSON .*; expected one object per line/],
    ['["a","b"]', /:2: the line is not a JSON object such as/],
    ['null', /:2: the line is not a JSON object/],
    ['{"__proto__":{"text":"a","label":"b"}}', /:2: the field "text" is missing/],
  ])('names what is wrong with %s, or leaves it out', async (line, message) => {
    const file = write(`{"text":"a","label":"b"}\n${line}\n{"text":"c","label":"d"}\n`);
    const error = await errorOf(readJsonLines(file, COLUMNS));
    expect(error).toMatchObject({ code: 'INVALID_ROW', file, line: 2 });
    expect(error.message).toMatch(message);
    const rows = readJsonLines(file, { ...COLUMNS, onBadRow: 'skip' });
    expect((await all(rows)).map(({ text }) => text)).toEqual(['a', 'c']);
    expect(rows.skipped).toBe(1);
  });

  it.each(['[{"text":"a","label":"b"}]', '[\n  {"text":"a","label":"b"}\n]'])(
    'explains the array %j',
    async (content) => {
      const error = await errorOf(readJsonLines(write(content), { ...COLUMNS, onBadRow: 'skip' }));
      expect(error.code).toBe('INVALID_FILE');
      expect(error.message).toMatch(/the file is one JSON array; expected one object per line.* jq -c .*lines=True/);
    },
  );

  it('bounds a line, and finds bytes that are not UTF-8', async () => {
    const file = write(`{"text":"a","label":"b"}\n{"text":"${'x'.repeat(300_000)}","label":"b"}\n`);
    expect(await errorOf(readJsonLines(file, { ...COLUMNS, maxRowBytes: 1000 }))).toMatchObject({
      code: 'INVALID_ROW',
      line: 2,
      message: expect.stringContaining('the line is longer than maxRowBytes, 1000'),
    });
    expect((await all(readJsonLines(file, COLUMNS)))[1]!.text).toHaveLength(300_000);
    const broken = write(Buffer.concat([Buffer.from('{"text":"a","label":"b"}\n{"text":"'), Buffer.from([0xe9])]));
    expect((await errorOf(readJsonLines(broken, { ...COLUMNS, onBadRow: 'skip' }))).message).toMatch(
      /:2:.* is not UTF-8/,
    );
    const latin = write(Buffer.from('{"text":"é","label":"b"}\n', 'latin1'));
    expect((await all(readJsonLines(latin, { ...COLUMNS, encoding: 'latin1' })))[0]!.text).toBe('é');
  });

  it('gives back what was written, whatever it is', async () => {
    const label = fc.oneof(fc.string({ minLength: 1 }), fc.array(fc.string({ minLength: 1 }), { maxLength: 3 }));
    const row = fc.record({ text: fc.string({ unit: 'binary' }), label });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 20 }), fc.constantFrom('\n', '\r\n', '\n\n'), async (rows, end) => {
        const file = write(rows.map((each) => JSON.stringify(each) + end).join(''));
        expect((await all(readJsonLines(file, COLUMNS))).map(({ text, label }) => ({ text, label }))).toEqual(rows);
      }),
    );
  });

  it('refuses options that do not fit', () => {
    expect(() => readJsonLines('a', { ...COLUMNS, delimiter: ',' } as never)).toThrow(/Unknown option "delimiter"/);
    expect(() => readJsonLines('a', { text: [], label: 'a' })).toThrow(/at least one column for text/);
    expect(() => readJsonLines('a', { ...COLUMNS, maxRowBytes: 0 })).toThrow(/for maxRowBytes/);
    expect(() => readJsonLines('a', { ...COLUMNS, encoding: 'utf7' as never })).toThrow(/for encoding/);
    expect(() => readJsonLines('a', { ...COLUMNS, labelSeparator: 1 as never })).toThrow(/for labelSeparator/);
    expect(() => readJsonLines('a', { ...COLUMNS, onBadRow: true as never })).toThrow(/'error' or 'skip' for onBadRow/);
  });

  it('feeds a multi-label set, and names the option where classes are exclusive', async () => {
    const file = write('{"text":"a","label":["x","y"]}\n{"text":"b","label":[]}\n');
    expect((await collect(readJsonLines(file, COLUMNS), { multiLabel: true })).dataset.classes).toEqual(['x', 'y']);
    await expect(collect(readJsonLines(file, COLUMNS))).rejects.toMatchObject({
      file,
      line: 1,
      message: expect.stringContaining('multiLabel: true'),
    });
  });
});
