import { open } from 'node:fs/promises';
import { constraint } from '../core/errors.js';

/**
 * Refuses to overwrite a file that this package did not write.
 *
 * @param mark - First bytes of this package's files; ASCII.
 * @param advice - What to do, after a semicolon.
 * @throws ArgumentError for a file that starts with anything else.
 */
export async function checkOwnFile(path: string, mark: string, advice: string): Promise<void> {
  const file = await open(path).catch(() => undefined);
  if (!file) return;
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(mark.length) });
    if (buffer.toString('utf8', 0, bytesRead) === mark) return;
  } finally {
    await file.close();
  }
  throw constraint('out', `${path} already exists and was not written by recurra; ${advice}`);
}
