import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ReadSpansOptions, readSpans, readTags, type TextSpan } from '../../src/index.js';
import { realData } from '../support/data.js';
import { temporaryFolder } from '../support/folder.js';
import { all, errorOf } from '../support/rows.js';

const folder = temporaryFolder();
let files = 0;

function write(...records: unknown[]): string {
  const path = join(folder, `${files++}.jsonl`);
  writeFileSync(path, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  return path;
}

const text = 'I 🙂 live in New York';
const utf16 = { start: 13, end: 21, label: 'LOC' };
const points = { start: 12, end: 20, label: 'LOC' };

describe('readSpans', () => {
  it.each<[string, unknown]>([
    ['this library', { text, spans: [utf16] }],
    ['this library, with texts', { text, spans: [{ ...utf16, text: 'New York' }], intent: 'x' }],
    ['spaCy', { text, ents: [points], tokens: [] }],
    ['spaCy training data', { text, entities: [[12, 20, 'LOC']] }],
    ['Doccano', { id: 1, text, label: [[12, 20, 'LOC']], Comments: [] }],
    ['Doccano before', { id: 1, text, labels: [[12, 20, 'LOC']] }],
    [
      'Doccano with relations',
      { text, entities: [{ id: 3, start_offset: 12, end_offset: 20, label: 'LOC' }], relations: [] },
    ],
    ['Label Studio, small', { text, label: [{ start: 13, end: 21, text: 'New York', labels: ['LOC'] }] }],
    [
      'Label Studio',
      {
        id: 4,
        data: { text },
        annotations: [
          { was_cancelled: true, result: [] },
          {
            result: [
              { type: 'labels', value: { start: 13, end: 21, text: 'New York', labels: ['LOC'] } },
              { type: 'choices', value: { choices: ['x'] } },
              { type: 'relation', from_id: 'a', to_id: 'b' },
            ],
          },
        ],
      },
    ],
  ])('reads what %s writes', async (_, record) => {
    const [row] = await all(readSpans(write(record)));
    expect(row).toEqual({ text, spans: [utf16], line: 1 });
    expect(text.slice(utf16.start, utf16.end)).toBe('New York');
  });

  it('counts as it is told, and orders spans', async () => {
    const record = {
      text: 'a 🙂 b',
      spans: [
        { start: 4, end: 5, label: 'B' },
        { start: 0, end: 1, label: 'A' },
      ],
    };
    const [row] = await all(readSpans(write(record), { offsets: 'codePoints' }));
    expect(row!.spans).toEqual([
      { start: 0, end: 1, label: 'A' },
      { start: 5, end: 6, label: 'B' },
    ]);
    const named = { body: 'a b', marks: [[2, 3, 'B']] };
    expect((await all(readSpans(write(named), { text: 'body', spans: 'marks' })))[0]!.spans).toEqual([
      { start: 2, end: 3, label: 'B' },
    ]);
  });

  it('keeps a text without spans, and a label of an odd name', async () => {
    expect(await all(readSpans(write({ text: '', spans: [] }, { text: 'a', spans: [[0, 1, '__proto__']] })))).toEqual([
      { text: '', spans: [], line: 1 },
      { text: 'a', spans: [{ start: 0, end: 1, label: '__proto__' }], line: 2 },
    ]);
  });

  it.each<[unknown, RegExp, ReadSpansOptions?]>([
    [{ text: 'ab' }, /the spans are missing: expected a field spans, ents, entities, labels, label or annotations/],
    [{ text: 'ab', spans: null }, /the field "spans" is null: expected an array of spans/],
    [{ text: 'ab', label: 'x' }, /the field "label" is a string/],
    [{ text: 'ab', spans: [[0, 1]] }, /spans\[0\] is an array of 2: expected \[start, end, label\]/],
    [{ text: 'ab', spans: [3] }, /spans\[0\] is not a span/],
    [{ spans: [] }, /the field "text" is missing/],
    [{ text: 'ab', spans: [[0, 3, 'A']] }, /span 1 \(from 0 to 3\) is not within the text, which has 2 UTF-16/],
    [{ text: 'ab', spans: [[-1, 1, 'A']] }, /is not within the text/],
    [{ text: 'ab', spans: [[1, 1, 'A']] }, /span 1 \(from 1 to 1\) is empty/],
    [{ text: 'ab', spans: [[2, 1, 'A']] }, /is empty/],
    [
      { text: 'ab', spans: [{ start: { toString: 1 }, end: 1, label: 'A' }] },
      /span 1 has a start or an end that is not an integer/,
    ],
    [{ text: 'ab', spans: [{ start: 0, label: 'A' }] }, /not an integer/],
    [{ text: 'ab', spans: [[0, 1, '']] }, /span 1 .* has no label/],
    [{ text: 'ab', spans: [[0, 1, 7]] }, /has no label: expected a non-empty string/],
    [
      {
        text: 'abc',
        spans: [
          [1, 3, 'B'],
          [0, 2, 'A'],
        ],
      },
      /two spans overlap, "A" from 0 to 2 and "B" from 1 to 3/,
    ],
    [{ text: '🙂b', spans: [{ start: 1, end: 2, label: 'A' }] }, /has a border within a character/],
    [{ text: '🙂b', spans: [[0, 5, 'A']] }, /a span has the position 5, but the text has 2 code points/],
    [
      { text: 'ab', spans: [{ start: 0, end: 1, label: 'A', text: 'b' }] },
      /the span "b" is not where it says: the text has "a" from 0 to 1/,
    ],
    [{ text: 'ab', label: [{ start: 0, end: 1, labels: ['A', 'B'] }] }, /label\[0\] has 2 labels/],
    [{ data: { text: 'ab' }, annotations: [] }, /no annotation that was not cancelled/],
    [{ data: { text: 'ab' }, annotations: [{ id: 1 }] }, /annotations\[0\]\.result is missing/],
  ])('names what is wrong with %j, or leaves it out', async (record, message, options = {}) => {
    const file = write({ text: 'a', spans: [] }, record, { text: 'c', spans: [] });
    const error = await errorOf(readSpans(file, options));
    expect(error).toMatchObject({ code: 'INVALID_ROW', file, line: 2 });
    expect(error.message).toMatch(message);
    const rows = readSpans(file, { ...options, onBadRow: 'skip' });
    expect((await all(rows)).map((row) => row.text)).toEqual(['a', 'c']);
    expect(rows.skipped).toBe(1);
  });

  it('refuses options that do not fit', () => {
    expect(() => readSpans('a', { offsets: 'bytes' as never })).toThrow(/'utf16' or 'codePoints' for offsets/);
    expect(() => readSpans('a', { label: 'x' } as never)).toThrow(/Unknown option "label"/);
  });

  it('gives back what was written, in either count', async () => {
    const content = fc.array(
      fc.tuple(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }), fc.option(fc.constantFrom('A', 'B'))),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(content, { maxLength: 6 }), async (rows) => {
        const records = rows.map((parts) => {
          let at = 0;
          const spans: TextSpan[] = [];
          for (const [part, label] of parts) {
            if (label !== null) spans.push({ start: at, end: at + part.length, label });
            at += part.length;
          }
          return { text: parts.map(([part]) => part).join(''), spans };
        });
        const found = await all(readSpans(write(...records)));
        expect(found.map(({ text, spans }) => ({ text, spans }))).toEqual(records);
        const python = records.map(({ text, spans }) => ({
          text,
          entities: spans.map(({ start, end, label }) => [
            [...text.slice(0, start)].length,
            [...text.slice(0, end)].length,
            label,
          ]),
        }));
        expect((await all(readSpans(write(...python)))).map(({ text, spans }) => ({ text, spans }))).toEqual(records);
      }),
    );
  });
});

it('reads Snips', async () => {
  const file = realData('snips', 'test.jsonl');
  if (file === undefined) return;
  const rows = await all(readSpans(file));
  expect([rows.length, rows.flatMap(({ spans }) => spans).length]).toEqual([700, 1794]);
});

describe('readTags of JSON lines', () => {
  const records: unknown[] = [
    { tokens: ['Ada', ''], tags: ['B-PER', 'O'] },
    { text: 'Rome', tokens: ['Rome'], spans: [{ start: 0, end: 4, label: 'LOC' }] },
  ];

  it('gives tokens with tags beside texts with spans', async () => {
    expect(await all(readTags(write(...records)))).toEqual([
      { tokens: ['Ada', ''], tags: ['B-PER', 'O'], line: 1 },
      { text: 'Rome', spans: [{ start: 0, end: 4, label: 'LOC' }], line: 2 },
    ]);
    const named = { words: ['a'], '2': ['X'] };
    expect(await all(readTags(write(named), { token: 'words', tag: 2 }))).toEqual([
      { tokens: ['a'], tags: ['X'], line: 1 },
    ]);
  });

  it.each<[object, string]>([
    [{ tokens: ['a'] }, 'the field "tags" is missing: expected an array of strings'],
    [{ tokens: null, tags: [] }, 'the field "tokens" is null: expected an array of strings'],
    [{ tokens: 'a', tags: [] }, 'the field "tokens" is a string: expected an array of strings'],
    [{ tokens: ['a', 5], tags: ['O', 'O'] }, 'tokens[1] is 5: expected a string'],
    [{ tokens: ['a'], tags: [''] }, 'tags[0] is "": expected a string that is not empty'],
    [{ tokens: ['a'], tags: ['O', 'O'] }, 'there are 1 tokens and 2 tags; expected a tag for each token'],
  ])('refuses %j', async (record, message) => {
    const path = write(records[0], record, records[1]);
    const error = await errorOf(readTags(path));
    expect(error).toMatchObject({ code: 'INVALID_ROW', line: 2, message: expect.stringContaining(message) });
    const rows = readTags(path, { onBadRow: 'skip' });
    expect(await all(rows)).toHaveLength(2);
    expect(rows.skipped).toBe(1);
  });
});
