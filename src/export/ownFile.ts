import { open } from 'node:fs/promises';
import { constraint } from '../core/errors.js';

/**
 * Refuses to overwrite a file of somebody else.
 *
 * @param mark - What the files of this package begin with; ASCII.
 * @param advice - What to do, behind a semicolon.
 * @throws ArgumentError for a file that begins with something else.
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
  throw constraint('out', `${path} is there and was not written by recurra; ${advice}`);
}
