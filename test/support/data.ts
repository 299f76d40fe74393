import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Path of real data for tests that need it: in the folder that `RECURRA_DATA` names, else in `../shared/data` beside the
 * project. Undefined, with a warning, where it is absent: such tests are skipped, and say so.
 */
export function realData(...parts: string[]): string | undefined {
  const folders = [process.env.RECURRA_DATA, fileURLToPath(new URL('../../../shared/data', import.meta.url))];
  const found = folders.map((folder) => folder && join(folder, ...parts)).find((path) => path && existsSync(path));
  if (!found)
    console.warn(`tests that need ${parts.join('/')} are skipped: set RECURRA_DATA to the folder that has it`);
  return found || undefined;
}
