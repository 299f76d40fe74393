import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { collect, readParquet, readRows, readTexts } from '../../src/data/index.js';
import { fixture, fixtureRows, TOPICS } from '../support/fixtureRows.js';
import { temporaryFolder } from '../support/folder.js';
import { all, errorOf } from '../support/rows.js';

const folder = temporaryFolder();
const WRITERS = ['none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4'].map((codec) => `pyarrow-${codec}`);

describe('readParquet', () => {
  it.each([...WRITERS, 'polars', 'duckdb'])(
    'reads strings, nulls, integers and lists as %s wrote them',
    async (name) => {
      const file = fixture(`${name}.parquet`);
      const expected = fixtureRows(300);
      expect(await all(readParquet(file, { text: ['title', 'body'], label: 'tags' }))).toEqual(
        expected.map(({ title, body, tags }, i) => ({ text: `${title ?? ''} ${body}`, label: tags, line: i + 1 })),
      );
      expect(await all(readParquet(file, { text: 3, label: 'number' }))).toEqual(
        expected.map(({ body, number }, i) => ({ text: body, label: String(number), line: i + 1 })),
      );
      const { dataset } = await collect(readParquet(file, { text: 'body', label: 'topic' }));
      expect([...dataset.labels]).toEqual(expected.map(({ number }) => number));
    },
  );

  it('refuses nulls by row, or leaves them out', async () => {
    const options = { text: 'title', label: 'topic' };
    expect(await errorOf(readParquet(fixture('pyarrow-zstd.parquet'), options))).toMatchObject({
      code: 'INVALID_ROW',
      line: 4,
      message: expect.stringMatching(/:4: the field "title" is null: expected a string .*onBadRow/),
    });
    const rows = readParquet(fixture('pyarrow-zstd.parquet'), { ...options, onBadRow: 'skip' });
    expect((await all(rows)).at(-1)).toMatchObject({ text: 'Title 299', line: 300 });
    expect(rows.skipped).toBe(30);
  });

  it("gives the names of a ClassLabel of Hugging Face's datasets", async () => {
    const rows = await all(readParquet(fixture('class-label.parquet'), { text: 'body', label: 'number' }));
    expect(rows.map(({ label }) => label)).toEqual(Array.from({ length: 12 }, (_, i) => TOPICS[i % 3]));
  });

  it('lists the columns where one is missing', async () => {
    const file = fixture('class-label.parquet');
    for (const text of ['Body', 3]) {
      expect(await errorOf(readParquet(file, { text, label: 'number' }))).toMatchObject({
        code: 'MISSING_COLUMN',
        file,
        message: expect.stringContaining(`there is no column ${JSON.stringify(text)}; there are "body", "number"`),
      });
    }
  });

  it('refuses what is not text', async () => {
    expect((await errorOf(readParquet(fixture('struct.parquet'), { text: 'body', label: 'topic' }))).message).toMatch(
      /column "topic" is neither of single values nor of lists/,
    );
    const error = await errorOf(readParquet(fixture('not-utf8.parquet'), { text: 'body', label: 'topic' }));
    expect(error).toMatchObject({ code: 'INVALID_FILE', message: expect.stringMatching(/utf-8/i) });
  });

  it('refuses files that are cut off, damaged or no Parquet', async () => {
    const whole = readFileSync(fixture('pyarrow-gzip.parquet'));
    const write = (name: string, bytes: Uint8Array | string) => {
      const path = join(folder, name);
      writeFileSync(path, bytes);
      return path;
    };
    const options = { text: 'body', label: 'topic' };
    for (const bytes of [
      whole.subarray(0, 5),
      whole.subarray(0, 3000),
      whole.subarray(100),
      'text,label\na,b\na,b\n',
    ]) {
      const error = await errorOf(readParquet(write('bad.parquet', bytes), options));
      expect(error).toMatchObject({ code: 'INVALID_FILE', file: join(folder, 'bad.parquet') });
    }
    expect((await errorOf(readParquet(write('b.parquet', 'text,label\na,b\n'), options))).message).toMatch(
      /this is not a Parquet file, or it is truncated/,
    );
    expect(await errorOf(readParquet(join(folder, 'none.parquet'), options))).toMatchObject({ code: 'FILE_NOT_FOUND' });
    expect(await errorOf(readParquet(folder, options))).toMatchObject({ code: 'IO' });
  });

  it('never hangs or crashes on damaged bytes', async () => {
    const whole = readFileSync(fixture('pyarrow-snappy.parquet'));
    const path = join(folder, 'damaged.parquet');
    let failures = 0;
    for (let at = 7; at < whole.length; at += 97) {
      const bytes = Buffer.from(whole);
      bytes[at]! ^= 0x55;
      writeFileSync(path, bytes);
      try {
        await all(readParquet(path, { text: 'body', label: 'tags' }));
      } catch (error) {
        failures++;
        expect(error).toMatchObject({ name: 'DataError' });
      }
    }
    expect(failures).toBeGreaterThan(20);
  });

  it('is read from files alone', async () => {
    const options = { text: 'body', label: 'topic' };
    for (const input of ['-', Readable.from(['a'])] as never[]) {
      expect(() => readParquet(input, options)).toThrow(/cannot come from standard input or a stream/);
    }
    const path = join(folder, 'data.bin');
    writeFileSync(path, readFileSync(fixture('polars.parquet')));
    expect(await all(readRows(path, options))).toHaveLength(300);
    expect(await all(readTexts(path, { text: 'body' }))).toHaveLength(300);
    await expect(all(readRows(Readable.from([readFileSync(path)]), options))).rejects.toThrow(
      /write it to a file first/,
    );
  });
});
