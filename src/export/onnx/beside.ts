import { dirname, join } from 'node:path';
import type { Turns } from '../../core/turns.js';
import { writeText } from '../../core/writeText.js';
import { checkOwnFile } from '../ownFile.js';
import { FEATURIZE_JAVASCRIPT, JAVASCRIPT_MARK } from './featurizeJavaScript.js';
import { FEATURIZE_PYTHON, PYTHON_MARK } from './featurizePython.js';

/** Files beside a model, the same ones for every model: what the model needs to know of texts is in its metadata. */
const FILES = [
  { name: 'featurize.py', content: FEATURIZE_PYTHON, mark: PYTHON_MARK },
  { name: 'featurize.mjs', content: FEATURIZE_JAVASCRIPT, mark: JAVASCRIPT_MARK },
];

/** Files that will be written beside a model. */
export interface FilesBeside {
  /** Writes them. */
  write(turns: Turns): Promise<void>;
  paths: string[];
}

/**
 * The files beside a model, which are not written yet.
 *
 * @throws ArgumentError for a file of such a name that was not written by this package.
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
