import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type Pair, type ReadPairsOptions, readPairs } from '../../src/index.js';
import { temporaryFolder } from '../support/folder.js';

const folder = temporaryFolder();

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function read(path: string | Readable, options?: ReadPairsOptions): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for await (const pair of readPairs(path, options)) pairs.push(pair);
  return pairs;
}

describe('readPairs', () => {
  it('reads columns by name or number, of whatever format', async () => {
    const expected = [
      { source: 'Go.', target: 'Va !', line: 2 },
      { source: 'He said, "no"', target: 'Il a dit non', line: 3 },
    ];
    const csv = 'id,source,target\n1,Go.,Va !\n2,"He said, ""no""",Il a dit non\n';
    expect(await read(file('a.csv', csv))).toEqual(expected);
    expect(await read(file('a.csv.gz', gzipSync(csv)))).toEqual(expected);
    expect(await read(Readable.from([Buffer.from(csv)]))).toEqual(expected);
    expect(await read(file('b.csv', csv.replace('source', 'en')), { source: 'en', target: 3 })).toEqual(expected);
    const tsv = 'Go.\tVa !\tCC-BY\nRun!\tCours !\tCC-BY\n';
    expect(await read(file('c.tsv', tsv), { source: 2, target: 1 })).toEqual([
      { source: 'Va !', target: 'Go.', line: 1 },
      { source: 'Cours !', target: 'Run!', line: 2 },
    ]);
    const lines = '{"source":"4 July","target":704}\n\n{"target":"x","source":"y"}\n';
    expect(await read(file('d.jsonl', lines))).toEqual([
      { source: '4 July', target: '704', line: 1 },
      { source: 'y', target: 'x', line: 3 },
    ]);
    expect(await read(file('d', lines))).toEqual(await read(join(folder, 'd.jsonl')));
  });

  it('says what does not fit, and where', async () => {
    const missing = read(file('e.csv', 'en,fr\na,b\n'));
    await expect(missing).rejects.toMatchObject({
      code: 'MISSING_COLUMN',
      message: expect.stringMatching(/"en", "fr"/),
    });
    await expect(read(file('f.jsonl', '{"source":"a"}\n'))).rejects.toMatchObject({ code: 'INVALID_ROW', line: 1 });
    const labels = read(file('g', '__label__a text\n'));
    await expect(labels).rejects.toMatchObject({ code: 'INVALID_FILE' });
    expect(() => readPairs('x.csv', { source: 0 })).toThrow(/source/);
    expect(() => readPairs('x.csv', { text: 'a' } as never)).toThrow(/text/);
    const rows = readPairs(file('h.csv', 'source,target\na\nb,c\n'), { onBadRow: 'skip' });
    const kept: Pair[] = [];
    for await (const pair of rows) kept.push(pair);
    expect([kept, rows.skipped]).toEqual([[{ source: 'b', target: 'c', line: 3 }], 1]);
  });
});
