import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRows, readTexts } from '../../src/data/index.js';
import { columnsIn } from '../../src/data/readers/columns.js';
import { temporaryFolder } from '../support/folder.js';
import { all, errorOf } from '../support/rows.js';

const folder = temporaryFolder();

function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const tickets = write('tickets.csv', 'id,text,label,customer\n007,"a ""b""",x,c1\n8,c,y,\n');
const lines = write(
  'tickets.jsonl',
  '{"id":7,"text":"a","label":"x","customer":"c1","more":{"z":1}}\n{"id":8,"text":"b","label":"y","customer":null,"more":null}\n',
);

describe('columns', () => {
  it('are text and label where none are named', async () => {
    expect((await all(readRows(tickets))).map(({ text, label }) => [text, label])).toEqual([
      ['a "b"', 'x'],
      ['c', 'y'],
    ]);
    expect(await all(readRows(lines))).toHaveLength(2);
    expect((await all(readTexts(tickets))).map(({ text }) => text)).toEqual(['a "b"', 'c']);
    const other = write('other.csv', 'id,body,queue\n1,a,x\n');
    const error = await errorOf(readRows(other));
    expect(error).toMatchObject({ code: 'MISSING_COLUMN', file: other });
    expect(error.message).toMatch(/no column "text"; there are "id", "body", "queue".*with the options text and label/);
    expect((await errorOf(readRows(other, { text: 'body' }))).message).toMatch(
      /no column "label".*label is the default column; name that of the file with the option label \(--label\)$/,
    );
    // A column that was named is not a default.
    expect((await errorOf(readRows(other, { text: 'bdy' }))).message).toMatch(/did you mean "body"\?$/);
    expect((await errorOf(readTexts(other))).message).toMatch(/text is the default column/);
    const objects = write('other.jsonl', '{"body":"a","queue":"x"}\n');
    expect((await errorOf(readRows(objects))).message).toMatch(/the field "text" is missing.*default columns/);
  });

  it('are what a reader tells of its rows', async () => {
    const rows = readRows(tickets, { text: ['id', 'text'], label: 2, labelSeparator: '|', header: true });
    expect(rows.columns).toEqual({ text: ['id', 'text'], label: 2, labelSeparator: '|', header: true });
    expect(readTexts(tickets, { text: ['text'] }).columns).toEqual({ text: 'text' });
    const fastText = readRows(write('ft.txt', '__label__x a\n'));
    await all(fastText);
    expect(fastText.columns).toBe(undefined);
    const byContent = readRows(write('unnamed', 'text,label\na,x\n'));
    await all(byContent);
    expect(byContent.columns).toEqual({ text: 'text', label: 'label' });
  });

  it('of unknown contents are checked', () => {
    expect(columnsIn({ text: 'a', label: 0, source: ['b'], other: 1, header: true })).toEqual({
      text: 'a',
      header: true,
    });
    expect(columnsIn({ text: [] })).toBe(undefined);
    expect(columnsIn('text')).toBe(undefined);
    expect(columnsIn(JSON.parse('{"__proto__": {"text": "a"}}'))).toBe(undefined);
  });
});

describe('the column of groups', () => {
  it('is read in each format; an empty field is no group', async () => {
    for (const file of [tickets, lines])
      expect((await all(readRows(file, { group: 'customer' }))).map(({ group }) => group)).toEqual(['c1', undefined]);
    expect((await all(readRows(tickets, { text: 2, label: 3, group: 4, header: true })))[0]).toMatchObject({
      group: 'c1',
    });
    expect((await errorOf(readRows(tickets, { group: 'custmer' }))).message).toMatch(/did you mean "customer"/);
    expect(() => readRows(tickets, { group: 0 })).toThrow(/for group but received number 0/);
    expect((await all(readRows(tickets)))[0]).not.toHaveProperty('group');
  });
});

describe('columns that are kept', () => {
  it('carry their values, as they are in the file', async () => {
    expect((await all(readTexts(tickets, { keep: ['id', 'customer'] }))).map(({ kept }) => kept)).toEqual([
      { id: '007', customer: 'c1' },
      { id: '8', customer: '' },
    ]);
    expect((await all(readTexts(lines, { keep: ['id', 'more'] }))).map(({ kept }) => kept)).toEqual([
      { id: 7, more: { z: 1 } },
      { id: 8, more: null },
    ]);
    const headless = write('headless.csv', '7,a\n');
    expect(await all(readTexts(headless, { text: 2, keep: 1 }))).toEqual([{ text: 'a', kept: { 1: '7' }, line: 1 }]);
    expect((await all(readTexts(tickets, { text: 2, keep: 1, header: true })))[0]!.kept).toEqual({ id: '007' });
  });

  it('must be there, and must keep their digits', async () => {
    expect((await errorOf(readTexts(tickets, { keep: 'ID' }))).message).toMatch(/did you mean "id"/);
    expect((await errorOf(readTexts(lines, { keep: 'ID' }))).message).toMatch(/the field "ID" is missing/);
    const large = write('large.jsonl', '{"id":12345678901234567890,"text":"a"}\n');
    expect((await errorOf(readTexts(large, { keep: 'id' }))).message).toMatch(/beyond 2\^53, which loses digits/);
    const plain = write('plain.txt', 'a\n');
    expect(() => readTexts(plain, { keep: 'id' })).toThrow(/read as one text per line, which has no columns to keep/);
  });
});
