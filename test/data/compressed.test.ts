import { spawnSync } from 'node:child_process';
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCsv, readJsonLines, readRows, readTexts } from '../../src/data/index.js';
import { fixture, fixtureRows } from '../support/fixtureRows.js';
import { temporaryFolder } from '../support/folder.js';
import { all, errorOf } from '../support/rows.js';

const folder = temporaryFolder();
const CSV = 'label,text\na,"one, two"\nb,é🙂\n';
const ROWS = [
  { label: 'a', text: 'one, two', line: 2 },
  { label: 'b', text: 'é🙂', line: 3 },
];
const COLUMNS = { text: 'text', label: 'label' };

function write(name: string, content: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** A zstd frame of uncompressed blocks; one of at most 255 bytes without blocks has its size in the header. */
function zstdFrame(content: Uint8Array, blockSize: number): Buffer {
  // Descriptor: no single segment, no checksum; then the window, 1 KB times 2^5.
  const parts = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x28])];
  for (let at = 0; at === 0 || at < content.length; at += blockSize) {
    const block = content.subarray(at, at + blockSize);
    const header = (block.length << 3) | (at + blockSize >= content.length ? 1 : 0);
    parts.push(Buffer.from([header & 0xff, (header >> 8) & 0xff, header >> 16]), Buffer.from(block));
  }
  return Buffer.concat(parts);
}

const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);

describe('gzip', () => {
  it('is decompressed, several members too, whatever the file is called', async () => {
    const members = Buffer.concat([gzipSync(CSV.slice(0, 20)), gzipSync(CSV.slice(20, 20)), gzipSync(CSV.slice(20))]);
    for (const name of ['a.csv.gz', 'a.csv', 'a.dat']) {
      const file = write(name, members);
      expect(await all(readCsv(file, COLUMNS))).toEqual(ROWS);
      expect(await all(readRows(file, COLUMNS))).toEqual(ROWS);
    }
    expect(await all(readCsv(Readable.from([members.subarray(0, 1), members.subarray(1)]), COLUMNS))).toEqual(ROWS);
    expect(await all(readCsv(write('plain.csv.gz', CSV), COLUMNS))).toEqual(ROWS);
    expect((await all(readTexts(write('b.tsv.gz', gzipSync('x\ty\n')), { text: 2 })))[0]!.text).toBe('y');
  });

  it('that is truncated or damaged is an error, after the rows before', async () => {
    const long = gzipSync(`label,text\n${'a,some text\n'.repeat(50_000)}`);
    for (const length of [5, 200, long.length - 1]) {
      const error = await errorOf(readCsv(write('cut.csv.gz', long.subarray(0, length)), COLUMNS));
      expect(error).toMatchObject({ code: 'INVALID_FILE', file: join(folder, 'cut.csv.gz') });
      expect(error.message).toMatch(/the gzip data ends too early: the file is truncated/);
    }
    const damaged = Buffer.from(long);
    damaged[damaged.length - 6]! ^= 1;
    const error = await errorOf(readCsv(write('damaged.csv.gz', damaged), { ...COLUMNS, onBadRow: 'skip' }));
    expect(error.message).toMatch(/the gzip data is damaged \(incorrect data check\)/);
    expect(error.code).toBe('INVALID_FILE');
  });

  it('lets go of the file when reading ends early', async () => {
    const stream = createReadStream(write('early.csv.gz', gzipSync(`label,text\n${'a,b\n'.repeat(1e6)}`)));
    for await (const row of readCsv(stream, COLUMNS)) {
      expect(row.text).toBe('b');
      break;
    }
    expect(stream.destroyed).toBe(true);
  });
});

describe('zstd', () => {
  it.each(['one.jsonl.zst', 'frames.jsonl.zst'])('reads what the zstd command wrote: %s', async (name) => {
    const rows = await all(readJsonLines(fixture(name), { text: 'body', label: 'topic' }));
    expect(rows).toEqual(fixtureRows(4000).map(({ body, topic }, i) => ({ text: body, label: topic, line: i + 1 })));
  });

  it('reads any frames, in any chunks', async () => {
    const part = fc.record({
      text: fc.string({ unit: 'grapheme', maxLength: 200 }),
      blockSize: fc.integer({ min: 1, max: 90 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { minLength: 1, maxLength: 4 }),
        fc.nat(50),
        fc.boolean(),
        async (parts, step, skip) => {
          const frames = parts.map(({ text, blockSize }) => zstdFrame(Buffer.from(text), blockSize));
          const bytes = Buffer.concat(skip ? frames.flatMap((frame) => [skippable, frame]) : frames);
          const chunks: Buffer[] = [];
          for (let at = 0; at < bytes.length; at += step + 1) chunks.push(bytes.subarray(at, at + step + 1));
          const lines = parts
            .map(({ text }) => text)
            .join('')
            .split('\n');
          if (lines.at(-1) === '') lines.pop();
          const found = await all(readTexts(Readable.from(chunks)));
          const expected = lines.map((line) => line.replace(/\r$/, ''));
          if (expected[0]?.startsWith('\ufeff')) expected[0] = expected[0].slice(1);
          expect(found.map(({ text }) => text)).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('that is truncated or damaged is an error', async () => {
    const whole = readFileSync(fixture('one.jsonl.zst'));
    const options = { text: 'body', label: 'topic' };
    for (const length of [4, 8, 17, 5000, whole.length - 5, whole.length - 1]) {
      const error = await errorOf(readJsonLines(write('cut.jsonl.zst', whole.subarray(0, length)), options));
      expect(error.message).toMatch(/the zstd data ends too early: the file is truncated/);
      expect(error.code).toBe('INVALID_FILE');
    }
    const damaged = Buffer.from(whole);
    damaged.fill(0xff, 20, 400);
    expect(await errorOf(readJsonLines(write('bad.jsonl.zst', damaged), options))).toMatchObject({
      code: 'INVALID_FILE',
    });
  });
});

describe('other files', () => {
  it.each([
    ['zip', [0x50, 0x4b, 3, 4], /ZIP archive or a spreadsheet/],
    ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], /compressed with xz/],
    ['bzip2', [0x42, 0x5a, 0x68, 0x39, 0x31, 0x41], /compressed with bzip2/],
  ])('%s is refused by name', async (name, bytes, message) => {
    const error = await errorOf(readRows(write(`file.${name}`, Buffer.from([...bytes, 0, 1, 2])), COLUMNS));
    expect(error.message).toMatch(message);
    expect(error.code).toBe('INVALID_FILE');
  });

  it('that only begin alike are text', async () => {
    expect((await all(readTexts(write('short.txt', 'PK')))).map(({ text }) => text)).toEqual(['PK']);
    expect((await all(readTexts(write('bz.txt', 'BZh9 is not 1\n'))))[0]!.text).toBe('BZh9 is not 1');
    expect(await all(readTexts(write('empty.txt', '')))).toEqual([]);
  });

  it('that are missing, or folders, are the usual errors', async () => {
    expect(await errorOf(readTexts(join(folder, 'none.gz')))).toMatchObject({ code: 'FILE_NOT_FOUND' });
    expect(await errorOf(readTexts(folder))).toMatchObject({ code: 'IO' });
  });
});

describe('standard input', () => {
  it('is named -, also compressed', () => {
    const script = `
      import { readRows } from './dist/index.js';
      const rows = readRows('-', { text: 'text', label: 'label' });
      for await (const row of rows) console.log(rows.file, JSON.stringify(row));
      try { for await (const row of rows); } catch (error) { console.log(error.message); }`;
    for (const input of [Buffer.from(CSV), gzipSync(CSV), zstdFrame(Buffer.from(CSV), 50)]) {
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { input });
      expect(stderr.toString()).toBe('');
      expect(stdout.toString().trim().split('\n')).toEqual([
        ...ROWS.map(({ label, text, line }) => `stdin ${JSON.stringify({ text, label, line })}`),
        'The stream has already been read; its rows can be iterated only once',
      ]);
    }
  });
});
