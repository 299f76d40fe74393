import { TextDecoder } from 'node:util';
import { DataError } from '../../core/errors.js';
import type { LinePositions } from './linePositions.js';
import { checkText } from './notText.js';
import { Utf8Check } from './utf8.js';

/** Byte order marks of UTF-16, and their encodings. */
const MARKS = [
  { bytes: [0xff, 0xfe], encoding: 'utf-16le' },
  { bytes: [0xfe, 0xff], encoding: 'utf-16be' },
] as const;

/** The encoding implied by a text's first two bytes. */
function marked(bytes: Uint8Array): string | undefined {
  return MARKS.find(({ bytes: [first, second] }) => bytes[0] === first && bytes[1] === second)?.encoding;
}

/**
 * The message for a text with zeros as in UTF-16 without a byte order mark; undefined if it has none.
 *
 * @param head - The beginning of its bytes.
 *
 * @internal
 */
export function bareUtf16(head: Uint8Array): string | undefined {
  const zero = head.subarray(0, 256).indexOf(0);
  if (zero < 0) return undefined;
  // The high byte of an ASCII letter is zero; in little-endian order it comes second.
  const name = zero % 2 === 1 ? 'utf16le' : 'utf16be';
  return `the file seems to be UTF-16 without a byte order mark: give encoding: '${name}' (on the command line --encoding ${name})`;
}

/**
 * A text's encoding as named by `TextDecoder`. The byte order mark decides if `given` is undefined or UTF-16 of either
 * order.
 *
 * @internal
 */
export function encodingOf(head: Uint8Array, given: string | undefined): string {
  if (given !== undefined && !given.startsWith('utf-16')) return given;
  return marked(head) ?? given ?? 'utf-8';
}

/**
 * Yields a stream's bytes as checked UTF-8 and records its lines.
 *
 * @param chunks - Bytes, or text from a decoding stream.
 * @param lines - Receives every byte before it is yielded.
 * @param options - `encoding`: the encoding as named by `TextDecoder`; default UTF-16 if the bytes start with its byte
 * order mark, otherwise UTF-8. `file`: the name for messages.
 * @throws {@link DataError} with code `INVALID_FILE` for a file of another kind, such as a model, and `INVALID_ROW`, line and byte for text
 * that is not well-formed.
 *
 * @internal
 */
export async function* checkedUtf8(
  chunks: AsyncIterable<Uint8Array | string>,
  lines: LinePositions,
  { file, encoding: given }: { file?: string | undefined; encoding?: string | undefined } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const check = new Utf8Check();
  let decoder: TextDecoder | undefined;
  let advice = ADVICE;
  for await (const bytes of withWholeMark(chunks)) {
    if (lines.length === 0 && !decoder && bytes !== END) {
      checkText(bytes, file);
      const encoding = encodingOf(bytes, given);
      if (encoding !== 'utf-8') decoder = new TextDecoder(encoding, { fatal: true });
      else advice = bareUtf16(bytes) ?? ADVICE;
    }
    if (decoder) {
      const decoded = Buffer.from(decode(decoder, bytes === END ? undefined : bytes, lines, file));
      if (decoded.length === 0) continue;
      lines.add(decoded);
      yield decoded;
    } else if (bytes === END) {
      refuse(check.unfinished, lines, file, advice);
    } else {
      lines.add(bytes);
      refuse(check.add(bytes), lines, file, advice);
      yield bytes;
    }
  }
}

/** Marks the end of a stream. */
const END = new Uint8Array(0);

/** The same bytes without empty chunks, the first with at least two bytes if possible, followed by {@link END}. */
async function* withWholeMark(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array> {
  let head: Uint8Array | undefined;
  let begun = false;
  for await (const chunk of chunks) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (bytes.length === 0) continue;
    if (begun) {
      yield bytes;
      continue;
    }
    head = head ? Buffer.concat([head, bytes]) : bytes;
    if (head.length < 2) continue;
    begun = true;
    yield head;
  }
  if (!begun && head) yield head;
  yield END;
}

function decode(
  decoder: TextDecoder,
  bytes: Uint8Array | undefined,
  lines: LinePositions,
  file: string | undefined,
): string {
  try {
    return decoder.decode(bytes, { stream: bytes !== undefined });
  } catch (cause) {
    const line = lines.lineAt(lines.length);
    throw new DataError(
      'INVALID_ROW',
      `after this line the file is not valid ${decoder.encoding}`,
      { file, line },
      { cause },
    );
  }
}

const ADVICE =
  "save the file as UTF-8, or give its encoding, such as encoding: 'latin1' (on the command line --encoding latin1) for " +
  'Western European files from Windows';

function refuse(offset: number, lines: LinePositions, file: string | undefined, advice: string): void {
  if (offset < 0) return;
  const column = lines.columnAt(offset);
  const message = `byte ${column} of the line is not UTF-8: ${advice}`;
  throw new DataError('INVALID_ROW', message, { file, line: lines.lineAt(offset), column });
}
