import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DataError } from './errors.js';
import { targetOf, temporaryBeside } from './outputs.js';

/** Characters buffered before a write. */
const BUFFER = 262_144;

/**
 * Writes lines to a file atomically: under a temporary name in the same folder, synced, then renamed. An existing file
 * is untouched until then, and its mode is kept. A device or pipe is refused: renaming would replace it.
 */
export class AtomicLines {
  readonly #path: string;
  readonly #temporary: string;
  readonly #file: FileHandle;
  #waiting: string[] = [];
  #characters = 0;

  private constructor(path: string, temporary: string, file: FileHandle) {
    this.#path = path;
    this.#temporary = temporary;
    this.#file = file;
  }

  /** Opens the temporary file, so that an unwritable folder is reported before the work starts. */
  static async open(path: string): Promise<AtomicLines> {
    const old = await stat(path).catch(() => undefined);
    if (old && !old.isFile()) {
      const reason = old.isDirectory() ? 'it is a folder' : 'it is not a regular file';
      throw new DataError('IO', `it cannot be written: ${reason}`, { file: path });
    }
    const target = await targetOf(path);
    const temporary = temporaryBeside(target);
    const lines = new AtomicLines(target, temporary, await orDataError(path, open(temporary, 'wx')));
    // Some file systems have no modes.
    if (old) await lines.#file.chmod(old.mode & 0o777).catch(() => {});
    return lines;
  }

  /** Adds a line. If a promise is returned, await it before the next call. */
  write(line: string): Promise<void> | undefined {
    this.#waiting.push(line, '\n');
    this.#characters += line.length + 1;
    return this.#characters >= BUFFER ? this.#flush() : undefined;
  }

  /** Appends bytes. Await it before the next call. */
  async append(bytes: Uint8Array): Promise<void> {
    await this.#flush();
    await orDataError(this.#path, this.#file.appendFile(bytes));
  }

  async #flush(): Promise<void> {
    const text = this.#waiting.join('');
    this.#waiting = [];
    this.#characters = 0;
    await orDataError(this.#path, this.#file.appendFile(text));
  }

  /** Writes the rest and renames the file to its final name. */
  async finish(): Promise<void> {
    await this.#flush();
    await orDataError(this.#path, this.#file.sync());
    await this.#file.close();
    await orDataError(this.#path, rename(this.#temporary, this.#path));
    // A rename is durable once the folder is synced; some file systems cannot sync a folder.
    const folder = await open(dirname(this.#path), 'r').catch(() => undefined);
    await folder?.sync().catch(() => {});
    await folder?.close();
  }

  /** Deletes what was written; does nothing after {@link finish}. */
  async discard(): Promise<void> {
    await this.#file.close().catch(() => {});
    await rm(this.#temporary, { force: true });
  }
}

async function orDataError<T>(path: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new DataError('IO', `it cannot be written: ${(cause as Error).message}`, { file: path }, { cause });
  }
}
