import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AtomicLines } from '../../core/atomicLines.js';
import { constraint } from '../../core/errors.js';
import type { Turns } from '../../core/turns.js';
import { FEATURIZE_JAVASCRIPT, JAVASCRIPT_MARK } from './featurizeJavaScript.js';
import { FEATURIZE_PYTHON, PYTHON_MARK } from './featurizePython.js';

/** Files beside a model, the same ones for every model: what the model needs to know of texts is in its metadata. */
const FILES = [
  { name: 'featurize.py', content: FEATURIZE_PYTHON, mark: PYTHON_MARK },
  { name: 'featurize.mjs', content: FEATURIZE_JAVASCRIPT, mark: JAVASCRIPT_MARK },
];

/** How a file begins; undefined where there is none. */
async function beginOf(path: string, characters: number): Promise<string | undefined> {
  const file = await open(path).catch(() => undefined);
  if (!file) return undefined;
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(characters) });
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
}

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
  for (const { path, mark } of files) {
    const begin = await beginOf(path, mark.length);
    if (begin !== undefined && begin !== mark)
      throw constraint(
        'out',
        `${path} is there and was not written by recurra; rename it, or export to another folder`,
      );
  }
  async function write(turns: Turns): Promise<void> {
    for (const { path, content } of files) {
      const lines = await AtomicLines.open(path);
      try {
        await lines.write(content.trimEnd());
        await lines.finish();
      } finally {
        await lines.discard();
      }
      if (turns.due) await turns.next();
    }
  }
  return { write, paths: files.map(({ path }) => path) };
}
