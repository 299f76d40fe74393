import { note } from '../core/terminal.js';

/** Why standard output is lost: its reader has gone, or it cannot be written. */
type Loss = { gone: boolean; error: NodeJS.ErrnoException };

let loss: Loss | undefined;

/** Whether what is written to standard output no longer arrives. */
export function outputLost(): boolean {
  return loss !== undefined;
}

/**
 * Keeps a process running after the reader of its output has gone. A server continues, and a training saves its model;
 * the exit code accounts for the loss. Output to standard error may be lost.
 */
export function surviveLostOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A terminal that has closed gives EIO.
    loss ??= { gone: error.code === 'EPIPE' || error.code === 'EIO', error };
  });
  process.stderr.on('error', () => {});
}

/**
 * Waits until standard output accepts more: a slow reader must not fill the memory.
 *
 * @param signal - Ends the waiting.
 */
export async function outputDrained(signal?: AbortSignal): Promise<void> {
  const { stdout } = process;
  while (stdout.writableNeedDrain && !loss && !signal?.aborted) {
    await new Promise<void>((resolve) => {
      const done = () => {
        stdout.removeListener('drain', done).removeListener('error', done);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      stdout.once('drain', done).once('error', done);
      signal?.addEventListener('abort', done);
    });
  }
}

/** Waits until everything written to standard output has been delivered or has failed. */
async function flushed(): Promise<void> {
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  // The stream emits an error only after its callback.
  await new Promise((resolve) => setImmediate(resolve));
}

/**
 * The exit code of a command that would end with `code`, given what standard output lost. A reader that closed early,
 * as in `recurra predict ... | head -1`, is not an error, and does not matter to a command whose result is elsewhere.
 *
 * @param resultElsewhere - Whether the command's result is a file or a service, and its output only reports on it.
 */
export async function exitCodeAfterOutput(
  code: number,
  resultElsewhere: boolean,
  codes: { failure: number; readerGone: number },
): Promise<number> {
  await flushed();
  if (code !== 0 || !loss) return code;
  if (loss.gone) return resultElsewhere ? code : codes.readerGone;
  note(`recurra: standard output cannot be written: ${loss.error.message} [IO]`);
  return codes.failure;
}
