import { TextDecoder } from 'node:util';
import { checkChoice } from '../../core/checks.js';
import { DataError } from '../../core/errors.js';
import type { LinePositions } from './linePositions.js';
import { Utf8Check } from './utf8.js';

/** Encodings of text files. `latin1` is read as browsers read it, as windows-1252. */
export type TextEncoding = 'utf8' | 'utf16le' | 'latin1';

/**
 * Checks the name of an encoding.
 *
 * @internal
 */
export function checkEncoding(encoding: TextEncoding | undefined): void {
  if (encoding !== undefined) checkChoice('encoding', encoding, ['utf8', 'utf16le', 'latin1']);
}

/**
 * Passes a stream's bytes on as UTF-8, checked, and notes its lines.
 *
 * @param chunks - Bytes, or text of a stream that decodes already.
 * @param lines - Is given every byte before it is passed on.
 * @param options - `encoding`: how the bytes are encoded; default UTF-16 if they begin with its byte order mark, else UTF-8.
 * `file`: the name for messages.
 * @throws {@link DataError} with code `INVALID_ROW`, line and byte for text that is not well-formed.
 *
 * @internal
 */
export async function* checkedUtf8(
  chunks: AsyncIterable<Uint8Array | string>,
  lines: LinePositions,
  { file, encoding }: { file?: string | undefined; encoding?: TextEncoding | undefined } = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const check = new Utf8Check();
  let decoder: TextDecoder | undefined;
  let first = true;
  for await (const chunk of chunks) {
    let bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (bytes.length === 0) continue;
    if (first) {
      const utf16 = encoding === 'utf16le' || (!encoding && bytes[0] === 0xff && bytes[1] === 0xfe);
      if (utf16) decoder = new TextDecoder('utf-16le', { fatal: true });
      else if (encoding === 'latin1') decoder = new TextDecoder('windows-1252');
      first = false;
    }
    if (decoder) {
      bytes = Buffer.from(decode(decoder, bytes, lines, file));
      lines.add(bytes);
    } else {
      lines.add(bytes);
      refuse(check.add(bytes), lines, file);
    }
    yield bytes;
  }
  if (decoder) decode(decoder, undefined, lines, file);
  else refuse(check.unfinished, lines, file);
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

function refuse(offset: number, lines: LinePositions, file: string | undefined): void {
  if (offset < 0) return;
  const column = lines.columnAt(offset);
  const message = `byte ${column} of the line is not UTF-8: save the file as UTF-8, or give its encoding`;
  throw new DataError('INVALID_ROW', message, { file, line: lines.lineAt(offset), column });
}
