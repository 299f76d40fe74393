import { isUtf8 } from 'node:buffer';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { DataError, RecurraError } from '../../core/errors.js';
import { Int32List } from '../../core/growable.js';
import { ioError } from '../../core/ioError.js';
import type { Turns } from '../../core/turns.js';
import type { VectorSink } from '../vectorFormat.js';
import { FileCursor, readAt } from './cursor.js';
import { type FastTextHeader, quantized, readFastTextHeader } from './header.js';
import { eachSubword } from './subwords.js';

/** Maximum length of a word; a longer one means that the header is wrong. */
const MAX_WORD = 65_536;
/** Each entry's bytes are followed by a zero, its count and its type. */
const BEHIND_WORD = 10;
const WORD = 0;
/** The end of a line, which fastText counts as a word and never splits. */
const END_OF_LINE = '</s>';
/** Bytes of the matrix read at once. */
const BLOCK = 2 ** 20;
/** Words read between two checks of the clock. */
const WORDS_A_LOOK = 256;
/** Rows added between two checks of the clock. */
const ROWS_A_LOOK = 1_024;

/**
 * Reads word vectors from a fastText `.bin` file, as in its `get_word_vector`: the mean of the word's own row and those
 * of its subwords; for a word that the file does not have, the mean of only its subwords.
 *
 * Only the needed parts of the matrix are read, and memory is only allocated for the wanted words.
 *
 * @param count - Receives the number of words read so far.
 * @returns the numbers of each vector.
 * @throws {@link DataError} `INVALID_FILE` for a truncated, inconsistent or quantized file; `INVALID_ROW` for a word that is
 * not UTF-8.
 */
export async function readFastText(
  file: string,
  sink: VectorSink,
  turns: Turns,
  count: (words: number) => void,
): Promise<{ dim: number }> {
  let handle: FileHandle | undefined;
  try {
    const { size } = await regularFile(file);
    handle = await open(file);
    const cursor = new FileCursor(handle, file);
    const header = await readFastTextHeader(cursor);
    const needs = new Needs(header);
    await readDictionary(cursor, header, size, sink, needs, turns, count);
    await addMissing(header, sink, needs, turns);
    const start = await matrixStart(cursor, header, size);
    await addRows(handle, start, header, sink, needs, turns);
    return { dim: header.dim };
  } catch (error) {
    throw error instanceof RecurraError ? error : ioError(error as Error, file);
  } finally {
    await handle?.close();
  }
}

/** Refuses files without random access. */
async function regularFile(file: string) {
  const stats = await stat(file);
  if (stats.isFile() || stats.isDirectory()) return stats;
  throw new DataError('IO', 'a fastText .bin needs random access; give a file, not a pipe', { file });
}

/** Which rows of the matrix the vector of each word is the mean of. */
class Needs {
  /** For each summand the row of the matrix, and the place of the word. */
  readonly rows = new Int32List();
  readonly places = new Int32List();
  /** Words, and the number of rows in each mean. */
  readonly words = new Int32List();
  readonly counts = new Int32List();
  readonly #header: FastTextHeader;

  constructor(header: FastTextHeader) {
    this.#header = header;
  }

  /**
   * Adds a word.
   *
   * @param own - Its row, or -1.
   * @param place - Asked for once there is a row: where its vector goes.
   */
  add(word: string, own: number, place: () => number): void {
    const { words, maxn } = this.#header;
    const rows = own < 0 ? [] : [own];
    if (maxn > 0 && word !== END_OF_LINE) eachSubword(word, this.#header, (bucket) => rows.push(words + bucket));
    if (rows.length === 0) return;
    const at = place();
    for (const row of rows) {
      this.rows.push(row);
      this.places.push(at);
    }
    this.words.push(at);
    this.counts.push(rows.length);
  }
}

async function readDictionary(
  cursor: FileCursor,
  header: FastTextHeader,
  size: number,
  sink: VectorSink,
  needs: Needs,
  turns: Turns,
  count: (words: number) => void,
): Promise<void> {
  const { entries, words } = header;
  const { file } = cursor;
  if (entries * BEHIND_WORD > size - cursor.place) {
    const message = `the header gives ${entries} words and labels, for which the file is too short`;
    throw new DataError('INVALID_FILE', message, { file });
  }
  for (let entry = 0; entry < entries; ) {
    const before = entry;
    await cursor.fill(MAX_WORD + BEHIND_WORD);
    const { bytes } = cursor;
    while (entry < entries && (entry % WORDS_A_LOOK !== 0 || entry === before)) {
      const end = bytes.indexOf(0, cursor.at);
      if ((end < 0 ? bytes.length : end) - cursor.at > MAX_WORD)
        throw new DataError('INVALID_FILE', `word ${entry + 1} has no end: not a model of fastText?`, { file });
      if (end < 0 || end + BEHIND_WORD > bytes.length) break;
      const type = bytes[end + 9]!;
      // fastText writes the words first, and numbers rows by that.
      if ((type === WORD) !== entry < words)
        throw new DataError('INVALID_FILE', `entry ${entry + 1} of its dictionary has the type ${type}`, { file });
      if (type === WORD) takeWord(bytes.subarray(cursor.at, end), entry, sink, needs);
      cursor.at = end + BEHIND_WORD;
      entry++;
    }
    if (entry === before) throw new DataError('INVALID_FILE', 'the file ends within its dictionary', { file });
    count(Math.min(entry, words));
    if (turns.due) await turns.next();
  }
}

function takeWord(bytes: Buffer, row: number, sink: VectorSink, needs: Needs): void {
  if (!isUtf8(bytes)) {
    if (sink.skipInvalid) return;
    const message = `word ${row + 1} is not UTF-8 (pass invalidUtf8: 'skip' to leave such words out)`;
    throw new DataError('INVALID_ROW', message, { file: sink.file });
  }
  const word = bytes.toString();
  const place = sink.want(word);
  if (place >= 0) needs.add(word, row, () => place);
}

/** Adds the wanted words that the file does not have. */
async function addMissing({ maxn }: FastTextHeader, sink: VectorSink, needs: Needs, turns: Turns): Promise<void> {
  if (maxn === 0) return;
  for (const { word, compose } of sink.missing()) {
    needs.add(word, -1, compose);
    if (turns.due) await turns.next();
  }
}

/** Checks the data before the matrix of the words, and returns where the matrix begins. */
async function matrixStart(cursor: FileCursor, header: FastTextHeader, size: number): Promise<number> {
  const { file } = cursor;
  const { dim, words, buckets } = header;
  await cursor.need(17, 'the sizes of its matrix');
  const { bytes, at } = cursor;
  if (bytes[at] !== 0) throw quantized(file);
  const [rows, columns] = [bytes.readBigInt64LE(at + 1), bytes.readBigInt64LE(at + 9)];
  const start = cursor.place + 17;
  if (rows !== BigInt(words + buckets) || columns !== BigInt(dim)) {
    const message = `its matrix has ${rows} rows of ${columns} numbers; the header gives ${words + buckets} of ${dim}`;
    throw new DataError('INVALID_FILE', message, { file });
  }
  if ((words + buckets) * dim * 4 > size - start) {
    const message = `its matrix has ${rows} rows of ${columns} numbers, for which the file is too short`;
    throw new DataError('INVALID_FILE', message, { file });
  }
  return start;
}

/** Sums the rows, block by block of the file, and divides the sums. */
async function addRows(
  handle: FileHandle,
  start: number,
  { dim, words, buckets }: FastTextHeader,
  sink: VectorSink,
  needs: Needs,
  turns: Turns,
): Promise<void> {
  const rows = await turns.run(needs.rows.finish());
  const places = await turns.run(needs.places.finish());
  const perBlock = Math.max(1, Math.floor(BLOCK / (4 * dim)));
  const blocks = Math.ceil((words + buckets) / perBlock);
  const { order, ends } = await turns.run(byBlock(rows, perBlock, blocks));
  const values = new Float32Array(perBlock * dim);
  const buffer = Buffer.from(values.buffer);
  let from = 0;
  for (let block = 0; block < blocks; block++) {
    const to = ends[block]!;
    if (from === to) continue;
    const first = block * perBlock;
    const length = Math.min(perBlock, words + buckets - first) * 4 * dim;
    if ((await readAt(handle, buffer, length, start + first * 4 * dim)) < length)
      throw new DataError('INVALID_FILE', 'the file ends within its matrix', { file: sink.file });
    for (let i = from; i < to; i++) {
      const summand = order[i]!;
      const row = (rows[summand]! - first) * dim;
      const target = sink.target(places[summand]!, dim);
      for (let k = 0; k < dim; k++) target[k] = target[k]! + values[row + k]!;
      if (i % ROWS_A_LOOK === 0 && turns.due) await turns.next();
    }
    from = to;
  }
  await turns.run(divide(needs, dim, sink));
}

/** The numbers of the summands in the order of the blocks of the file, and where those of each block end. */
function* byBlock(
  rows: Int32Array,
  perBlock: number,
  blocks: number,
): Generator<void, { order: Uint32Array; ends: Uint32Array }, undefined> {
  const ends = new Uint32Array(blocks + 1);
  const blockOf = (summand: number) => Math.floor(rows[summand]! / perBlock);
  for (let i = 0; i < rows.length; i++) {
    ends[blockOf(i) + 1]!++;
    if (i % 65_536 === 0) yield;
  }
  for (let block = 0; block < blocks; block++) ends[block + 1]! += ends[block]!;
  const order = new Uint32Array(rows.length);
  // What is counted up here becomes the ends of the blocks.
  for (let i = 0; i < rows.length; i++) {
    order[ends[blockOf(i)]!++] = i;
    if (i % 65_536 === 0) yield;
  }
  return { order, ends };
}

/** Makes means of the sums. */
function* divide(needs: Needs, dim: number, sink: VectorSink): Generator<void, void, undefined> {
  const places = yield* needs.words.finish();
  const counts = yield* needs.counts.finish();
  for (const [at, place] of places.entries()) {
    const target = sink.target(place, dim);
    for (let i = 0; i < dim; i++) {
      target[i] = target[i]! * Math.fround(1 / counts[at]!);
      if (!Number.isFinite(target[i]!)) {
        const message = `a vector that a word needs has ${target[i]} as number ${i + 1}`;
        throw new DataError('INVALID_FILE', message, { file: sink.file });
      }
    }
    if (at % ROWS_A_LOOK === 0) yield;
  }
}
