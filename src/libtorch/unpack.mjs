// Unpacks the needed files of a wheel; each is checked against the wheel's RECORD and synced to disk before it counts.

import { mkdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { filesToUnpack } from './contents.mjs';
import { checkDigest, expectedOf, readRecord } from './wheelRecord.mjs';
import { ZipFile } from './zip.mjs';

/** Small files written and synced concurrently; one after the other would wait for the disk 9,000 times. */
const atOnce = 16;

async function unpackFile({ zip, record, from, path, onBytes }) {
  const expected = expectedOf(record, from);
  mkdirSync(dirname(path), { recursive: true });
  const file = await open(path, 'wx', 0o644);
  try {
    const digest = await zip.digest(from, async (piece) => {
      await file.writeFile(piece);
      onBytes(piece.length);
    });
    checkDigest(from, expected, digest);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** The wheel at `path`, opened, with its RECORD and its list of files; the caller closes `zip`. */
async function openWheel(wheel, path) {
  const zip = new ZipFile(path);
  try {
    const record = await readRecord(zip);
    const files = filesToUnpack(wheel, zip);
    const bytes = files.reduce((sum, { from }) => sum + zip.entries.get(from).size, 0);
    return { zip, record, files, bytes, wheel, path };
  } catch (error) {
    zip.close();
    throw error;
  }
}

/** Opens all wheels first, so that a wrong one is reported before minutes of work; see openWheel. */
export async function openWheels(pairs) {
  const opened = [];
  try {
    for (const { wheel, path } of pairs) {
      try {
        opened.push(await openWheel(wheel, path));
      } catch (error) {
        throw new Error(`${path}: ${error.message}`, { cause: error });
      }
    }
    return opened;
  } catch (error) {
    for (const { zip } of opened) zip.close();
    throw error;
  }
}

/** Unpacks an opened wheel into `folder`; `onBytes(count)` is called as bytes are written. Returns sizes by name. */
export async function unpackWheel({ zip, record, files, path: wheelPath }, folder, onBytes) {
  const top = resolve(folder) + sep;
  const sizes = {};
  let next = 0;
  let stopped = false;
  const worker = async () => {
    while (!stopped && next < files.length) {
      const { from, to } = files[next++];
      const path = resolve(join(folder, to));
      if (!path.startsWith(top)) throw new Error(`${wheelPath}: ${from} would be written outside ${folder}`);
      await unpackFile({ zip, record, from, path, onBytes });
      sizes[to] = zip.entries.get(from).size;
    }
  };
  const stop = (error) => {
    stopped = true;
    throw error;
  };
  // Wait for all before the first failure is thrown: the caller removes the folder.
  const results = await Promise.allSettled(Array.from({ length: atOnce }, () => worker().catch(stop)));
  const failed = results.find(({ status }) => status === 'rejected');
  if (failed) throw new Error(`${wheelPath}: ${failed.reason.message}`, { cause: failed.reason });
  return sizes;
}
