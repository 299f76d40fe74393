import { DataError } from '../../core/errors.js';

/** First bytes of a ZIP archive. */
const ZIP = Buffer.from('PK\x03\x04', 'latin1');

/** Bytes of the number that a safetensors file begins with: the length of its header, which is an object in JSON. */
const LENGTH = 8;
/** Limit of that length. Its upper bytes are zeros, which no text starts with. */
const LONGEST_HEADER = 2n ** 32n;

function isSafetensors(head: Uint8Array): boolean {
  if (head.length <= LENGTH || head[LENGTH] !== 0x7b) return false;
  return new DataView(head.buffer, head.byteOffset).getBigUint64(0, true) < LONGEST_HEADER;
}

/**
 * Refuses files that are not text: a model instead of rows, or a workbook instead of its table as CSV.
 *
 * @param head - The first bytes of the file.
 * @param file - Its name, for the message.
 * @throws {@link DataError} `INVALID_FILE`
 *
 * @internal
 */
export function checkText(head: Uint8Array, file: string | undefined): void {
  if (isSafetensors(head)) {
    const message =
      'this is a safetensors file, such as a model or a checkpoint, and has no rows: give a file of texts';
    throw new DataError('INVALID_FILE', message, { file });
  }
  if (ZIP.equals(head.subarray(0, ZIP.length))) {
    const message = 'this is a ZIP archive or an Excel workbook (.xlsx): save the table as CSV, or unpack the archive';
    throw new DataError('INVALID_FILE', message, { file });
  }
}
