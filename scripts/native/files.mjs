// Files that others may be reading are replaced whole, and only when they change.

import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Writes `content` to `path` by a temporary file and a rename. A process that has the old file mapped keeps it;
 * a file whose content is the same is left alone, its time too. Returns whether it was written.
 */
export function replaceFile(path, content, mode = 0o644) {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(content);
  if (existsSync(path) && bytes.equals(readFileSync(path))) return false;
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, bytes, { mode });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  return true;
}
