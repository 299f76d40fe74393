import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { collect, readPairs, readRows, readTags, readTexts } from '../../src/data/index.js';
import { TextTagger } from '../../src/models/tagger/index.js';
import { temporaryFolder } from '../support/folder.js';
import { all, errorOf } from '../support/rows.js';

const folder = temporaryFolder();

function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const COLUMNS = { text: 'body', label: 'queue' } as const;
const jan = write('jan.csv', 'id,body,queue\n1,one,a\n2,two,b\n');
const feb = write('feb.csv', 'queue,body,id\nb,three,3\n');
const mar = write('mar.jsonl', '{"body":"four","queue":"a"}\n{"body":"five","queue":"b"}\n');

describe('several files', () => {
  it('are read one after the other, each in its own format and order of columns', async () => {
    const rows = readRows([jan, pathToFileURL(feb), mar], COLUMNS);
    expect((await all(rows)).map(({ text, label, line }) => [text, label, line])).toEqual([
      ['one', 'a', 2],
      ['two', 'b', 3],
      ['three', 'b', 2],
      ['four', 'a', 1],
      ['five', 'b', 2],
    ]);
    expect([1, 2, 3, 4, 5].map((row) => rows.fileOf!(row))).toEqual([jan, jan, feb, mar, mar]);
    expect([rows.file, rows.files]).toEqual([undefined, [jan, feb, mar]]);
    // They can be read again.
    expect(await all(rows)).toHaveLength(5);
    expect(rows.fileOf!(3)).toBe(feb);
  });

  it('are streamed: a file is opened when the one before has been read', async () => {
    const seen: string[] = [];
    for await (const { text } of readRows([jan, join(folder, 'none.csv')], COLUMNS)) {
      seen.push(text);
      if (text === 'two') break;
    }
    expect(seen).toEqual(['one', 'two']);
    expect(await errorOf(readRows([jan, join(folder, 'none.csv')], COLUMNS))).toMatchObject({
      code: 'FILE_NOT_FOUND',
      file: join(folder, 'none.csv'),
    });
    const stream = Readable.from([Buffer.from('{"body":"six","queue":"a"}\n')]);
    const mixed = readRows([jan, stream], COLUMNS);
    expect((await all(mixed)).map(({ text }) => text)).toEqual(['one', 'two', 'six']);
    expect([mixed.files, mixed.fileOf!(3)]).toEqual([[jan], undefined]);
  });

  it('name the file of an error, also after the reader', async () => {
    const other = write('other.csv', 'id,text,dept\n1,x,a\n');
    const missing = await errorOf(readRows([jan, other], COLUMNS));
    expect(missing).toMatchObject({ code: 'MISSING_COLUMN', file: other, line: 1 });
    expect(missing.message).toContain('there is no column "body"; there are "id", "text", "dept"');
    const empty = write('empty.csv', 'body,queue\nx,a\ny,\n');
    expect(await errorOf(readRows([jan, empty], COLUMNS))).toMatchObject({ file: empty, line: 3, column: 2 });
    const labels = write('labels.jsonl', '{"body":"x","queue":"a"}\n{"body":"y","queue":["a","b"]}\n');
    await expect(collect(readRows([jan, labels], COLUMNS))).rejects.toMatchObject({ file: labels, line: 2 });
  });

  it('add up what was skipped and warned of', async () => {
    const bad = write('bad.csv', 'body,queue\nx\ny,a\nz,\n');
    const worse = write('worse.csv', 'queue,body\na,b,c\nb,w\nqueue,body\n');
    const rows = readRows([bad, worse], { ...COLUMNS, onBadRow: 'skip' });
    expect((await all(rows)).map(({ text }) => text)).toEqual(['y', 'w']);
    expect(rows.skipped).toBe(3);
    expect(rows.firstSkipped).toMatchObject({ file: bad, line: 2 });
    expect(rows.whySkipped.map(({ file, line }) => [file, line])).toEqual([
      [bad, 2],
      [bad, 4],
      [worse, 2],
    ]);
    expect(rows.warnings).toMatchObject([{ file: worse, line: 4 }]);
    const two = { text: ['id', 'body'], label: 'queue' };
    const cells = readRows([write('c.csv', 'id,body,queue\n,x,a\n'), write('d.csv', 'queue,id,body\na,,y\n')], two);
    await all(cells);
    expect([...cells.emptyCells]).toEqual([['id', 2]]);
  });

  it('are refused where there are none, or one twice', () => {
    expect(() => readRows([], COLUMNS)).toThrow(/Expected at least one file for input/);
    expect(() => readRows([jan, feb, jan], COLUMNS)).toThrow(`${jan} is given twice`);
    expect(() => readRows([jan, 5 as never], COLUMNS)).toThrow(/for input/);
    expect(readRows([jan], COLUMNS).file).toBe(jan);
  });

  it('of texts, pairs and tags are read too', async () => {
    const texts = readTexts([jan, write('lines.txt', 'six\nseven\n')], {});
    // The first has columns by its name, the other has none.
    await expect(all(texts)).rejects.toThrow(/there is no column "text"/);
    expect((await all(readTexts([jan, feb], { text: 'body' }))).map(({ text }) => text)).toEqual([
      'one',
      'two',
      'three',
    ]);
    const pairs = [write('p.csv', 'source,target\na,b\n'), write('q.tsv', 'target\tsource\nd\tc\n')];
    expect((await all(readPairs(pairs))).map(({ source, target }) => source + target)).toEqual(['ab', 'cd']);
    const conll = [write('t.conll', 'Ada B-PER\nslept O\n'), write('u.conll', 'Bob I-PER\nran O\n')];
    const tags = readTags(conll);
    expect((await all(tags)).map(({ line }) => line)).toEqual([1, 1]);
    expect(tags.fileOf!(2)).toBe(conll[1]);
    const broken = write('broken.jsonl', '{"text":"Ada slept","spans":[{"start":0,"end":99,"label":"PER"}]}\n');
    await expect(TextTagger.train(readTags([conll[0]!, broken]))).rejects.toMatchObject({ file: broken, line: 1 });
  });
});
