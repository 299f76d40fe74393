import { note } from '../core/terminal.js';

/** Why standard output takes nothing any more: its reader has gone, or it cannot be written. */
type Loss = { gone: boolean; error: NodeJS.ErrnoException };

let loss: Loss | undefined;

/** Whether what is written to standard output no longer arrives. */
export function outputLost(): boolean {
  return loss !== undefined;
}

/**
 * Keeps a process running when nobody reads its output any more. A server goes on, and a training saves its model; what a
 * command makes of the loss is decided at its end. What goes to standard error may vanish.
 */
export function surviveLostOutput(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A terminal that has closed gives EIO.
    loss ??= { gone: error.code === 'EPIPE' || error.code === 'EIO', error };
  });
  process.stderr.on('error', () => {});
}

/**
 * Waits while standard output has as much to write as it takes: a slow reader must not fill the memory.
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

/** Waits until everything that was written to standard output has arrived or failed. */
async function flushed(): Promise<void> {
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()));
  // The stream tells of an error after it has called back.
  await new Promise((resolve) => setImmediate(resolve));
}

/**
 * The exit code of a command that would end with `code`: what standard output lost was not done. That its reader has gone is no
 * fault, as in `recurra predict ... | head -1`, and does not concern a command whose result is elsewhere.
 *
 * @param resultElsewhere - Whether the command's result is a file or a service, and its output only tells of it.
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
