// Downloads a file. An interrupted download is resumed, and the file counts only after its checksum was verified.

import { createHash } from 'node:crypto';
import { createReadStream, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { get, HttpError, shown } from './http.mjs';

/** Consecutive failures without progress after which it gives up, and the pauses between tries, ms. */
const tries = 5;
const pauses = [500, 1_000, 3_000, 10_000];

async function hashOfFile(path, hash) {
  for await (const piece of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(piece);
}

/** Appends what the server has beyond `from` bytes; returns false if the server restarted from the beginning. */
async function fetchRest(url, part, from, { hash, onBytes, env }) {
  const headers = from > 0 ? { range: `bytes=${from}-` } : {};
  const { response } = await get(url, { headers, accept: from > 0 ? [200, 206, 416] : [200], env });
  const begins = /^bytes (\d+)-/.exec(response.headers['content-range'] ?? '')?.[1];
  const continues = from === 0 || (response.statusCode === 206 && Number(begins) === from);
  if (!continues) {
    response.destroy();
    return false;
  }
  const file = await open(part, from > 0 ? 'a' : 'w', 0o644);
  try {
    for await (const piece of response) {
      await file.writeFile(piece);
      hash.update(piece);
      onBytes(piece.length);
    }
    await file.datasync();
  } catch (error) {
    throw error instanceof HttpError
      ? error
      : new HttpError(`${shown(url)}: ${error.message}`, { passing: true, cause: error });
  } finally {
    await file.close();
  }
  if (!response.complete) throw new HttpError(`${shown(url)}: the connection ended early`, { passing: true });
  return true;
}

/**
 * Downloads `url` to `path` via `<path>.part`, which an earlier try may have left. `onDone(bytes)` receives the bytes
 * downloaded so far. Throws an Error if the download fails or the sha256 (hex) differs.
 */
export async function fetchFile({ url, path, sha256, size, onDone = (_bytes) => {}, env = process.env }) {
  const part = `${path}.part`;
  let failures = 0;
  for (;;) {
    let from = existsSync(part) ? statSync(part).size : 0;
    if (size !== undefined && from > size) {
      rmSync(part);
      from = 0;
    }
    const hash = createHash('sha256');
    if (from > 0) await hashOfFile(part, hash);
    let done = from;
    onDone(done);
    const onBytes = (bytes) => {
      done += bytes;
      failures = 0;
      onDone(done);
    };
    try {
      const went = (size !== undefined && from === size) || (await fetchRest(url, part, from, { hash, onBytes, env }));
      const digest = went ? hash.digest('hex') : undefined;
      if (digest === sha256) {
        renameSync(part, path);
        return;
      }
      rmSync(part, { force: true });
      // The rest of an earlier run may be damaged, or the server may not support ranges: start over.
      if (from === 0)
        throw new Error(`${shown(url)}: its sha256 is ${digest}; the package index says ${sha256}. Try again later.`);
    } catch (error) {
      if (!(error instanceof HttpError) || !error.passing || ++failures >= tries) throw error;
      await sleep(pauses[failures - 1]);
    }
  }
}
