import { DataError } from '../../core/errors.js';

/** What a ZIP archive begins with. */
const ZIP = Buffer.from('PK\x03\x04', 'latin1');

/** Bytes of the number that a safetensors file begins with: the length of its header, which is an object in JSON. */
const LENGTH = 8;
/** What that length stays below. Its other bytes are zeros, as no text begins with. */
const LONGEST_HEADER = 2n ** 32n;

function isSafetensors(head: Uint8Array): boolean {
  if (head.length <= LENGTH || head[LENGTH] !== 0x7b) return false;
  return new DataView(head.buffer, head.byteOffset).getBigUint64(0, true) < LONGEST_HEADER;
}

/**
 * Refuses files that are taken for texts by mistake: a model in place of rows, a workbook in place of its table as CSV.
 *
 * @param head - How the file begins.
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
    const message =
      'this is a ZIP archive, as workbooks of Excel (.xlsx) are too: save the table as CSV, or unpack the archive';
    throw new DataError('INVALID_FILE', message, { file });
  }
}
