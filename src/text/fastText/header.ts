import { DataError } from '../../core/errors.js';
import { MAX_DIM } from '../vectorFormat.js';
import type { FileCursor } from './cursor.js';

/** The first four bytes of every file of fastText since version 11: 793712314. */
const MAGIC = Buffer.of(0xba, 0x16, 0x4f, 0x2f);

/** Supported versions: supervised models of the first have no subwords, whatever their header says. */
const VERSIONS = [11, 12];
const SUPERVISED = 3;

/** Magic number, version, twelve int32 and a float64 of options, and the sizes of the dictionary. */
const BYTES = 4 + 4 + 12 * 4 + 8 + 3 * 4 + 2 * 8;

/** fastText's default is 3 to 6 characters; an implausible length is refused. */
const MAX_SUBWORD = 1_024;

/** The header of a fastText file. */
export interface FastTextHeader {
  /** Numbers of each vector. */
  dim: number;
  /** Entries of the dictionary: words first, then labels. */
  entries: number;
  /** How many of them are words. */
  words: number;
  /** Rows of the matrix after those of the words, shared by subwords. */
  buckets: number;
  /** Characters of the shortest and of the longest subword; none if the longest is 0. */
  minn: number;
  maxn: number;
}

/** Whether a file with this beginning is fastText's, a `.bin` or `.ftz`. */
export function isFastText(head: Buffer): boolean {
  return head.length >= MAGIC.length && head.subarray(0, MAGIC.length).equals(MAGIC);
}

/**
 * Reads the options and the sizes, up to the first word.
 *
 * @throws {@link DataError} `INVALID_FILE` for another file, another version, a truncated file, inconsistent or implausible
 * sizes, and a pruned model.
 */
export async function readFastTextHeader(cursor: FileCursor): Promise<FastTextHeader> {
  const { file } = cursor;
  const invalid = (what: string) => new DataError('INVALID_FILE', what, { file });
  await cursor.fill(MAGIC.length);
  if (!isFastText(cursor.bytes))
    throw invalid("expected a fastText model, a .bin file: its first bytes are not fastText's");
  await cursor.need(BYTES, 'its header');
  const { bytes } = cursor;
  let at = cursor.at + MAGIC.length;
  const int32 = () => {
    at += 4;
    return bytes.readInt32LE(at - 4);
  };
  const version = int32();
  if (!VERSIONS.includes(version))
    throw invalid(`version ${version} of fastText's form; versions ${VERSIONS.join(' and ')} are read`);
  const [dim, , , , , , , model, buckets, minn, maxn] = Array.from({ length: 12 }, int32) as [
    ...[number, number, number, number, number, number, number, number, number, number, number],
  ];
  at += 8;
  const [entries, words, labels] = [int32(), int32(), int32()];
  at += 8;
  const pruned = bytes.readBigInt64LE(at);
  cursor.at = at + 8;
  const range = 'the header gives';
  if (dim < 1 || dim > MAX_DIM) throw invalid(`${range} vectors of ${dim} numbers; expected 1 to ${MAX_DIM}`);
  if (words < 0 || labels < 0 || words + labels !== entries)
    throw invalid(`${range} ${words} words and ${labels} labels, but ${entries} in all`);
  if (words === 0) throw invalid('the file has no vectors');
  if (buckets < 0) throw invalid(`${range} ${buckets} rows of subwords`);
  if (minn < 0 || maxn < 0 || maxn > MAX_SUBWORD)
    throw invalid(`${range} subwords of ${minn} to ${maxn} characters; expected up to ${MAX_SUBWORD}`);
  if (pruned > 0n) throw quantized(file);
  // As fastText itself does: without rows, or with a table of none that were kept, a word has no subwords.
  const none = buckets === 0 || pruned === 0n || (version === 11 && model === SUPERVISED);
  return { dim, entries, words, buckets, minn: Math.max(1, minn), maxn: none ? 0 : maxn };
}

/** The error for a model whose matrix is compressed. */
export function quantized(file: string): DataError {
  const message = 'a quantized model of fastText (.ftz); give the original .bin file, or a .vec file';
  return new DataError('INVALID_FILE', message, { file });
}
