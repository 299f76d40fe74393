import { dirname, join } from 'node:path';
import type { Turns } from '../../core/turns.js';
import { writeText } from '../../core/writeText.js';
import { checkOwnFile } from '../ownFile.js';
import { FEATURIZE_JAVASCRIPT, JAVASCRIPT_MARK } from './featurizeJavaScript.js';
import { FEATURIZE_PYTHON, PYTHON_MARK } from './featurizePython.js';

/** Files written next to a model. They are the same for every model: how the model reads texts is in its metadata. */
const FILES = [
  { name: 'featurize.py', content: FEATURIZE_PYTHON, mark: PYTHON_MARK },
  { name: 'featurize.mjs', content: FEATURIZE_JAVASCRIPT, mark: JAVASCRIPT_MARK },
];

/** Files that will be written next to a model. */
export interface FilesBeside {
  /** Writes them. */
  write(turns: Turns): Promise<void>;
  paths: string[];
}

/**
 * The files to write next to a model.
 *
 * @throws ArgumentError for an existing file of such a name that this package did not write.
 */
export async function filesBeside(out: string): Promise<FilesBeside> {
  const files = FILES.map((file) => ({ ...file, path: join(dirname(out), file.name) }));
  for (const { path, mark } of files) await checkOwnFile(path, mark, 'rename it, or export to another folder');
  async function write(turns: Turns): Promise<void> {
    for (const { path, content } of files) {
      await writeText(path, content);
      if (turns.due) await turns.next();
    }
  }
  return { write, paths: files.map(({ path }) => path) };
}
