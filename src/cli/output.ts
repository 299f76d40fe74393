import { ArgumentError, RecurraError } from '../core/errors.js';
import { jsonLine, note } from '../core/terminal.js';

/** Exit codes of the command line; scripts may rely on them. */
export const EXIT = {
  /** Everything was done. */
  ok: 0,
  /** The work failed; the reason is on standard error. */
  failure: 1,
  /** The command itself was wrong: unknown option, missing argument, a value out of range. */
  usage: 2,
  /** Ctrl-C, SIGTERM or SIGHUP stopped the work; what a training had learned by then has been saved. */
  interrupted: 130,
  /** The reader of standard output went away before all was written, as with `| head -1`: that of a process that SIGPIPE ends. */
  readerGone: 141,
} as const;

/** What an error says, with the flag beside a column that is missing. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!(error instanceof ArgumentError) || error.received !== 'undefined') return error.message;
  return COLUMNS.includes(error.option) ? `${error.message}; give --${error.option} <column>` : error.message;
}

/** Options of readers that name columns. */
const COLUMNS: readonly (string | undefined)[] = ['text', 'label'];

/** Says what went wrong and returns the exit code that fits. */
export function reportError(error: unknown, json: boolean): number {
  const code = error instanceof RecurraError ? error.code : 'INTERNAL';
  const message = messageOf(error);
  if (json) jsonLine({ event: 'error', code, message });
  note(`recurra: ${message}${error instanceof RecurraError ? ` [${code}]` : ''}`);
  if (code === 'INTERNAL' && error instanceof Error && error.stack && process.env.RECURRA_DEBUG) note(error.stack);
  if (code === 'ABORTED') return EXIT.interrupted;
  return error instanceof ArgumentError || code === 'INVALID_ARGUMENT' ? EXIT.usage : EXIT.failure;
}
