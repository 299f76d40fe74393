import { DataError } from '../../core/errors.js';
import { LinePositions } from './linePositions.js';
import type { FileTextSettings } from './options.js';
import type { Reading } from './reading.js';
import type { Source } from './source.js';
import { checkedUtf8 } from './textStream.js';

/** A block of consecutive lines. */
export interface LineBlock {
  /** The lines without their ends. */
  lines: string[];
  /** Number of the first, from 1. */
  first: number;
}

const LF = 10;
const CR = 13;

/**
 * Reads a text line by line, a block for each chunk of bytes. `\n`, `\r\n` and `\r` end a line; a byte order mark is
 * skipped.
 *
 * @throws {@link DataError} with code `INVALID_ROW` for a line of more than `maxRowBytes`, or bytes that are not UTF-8.
 *
 * @internal
 */
export async function* lineBlocks(
  source: Source,
  { encoding, maxRowBytes }: FileTextSettings,
  reading: Reading,
): AsyncGenerator<LineBlock, void, undefined> {
  const { file } = source;
  let held: Uint8Array[] = [];
  let heldLength = 0;
  let first = 1;
  /** Whether the last byte was a \r: a following \n does not end another line. */
  let afterCR = false;
  const checkLength = (length: number, number: number) => {
    if (length <= maxRowBytes) return;
    const message = `the line is longer than maxRowBytes, ${maxRowBytes} (on the command line --max-row-bytes)`;
    throw new DataError('INVALID_ROW', message, { file, line: number });
  };
  for await (const chunk of checkedUtf8(source.open(reading), new LinePositions(), { file, encoding })) {
    const rest: Uint8Array = afterCR && chunk[0] === LF ? chunk.subarray(1) : chunk;
    if (chunk.length > 0) afterCR = chunk[chunk.length - 1] === CR;
    if (rest.indexOf(LF) < 0 && rest.indexOf(CR) < 0) {
      if (rest.length === 0) continue;
      held.push(rest);
      heldLength += rest.length;
      checkLength(heldLength, first);
      continue;
    }
    const bytes =
      held.length > 0 ? Buffer.concat([...held, rest]) : Buffer.from(rest.buffer, rest.byteOffset, rest.length);
    const lines: string[] = [];
    let from = 0;
    const next = (end: number, start: number) => {
      const found = bytes.indexOf(end, start);
      return found < 0 ? Number.POSITIVE_INFINITY : found;
    };
    let lf = next(LF, heldLength);
    let cr = next(CR, heldLength);
    for (let to = Math.min(lf, cr); to < bytes.length; to = Math.min(lf, cr)) {
      checkLength(to - from, first + lines.length);
      lines.push(bytes.toString('utf8', from, to));
      from = lf === cr + 1 && to === cr ? to + 2 : to + 1;
      if (lf < from) lf = next(LF, from);
      if (cr < from) cr = next(CR, from);
    }
    held = from < bytes.length ? [bytes.subarray(from)] : [];
    heldLength = bytes.length - from;
    yield { lines: withoutMark(lines, first), first };
    first += lines.length;
  }
  if (heldLength > 0) {
    checkLength(heldLength, first);
    yield { lines: withoutMark([Buffer.concat(held).toString('utf8')], first), first };
  }
  reading.end();
}

function withoutMark(lines: string[], first: number): string[] {
  if (first === 1 && lines[0]?.startsWith('\ufeff')) lines[0] = lines[0].slice(1);
  return lines;
}
