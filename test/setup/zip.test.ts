import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ZipFile } from '../../src/libtorch/zip.mjs';
import { type End, type Entry, scratch, zip } from './wheels.js';

let folder: string;
let remove: () => void;
beforeEach(() => {
  ({ folder, remove } = scratch());
});
afterEach(() => remove());

function open(bytes: Buffer) {
  const path = join(folder, 'a.zip');
  writeFileSync(path, bytes);
  return new ZipFile(path);
}

const openEntries = (entries: Entry[], end?: End) => open(zip(entries, end));

async function readAll(bytes: Buffer) {
  const file = open(bytes);
  try {
    const result: Record<string, string> = {};
    for (const name of file.entries.keys()) result[name] = (await file.bytes(name)).toString('utf8');
    return result;
  } finally {
    file.close();
  }
}

describe('sound archives', () => {
  test('stored, deflated, empty entries and folders', async () => {
    const entries = [
      { name: 'stored', content: 'abc', method: 0 },
      { name: 'deflated', content: 'abc'.repeat(1000) },
      { name: 'empty' },
      { name: 'folder/', method: 0, mode: 0o040755 },
      { name: 'folder/ä', content: 'umlaut' },
    ];
    expect(await readAll(zip(entries))).toEqual({
      stored: 'abc',
      deflated: 'abc'.repeat(1000),
      empty: '',
      'folder/': '',
      'folder/ä': 'umlaut',
    });
  });

  test('zip64 fields in entries and in the end record', async () => {
    const bytes = zip(
      [
        { name: 'wide', content: 'abc', zip64: true },
        { name: 'b', content: 'b' },
      ],
      { zip64: true },
    );
    expect(await readAll(bytes)).toEqual({ wide: 'abc', b: 'b' });
  });

  test('a comment that itself looks like an end record', async () => {
    const comment = Buffer.alloc(30);
    comment.writeUInt32LE(0x06054b50, 2);
    expect(await readAll(zip([{ name: 'a', content: 'a' }], { comment }))).toEqual({ a: 'a' });
  });

  test('an entry too large to be unpacked in one go arrives whole', async () => {
    const content = Buffer.alloc(9 * 2 ** 20, 'recurrent ');
    for (const method of [0, 8]) {
      const file = openEntries([{ name: 'large', content, method }]);
      expect((await file.bytes('large', content.length)).equals(content)).toBe(true);
      file.close();
    }
  });
});

describe('hostile archives are refused', () => {
  test.each([
    ['../up', /leave the folder/],
    ['a/../../up', /leave the folder/],
    ['a/./b', /leave the folder/],
    ['a//b', /leave the folder/],
    ['/etc/passwd', /absolute/],
    ['C:/windows', /absolute/],
    ['a\\..\\b', /backslash/],
    ['a\0b', /NUL/],
    ['', /empty/],
  ])('entry name %j', (name, message) => {
    expect(() => openEntries([{ name }])).toThrow(message);
  });

  test('a link, a device, an encrypted entry, the same name twice', () => {
    expect(() => openEntries([{ name: 'link', content: '/etc', mode: 0o120777 }])).toThrow(/link or a special file/);
    expect(() => openEntries([{ name: 'device', mode: 0o060644 }])).toThrow(/link or a special file/);
    expect(() => openEntries([{ name: 'secret', flags: 1 }])).toThrow(/encrypted/);
    expect(() => openEntries([{ name: 'a' }, { name: 'a' }])).toThrow(/twice/);
  });

  test('an entry that unpacks to more than it says', async () => {
    const small = openEntries([{ name: 'bomb', content: 'x'.repeat(100_000), claimedSize: 10 }]);
    await expect(small.bytes('bomb')).rejects.toThrow(/unpacks to more than 10 bytes|cannot be unpacked/);
    const content = Buffer.alloc(6 * 2 ** 20);
    const large = openEntries([{ name: 'bomb', content, claimedSize: 5 * 2 ** 20 }]);
    await expect(large.bytes('bomb')).rejects.toThrow(/unpacks to more than/);
    small.close();
    large.close();
  });

  test('an entry that unpacks to less than it says', async () => {
    const file = openEntries([{ name: 'short', content: 'abc', claimedSize: 10 }]);
    await expect(file.bytes('short')).rejects.toThrow(/unpacks to 3 bytes, not 10/);
    file.close();
  });

  test('a size that no memory is taken for', async () => {
    const file = openEntries([{ name: 'huge', content: 'abc', claimedSize: 0xfffffff0 }]);
    await expect(file.bytes('huge')).rejects.toThrow(/larger than/);
    file.close();
  });

  test('damaged data, an unknown method, another name in the own header', async () => {
    const file = openEntries([
      { name: 'garbage', content: 'abc', packed: Buffer.from([0xff, 0xff, 0xff]) },
      { name: 'method', content: 'abc', method: 12, packed: Buffer.from('abc') },
      { name: 'name', content: 'abc', localName: 'other' },
      { name: 'stored', content: 'abc', method: 0, claimedSize: 4 },
    ]);
    await expect(file.bytes('garbage')).rejects.toThrow(/cannot be unpacked/);
    await expect(file.bytes('method')).rejects.toThrow(/method 12/);
    await expect(file.bytes('name')).rejects.toThrow(/another name/);
    await expect(file.bytes('stored')).rejects.toThrow(/two sizes differ/);
    await expect(file.bytes('absent')).rejects.toThrow(/there is no "absent"/);
    file.close();
  });

  test('a directory outside the archive, too large, or with too many entries', () => {
    const entries = [{ name: 'a', content: 'a' }];
    expect(() => openEntries(entries, { directoryOffset: 5_000_000 })).toThrow(/outside the archive/);
    expect(() => openEntries(entries, { directorySize: 100_000_000 })).toThrow(/100000000 bytes is refused/);
    expect(() => openEntries(entries, { count: 60_000 })).toThrow(/do not fit/);
    expect(() => openEntries(entries, { count: 2 ** 40, zip64: true })).toThrow(/do not fit/);
    expect(() => openEntries(entries, { directoryOffset: 3 })).toThrow(/damaged|outside/);
  });

  test('no archive at all, an empty file, every truncation', () => {
    expect(() => open(Buffer.from('this is not a zip archive, only text'))).toThrow(/not a zip archive/);
    expect(() => open(Buffer.alloc(0))).toThrow(/not a zip archive|truncated/);
    const whole = zip([{ name: 'a', content: 'abc' }]);
    for (let length = 0; length < whole.length; length += 1)
      expect(() => open(whole.subarray(0, length)), `${length} bytes`).toThrow();
  });

  test('changed bytes never give anything but an error or the declared sizes', async () => {
    const whole = zip(
      [
        { name: 'a', content: 'abc'.repeat(50) },
        { name: 'b', content: 'x', zip64: true },
      ],
      { zip64: true },
    );
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), async (position, value) => {
        const changed = Buffer.from(whole);
        changed[position] = value;
        let file: ReturnType<typeof open> | undefined;
        try {
          file = open(changed);
          for (const { name, size } of file.entries.values()) expect((await file.bytes(name)).length).toBe(size);
        } catch (error) {
          expect((error as Error).name).toBe('ZipError');
        } finally {
          file?.close();
        }
      }),
      { numRuns: 500 },
    );
  });
});
