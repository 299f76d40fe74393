import { ArgumentError, RecurraError } from '../core/errors.js';
import { jsonLine, note } from '../core/terminal.js';

/** Exit codes of the command line; scripts may rely on them. */
export const EXIT = {
  /** Everything succeeded. */
  ok: 0,
  /** The work failed; the reason is on standard error. */
  failure: 1,
  /** The command itself was wrong: unknown option, missing argument, a value out of range. */
  usage: 2,
  /** Ctrl-C, SIGTERM or SIGHUP stopped the work; the weights that a training had learned by then are saved. */
  interrupted: 130,
  /**
   * The reader of standard output closed it early, as `| head -1` does; the same code as a process ended by SIGPIPE.
   */
  readerGone: 141,
} as const;

/** The files of rows in an event: `file` for one, `files` for several. */
export function fileFields(files: readonly string[]): { file: string } | { files: readonly string[] } {
  return files.length === 1 ? { file: files[0]! } : { files };
}

/**
 * Prints an error and returns the matching exit code.
 *
 * @param message - The error's message, in the words of the command line.
 */
export function reportError(error: unknown, message: string, json: boolean): number {
  const code = error instanceof RecurraError ? error.code : 'INTERNAL';
  if (json) jsonLine({ event: 'error', code, message });
  note(`recurra: ${message}${error instanceof RecurraError ? ` [${code}]` : ''}`);
  if (code === 'INTERNAL' && error instanceof Error && error.stack && process.env.RECURRA_DEBUG) note(error.stack);
  if (code === 'ABORTED') return EXIT.interrupted;
  return error instanceof ArgumentError || code === 'INVALID_ARGUMENT' ? EXIT.usage : EXIT.failure;
}
