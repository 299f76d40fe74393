import { pipeline, type Readable, type Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DataError, RecurraError } from '../../core/errors.js';
import { ioError } from '../../core/ioError.js';
import { isError } from '../../core/realms.js';
import { Turns } from '../../core/turns.js';
import { fzstd } from './libraries.js';
import type { ByteCounter } from './reading.js';
import { ZstdFrames } from './zstdFrames.js';

type Chunk = Uint8Array | string;

/** First bytes that no UTF-8 text can have, and the kind of file that has them. */
const MAGIC = [
  { bytes: [0x1f, 0x8b], kind: 'gzip' },
  { bytes: [0x28, 0xb5, 0x2f, 0xfd], kind: 'zstd' },
  // A zstd file may begin with a skippable frame; pzstd writes the first of them.
  ...Array.from({ length: 16 }, (_, i) => ({ bytes: [0x50 + i, 0x2a, 0x4d, 0x18], kind: 'zstd' })),
  { bytes: [0x42, 0x5a, 0x68, 0x39, 0x31, 0x41], kind: 'bzip2' },
  { bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], kind: 'xz' },
  { bytes: [0x50, 0x4b, 0x03, 0x04], kind: 'zip' },
] as const;

const REFUSED: Readonly<Record<string, string>> = {
  bzip2: 'the file is compressed with bzip2: decompress it first, or compress it with gzip or zstd',
  xz: 'the file is compressed with xz: decompress it first, or compress it with gzip or zstd',
  zip: 'this is a ZIP archive or a spreadsheet (.xlsx): unpack it, or save the sheet as CSV in UTF-8',
};

/** Compressed bytes passed to fzstd per call: it runs on this thread, and each byte may expand to 32 KB. */
const PIECE = 2048;

/**
 * Yields a stream's bytes, decompressed if they start like gzip or zstd, whatever the file's name. Concatenated gzip
 * members and zstd frames are one text.
 *
 * @param open - Opens the stream.
 * @param file - The name for messages.
 * @param counter - Counts the bytes of the stream as they are read.
 * @throws {@link DataError} with code `INVALID_FILE` for truncated or damaged data, or another compression; `IO` and
 * `FILE_NOT_FOUND`.
 *
 * @internal
 */
export async function* decompressed(
  open: () => Readable,
  file: string | undefined,
  counter?: ByteCounter,
): AsyncGenerator<Chunk> {
  const chunks = counted(open()[Symbol.asyncIterator]() as AsyncIterator<Chunk>, counter);
  let kind: string | undefined;
  try {
    const begun = await begin(chunks);
    kind = begun.kind;
    const all = rest(begun.head, chunks);
    const refused = kind && REFUSED[kind];
    if (refused) throw new DataError('INVALID_FILE', refused, { file });
    if (kind === 'gzip') yield* throughTransform(all, createGunzip({ chunkSize: 65_536 }));
    else if (kind === 'zstd') yield* unzstd(all as AsyncIterable<Uint8Array>, file);
    else yield* all;
  } catch (error) {
    throw explained(error, kind, file);
  } finally {
    await chunks.return?.();
  }
}

/** The same chunks, counted by `counter`. */
function counted(chunks: AsyncIterator<Chunk>, counter: ByteCounter | undefined): AsyncIterator<Chunk> {
  if (!counter) return chunks;
  return {
    async next() {
      const result = await chunks.next();
      if (!result.done) counter.read(result.value.length);
      return result;
    },
    async return() {
      return (await chunks.return?.()) ?? { done: true, value: undefined };
    },
  };
}

/** Reads until the format is clear, but no more than needed, since a person may be typing. */
async function begin(chunks: AsyncIterator<Chunk>): Promise<{ head: Chunk; kind?: string }> {
  let head: Buffer = Buffer.alloc(0);
  for (;;) {
    const { done, value } = await chunks.next();
    if (done) return { head };
    if (typeof value === 'string') return { head: Buffer.concat([head, Buffer.from(value)]) };
    head = head.length === 0 ? Buffer.from(value.buffer, value.byteOffset, value.length) : Buffer.concat([head, value]);
    const possible = MAGIC.filter(({ bytes }) => bytes.every((byte, i) => i >= head.length || head[i] === byte));
    const found = possible.find(({ bytes }) => bytes.length <= head.length);
    if (found) return { head, kind: found.kind };
    if (possible.length === 0) return { head };
  }
}

async function* rest(head: Chunk, chunks: AsyncIterator<Chunk>): AsyncGenerator<Chunk> {
  if (head.length > 0) yield head;
  for (;;) {
    const { done, value } = await chunks.next();
    if (done) return;
    yield value;
  }
}

async function* throughTransform(chunks: AsyncIterable<Chunk>, transform: Transform): AsyncGenerator<Uint8Array> {
  // An error of either end reaches the loop below by destroying `transform`.
  pipeline(chunks, transform, () => {});
  for await (const chunk of transform) yield chunk as Uint8Array;
}

/**
 * Decompresses with fzstd on every version of Node. Node's built-in zstd (since 22.15) ends after the first frame
 * without an error (still in 24.21), so files of several frames, as made by pzstd and `cat`, would silently lose rows.
 */
async function* unzstd(chunks: AsyncIterable<Uint8Array>, file: string | undefined): AsyncGenerator<Uint8Array> {
  const frames = new ZstdFrames(file);
  let ready: Uint8Array[] = [];
  const decompress = new (fzstd().Decompress)((data) => {
    if (data.length > 0) ready.push(data);
  });
  const turns = new Turns();
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += PIECE) {
      const piece = chunk.subarray(at, at + PIECE);
      frames.take(piece);
      decompress.push(piece);
      for (const data of ready) yield data;
      ready = [];
      if (turns.due) await turns.next();
    }
  }
  decompress.push(new Uint8Array(0), true);
  yield* ready;
}

/**
 * Explains an error of the data or the file. zlib's errors have codes with Z_, those of fzstd are numbers or a
 * RangeError.
 */
function explained(error: unknown, kind: string | undefined, file: string | undefined): unknown {
  if (error instanceof RecurraError || !isError(error)) return error;
  const { code } = error as { code?: unknown };
  const ofData = typeof code === 'number' || String(code).startsWith('Z_') || (kind === 'zstd' && code === undefined);
  if (!kind || !ofData) return ioError(error, file);
  const message = /unexpected (EOF|end of file)/i.test(error.message)
    ? `the ${kind} data ends too early: the file is truncated; copy or download it again`
    : `the ${kind} data is damaged (${error.message}): copy or download the file again`;
  return new DataError('INVALID_FILE', message, { file }, { cause: error });
}
