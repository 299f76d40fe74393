import { stat } from 'node:fs/promises';
import { basename, join, posix, relative, resolve, sep } from 'node:path';
import { constraint, DataError } from '../../core/errors.js';
import { ioError } from '../../core/ioError.js';

/** A file to read and its output. */
export interface InputFile {
  /** Its path as used in messages. */
  path: string;
  /** Name of its output below the folder of outputs, with `/` between folders. */
  output: string;
  /** Its size in bytes. */
  bytes: number;
  /** When it was changed, in milliseconds since 1970. */
  modified: number;
}

/** Whether a part of a path is a pattern. */
const MAGIC = /[*?[\]{}()!]/;

/** Files looked up at once. */
const AT_ONCE = 64;

/** The fixed beginning of a pattern, and what follows it. */
function splitPattern(pattern: string): { base: string; rest: string } {
  const parts = pattern.split('/');
  const fixed = parts.findIndex((part) => MAGIC.test(part));
  const base = parts.slice(0, fixed).join('/');
  return { base: base === '' && pattern.startsWith('/') ? '/' : base, rest: parts.slice(fixed).join('/') };
}

/** Paths that a pattern matches, each with its name below the pattern's fixed beginning. */
async function matches(pattern: string): Promise<{ path: string; name: string }[]> {
  const { base, rest } = splitPattern(pattern);
  // Imported here because only one command needs it.
  const { glob } = await import('tinyglobby');
  const names = await glob(rest, { cwd: base === '' ? '.' : base, expandDirectories: false });
  if (names.length === 0) throw new DataError('FILE_NOT_FOUND', 'no file matches this pattern', { file: pattern });
  return names.map((name) => ({ path: base === '' ? name : posix.join(base, name), name }));
}

/** A file's size and time; undefined where no such file. */
async function lookUp(path: string): Promise<{ bytes: number; modified: number; folder: boolean } | undefined> {
  try {
    const found = await stat(path);
    return { bytes: found.size, modified: found.mtimeMs, folder: found.isDirectory() };
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw ioError(error as Error, path);
  }
}

/** The files that one argument names. */
async function expand(argument: string): Promise<InputFile[]> {
  if (argument === '-')
    throw constraint('files', 'standard input has no name for its output; use --filter instead of --out');
  const own = await lookUp(argument);
  if (own?.folder)
    throw constraint(
      'files',
      `${argument} is a folder; give a pattern for its files, such as '${join(argument, '*')}'`,
    );
  if (own) return [{ path: argument, output: `${basename(argument)}.jsonl`, ...own }];
  if (!MAGIC.test(argument)) throw new DataError('FILE_NOT_FOUND', 'no such file', { file: argument });
  const found = await matches(argument);
  const files: InputFile[] = [];
  for (let from = 0; from < found.length; from += AT_ONCE) {
    const some = found.slice(from, from + AT_ONCE).map(async ({ path, name }) => {
      const file = await lookUp(path);
      return file ? [{ path, output: `${name}.jsonl`, ...file }] : [];
    });
    files.push(...(await Promise.all(some)).flat());
  }
  return files;
}

/**
 * The files that arguments name, each once, ordered by the names of their outputs. An argument is a path or a pattern
 * (`*`, `**`, `?`, `[a-z]`, `{a,b}`); a file with exactly that name takes precedence. The output of a path is its file
 * name plus `.jsonl`; outputs of a pattern keep the folders below the pattern's fixed beginning.
 *
 * @param folder - Where outputs will be written.
 * @throws {@link DataError} `FILE_NOT_FOUND` for a missing path and for a pattern that matches nothing.
 * @throws ArgumentError for a folder, for two files with the same output, and for a file in the folder of outputs.
 */
export async function inputFiles(args: readonly string[], folder: string): Promise<InputFile[]> {
  const files = new Map<string, InputFile>();
  for (const argument of args) {
    for (const file of await expand(argument)) {
      const place = resolve(file.path);
      if (!files.has(place)) files.set(place, file);
    }
  }
  const outputs = new Map<string, string>();
  for (const [place, { path, output }] of files) {
    const inside = relative(resolve(folder), place);
    if (inside !== '' && inside.split(sep)[0] !== '..' && resolve(folder, inside) === place)
      throw constraint('out', `${path} is in the output folder, ${folder}; give another folder for --out`);
    const other = outputs.get(output);
    if (other !== undefined)
      throw constraint(
        'out',
        `${other} and ${path} would both be written to ${output}; give a quoted pattern above their folders, such as 'in/**/*.csv', which keeps them apart`,
      );
    outputs.set(output, path);
  }
  return [...files.values()].sort((a, b) => (a.output < b.output ? -1 : 1));
}
