import { checkInteger } from '../../core/checks.js';
import { DataError } from '../../core/errors.js';
import { LinePositions } from './linePositions.js';
import type { Source } from './source.js';
import { checkEncoding, checkedUtf8, type TextEncoding } from './textStream.js';

/** How a file of lines is written. */
export interface LineOptions {
  /** How the file is encoded. Default: UTF-16 if it begins with that byte order mark, else UTF-8. */
  encoding?: TextEncoding | undefined;
  /** Longest line in bytes, default 16 MiB. */
  maxRowBytes?: number | undefined;
}

/** Checked {@link LineOptions}. */
export interface LineSettings {
  encoding: TextEncoding | undefined;
  maxRowBytes: number;
}

/**
 * Checks how a file of lines is written.
 *
 * @internal
 */
export function lineSettings({ encoding, maxRowBytes = 2 ** 24 }: LineOptions): LineSettings {
  checkEncoding(encoding);
  checkInteger('maxRowBytes', maxRowBytes, 1);
  return { encoding, maxRowBytes };
}

/** Some lines, one after the other. */
export interface LineBlock {
  /** The lines without their ends. */
  lines: string[];
  /** Number of the first, from 1. */
  first: number;
}

const LF = 10;
const CR = 13;

/**
 * Reads a text line by line, a block for each chunk of bytes. `\n` and `\r\n` end a line; a byte order mark is left out.
 *
 * @throws {@link DataError} with code `INVALID_ROW` for a line of more than `maxRowBytes`, or bytes that are not UTF-8.
 *
 * @internal
 */
export async function* lineBlocks(
  source: Source,
  { encoding, maxRowBytes }: LineSettings,
): AsyncGenerator<LineBlock, void, undefined> {
  const { file } = source;
  let held: Uint8Array[] = [];
  let heldLength = 0;
  let first = 1;
  const line = (bytes: Buffer, from: number, to: number): string => {
    const end = to > from && bytes[to - 1] === CR ? to - 1 : to;
    return bytes.toString('utf8', from, end);
  };
  const checkLength = (length: number, number: number) => {
    if (length <= maxRowBytes) return;
    throw new DataError('INVALID_ROW', `the line is longer than maxRowBytes, ${maxRowBytes}`, { file, line: number });
  };
  for await (const chunk of checkedUtf8(source.open(), new LinePositions(), { file, encoding })) {
    if (chunk.indexOf(LF) < 0) {
      held.push(chunk);
      heldLength += chunk.length;
      checkLength(heldLength, first);
      continue;
    }
    const bytes =
      held.length > 0 ? Buffer.concat([...held, chunk]) : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const lines: string[] = [];
    let from = 0;
    for (let to = bytes.indexOf(LF, heldLength); to >= 0; to = bytes.indexOf(LF, from)) {
      checkLength(to - from, first + lines.length);
      lines.push(line(bytes, from, to));
      from = to + 1;
    }
    held = from < bytes.length ? [bytes.subarray(from)] : [];
    heldLength = bytes.length - from;
    yield { lines: withoutMark(lines, first), first };
    first += lines.length;
  }
  if (heldLength > 0) {
    checkLength(heldLength, first);
    const bytes = Buffer.concat(held);
    yield { lines: withoutMark([line(bytes, 0, bytes.length)], first), first };
  }
}

function withoutMark(lines: string[], first: number): string[] {
  if (first === 1 && lines[0]?.startsWith('\ufeff')) lines[0] = lines[0].slice(1);
  return lines;
}
