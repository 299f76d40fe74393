import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFastText } from '../../src/data/index.js';
import { temporaryFolder } from '../support/folder.js';
import { all, errorOf } from '../support/rows.js';

const folder = temporaryFolder();
let files = 0;

function write(content: string): string {
  const path = join(folder, `${files++}.ft.txt`);
  writeFileSync(path, content);
  return path;
}

describe('readFastText', () => {
  it('takes labels out, before the text as a rule, wherever they are', async () => {
    const file = write(
      '__label__sports the  match , was lost\r\n\n' +
        '__label__a __label__b-c\ttwo labels\n' +
        'no label at all\n' +
        'one __label__late behind\n' +
        '__label__only\n' +
        'not__label__one\n',
    );
    expect(await all(readFastText(file))).toEqual([
      { text: 'the  match , was lost', label: 'sports', line: 1 },
      { text: 'two labels', label: ['a', 'b-c'], line: 3 },
      { text: 'no label at all', label: [], line: 4 },
      { text: 'one  behind', label: 'late', line: 5 },
      { text: '', label: 'only', line: 6 },
      { text: 'not__label__one', label: [], line: 7 },
    ]);
  });

  it('takes another prefix', async () => {
    const rows = await all(readFastText(write('#x #y text __label__z\n'), { labelPrefix: '#' }));
    expect(rows).toEqual([{ text: 'text __label__z', label: ['x', 'y'], line: 1 }]);
    expect(() => readFastText('a', { labelPrefix: 'a b' })).toThrow(/a string without blanks for labelPrefix/);
    expect(() => readFastText('a', { text: 'a' } as never)).toThrow(/Unknown option "text"/);
  });

  it('refuses a label without a name, or leaves it out', async () => {
    const file = write('__label__a one\n__label__ two\nthree __label__ four\n');
    expect(await errorOf(readFastText(file))).toMatchObject({
      code: 'INVALID_ROW',
      line: 2,
      message: expect.stringContaining('a label has no name'),
    });
    const rows = readFastText(file, { onBadRow: 'skip' });
    expect(await all(rows)).toHaveLength(1);
    expect(rows.skipped).toBe(2);
  });

  it('gives back what was written', async () => {
    const word = fc.string({ minLength: 1 }).filter((each) => /^\S+$/.test(each) && !each.startsWith('__label__'));
    const row = fc.record({
      labels: fc.array(word, { maxLength: 3 }),
      words: fc.array(word, { minLength: 1, maxLength: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 20 }), async (rows) => {
        const lines = rows.map(({ labels, words }) =>
          [...labels.map((label) => `__label__${label}`), ...words].join(' '),
        );
        const found = await all(readFastText(write(`${lines.join('\n')}\n`)));
        expect(found.map(({ text, label }) => ({ text, labels: [label].flat() }))).toEqual(
          rows.map(({ labels, words }) => ({ text: words.join(' '), labels })),
        );
      }),
    );
  });
});
