import { Readable } from 'node:stream';
import type { PageHeader } from 'hyparquet';
import { describe, expect, it } from 'vitest';
import { checkHeader, checkRuns } from '../../src/data/readers/parquetClaims.js';
import { readCsv } from '../../src/index.js';

describe('zstd data', () => {
  /** A frame with a window of 2^log bytes and one block that repeats a byte. */
  const frame = (log: number, blocks: number[]) => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3, ...blocks]);
  const repeated = (times: number, byte: string) => [
    ((times << 3) | 3) & 255,
    (times >> 5) & 255,
    times >> 13,
    byte.charCodeAt(0),
  ];
  const read = async (bytes: Buffer) => {
    for await (const { text } of readCsv(Readable.from([bytes]), { text: 1, label: 2 })) return text;
    return undefined;
  };
  const row = [
    ...repeated(3, 'x').with(0, (3 << 3) | 2),
    ...repeated(1, ',').with(0, (1 << 3) | 2),
    ...repeated(1, 'a'),
  ];

  it('with the largest window that zstd takes unasked is read', async () => {
    expect(await read(frame(20, row))).toBe('xxx');
    expect(await read(frame(27, row))).toBe('xxx');
  });

  it('that states a larger window or block is refused before the memory is taken', async () => {
    const window = { code: 'INVALID_FILE', message: expect.stringContaining('needs a window of 268435456 bytes') };
    await expect(read(frame(28, row))).rejects.toMatchObject(window);
    const block = { code: 'INVALID_FILE', message: expect.stringContaining('a block of 200000 bytes') };
    await expect(read(frame(20, repeated(200_000, 'x')))).rejects.toMatchObject(block);
  });
});

describe('pages of Parquet', () => {
  const levels = { repetition: 0, definition: 1, type: 'BYTE_ARRAY', prefixes: () => new Int32Array(0) };
  const header = (num_values: number, size = 100) =>
    ({
      type: 'DATA_PAGE',
      compressed_page_size: size,
      uncompressed_page_size: size,
      data_page_header: { num_values, encoding: 'PLAIN' },
    }) as PageHeader;
  const page = (...runs: number[]) => Uint8Array.of(runs.length, 0, 0, 0, ...runs);

  it('with as many levels as values are taken', () => {
    expect(() => checkRuns(header(10), page(20, 1), levels)).not.toThrow();
    expect(() => checkRuns(header(10), page(8, 1, 3, 0), levels)).not.toThrow();
  });

  it('whose runs go on after the last value are refused', () => {
    expect(() => checkRuns(header(10), page(22, 1), levels)).toThrow('a run of 11 values where 10 are left');
    expect(() => checkRuns(header(10), page(8, 1, 0xff, 0xff, 0xff, 0xff, 0x0e, 1), levels)).not.toThrow();
    expect(() => checkRuns(header(10), page(8, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f, 1), levels)).toThrow(
      'where 6 are left',
    );
    expect(() => checkRuns(header(10), page(0xff, 0xff, 0xff, 0xff, 0xff, 1), levels)).toThrow('has no end');
  });

  it('that state more than writers write are refused', () => {
    expect(() => checkHeader(header(20_000, 2 ** 20))).not.toThrow();
    expect(() => checkHeader(header(2 ** 30))).toThrow('a page states 1073741824 values');
    expect(() => checkHeader(header(10, 2 ** 30))).toThrow('a page states 1073741824 bytes');
    expect(() => checkHeader(header(10, -1))).toThrow('compressed_page_size is -1');
  });
});
