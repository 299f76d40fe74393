import { randomUUID } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { fstatSync } from 'node:fs';
import { access, constants, open, realpath, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { checkFilled } from './checks.js';
import { ArgumentError, constraint, DataError } from './errors.js';

/** A file or folder that will be written. */
export interface Output {
  /** The option that names it. */
  option: string;
  /** What will be written, as the subject of a sentence: `the model`. */
  what: string;
  path: string;
  /** Whether it is a folder for event files, which may already exist; a file is replaced as a whole. */
  folder?: boolean;
}

/** A file that will be read. */
export interface Input {
  /** What is read from it, as in `the file of the rows`. */
  what: string;
  /** Its path; `-` for standard input. */
  path: string;
}

/** Identity of a file, independent of its path. */
interface Identity {
  real: string;
  stats: BigIntStats;
}

const STANDARD_INPUT = '-';
/** A longer name leaves no room for the additions of a temporary name. */
const LONGEST_NAME = 200;

/**
 * A path next to `target` for a temporary file; it starts with the target's name, so that leftovers of a killed process
 * can be recognised.
 */
export function temporaryBeside(target: string): string {
  const name = basename(target);
  const begin = Buffer.byteLength(name) <= LONGEST_NAME ? `.${name}.` : '.recurra.';
  return join(dirname(target), `${begin}${randomUUID()}.tmp`);
}

/** The file that a path resolves to; the path itself if there is none. */
export async function targetOf(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path));
}

/** Identity of the file at a path; undefined if unknown. */
async function identify(path: string): Promise<Identity | undefined> {
  try {
    if (path === STANDARD_INPUT) return { real: '', stats: fstatSync(0, { bigint: true }) };
    return { real: await realpath(path), stats: await stat(path, { bigint: true }) };
  } catch {
    return undefined;
  }
}

/**
 * Whether both are the same file. Another hard link to the content is not: writing replaces a name, not the content.
 */
function same(a: Identity | undefined, b: Identity | undefined): boolean {
  if (!a || !b) return false;
  const one = a.stats.dev === b.stats.dev && a.stats.ino === b.stats.ino && a.stats.ino !== 0n;
  return a.real === b.real || (one && (a.stats.nlink === 1n || a.real === '' || b.real === ''));
}

/** Refuses a target in a folder whose files only their owners may replace, as in `/tmp`. */
async function checkReplaceable(target: string, old: BigIntStats): Promise<void> {
  const user = process.getuid?.();
  if (user === undefined || user === 0) return;
  const folder = await stat(dirname(target));
  if ((folder.mode & 0o1000) === 0 || folder.uid === user || Number(old.uid) === user) return;
  throw new Error('it belongs to another user, and only they may replace it in this folder');
}

/** Tries everything that writing a file needs, without the content. */
async function tryFile(path: string): Promise<void> {
  const old = await stat(path, { bigint: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (old?.isDirectory() || /[/\\]$/.test(path)) throw new Error('it is a folder');
  if (old && !old.isFile()) throw new Error('it is not a regular file');
  const target = await targetOf(path);
  const temporary = temporaryBeside(target);
  const made = await open(temporary, 'wx').catch((error: NodeJS.ErrnoException) => {
    // The system's message names the temporary file, which means nothing to the user.
    throw error.code === 'ENOENT' ? new Error(`there is no folder ${dirname(target)} (ENOENT)`) : error;
  });
  await made.close();
  await rm(temporary, { force: true });
  if (old) await checkReplaceable(target, old);
}

/** Checks that files can be created in a folder, or that a missing folder can be created. */
async function tryFolder(path: string): Promise<void> {
  for (let at = resolve(path); ; at = dirname(at)) {
    const there = await stat(at).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (!there) continue;
    if (!there.isDirectory()) throw new Error(`${at} is a file, not a folder`);
    return access(at, constants.W_OK | constants.X_OK);
  }
}

/**
 * Checks before the work starts that its outputs can be written. Refuses an empty path, a folder in place of a file, a
 * device, standard output, a name that is too long, a missing or unwritable folder, and a file that is also an input.
 * Also refuses two inputs from standard input.
 *
 * @throws {@link ArgumentError} for a path that is empty or `-`, or names an input or another output, and for two inputs `-`.
 * @throws {@link DataError} `IO` for a path that cannot be written.
 *
 * @internal
 */
export async function checkOutputs(outputs: readonly Output[], inputs: readonly Input[]): Promise<void> {
  for (const { option, path, folder } of outputs) {
    checkFilled(option, path, folder ? 'the path of a folder' : 'the path of a file');
  }
  const [first, second] = inputs.filter(({ path }) => path === STANDARD_INPUT);
  if (first && second) {
    const message = `standard input can be read only once, but is given as ${first.what} and as ${second.what}; give a file for one of them`;
    throw new ArgumentError('INVALID_ARGUMENT', message);
  }
  const read = await Promise.all(inputs.map(async (input) => ({ ...input, is: await identify(input.path) })));
  const written = new Map<string, string>();
  for (const { option, what, path, folder } of outputs) {
    const is = await identify(path);
    const input = read.find((each) => same(each.is, is));
    if (input) {
      throw constraint(option, `${what} would overwrite ${input.what}, ${path}; give another path for ${option}`);
    }
    const target = await targetOf(path);
    const other = written.get(target);
    if (other !== undefined)
      throw constraint(option, `${other} and ${option} both name ${path}; give each its own path`);
    written.set(target, option);
    if (path === STANDARD_INPUT)
      throw constraint(
        option,
        `${what} cannot go to standard output; give a path for ${option}, or ./- for a file of that name`,
      );
    try {
      await (folder ? tryFolder(path) : tryFile(path));
    } catch (cause) {
      throw new DataError('IO', `${what} cannot be written to ${path}: ${(cause as Error).message}`, {}, { cause });
    }
  }
}
