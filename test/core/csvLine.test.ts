import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvLine } from '../../src/core/csvLine.js';
import { csvParse } from '../../src/data/readers/libraries.js';

describe('csvLine', () => {
  it('quotes what a reader would split, and nothing else', () => {
    expect(csvLine(['a', 1, true, null, undefined, '', { b: 'c' }], ',')).toBe('a,1,true,,,,"{""b"":""c""}"');
    expect(csvLine(['a,b', 'say "hi"', 'two\nlines', ' padded', 'a;b'], ',')).toBe(
      '"a,b","say ""hi""","two\nlines"," padded",a;b',
    );
    expect(csvLine(['a,b', 'a\tb'], '\t')).toBe('a,b\t"a\tb"');
  });

  it('is read back as it was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 2, maxLength: 6 }), async (cells) => {
        const rows: string[][] = [];
        const parser = csvParse().parse(`${csvLine(cells, ',')}\n`, { bom: false });
        for await (const row of parser) rows.push(row as string[]);
        expect(rows).toEqual([cells]);
      }),
    );
  });
});
