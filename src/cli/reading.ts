import { counted } from '../core/counted.js';
import { duration, jsonLine, note } from '../core/terminal.js';
import type { ReadProgress } from '../data/readers/options.js';

/** Milliseconds of reading before anything is shown. */
const SILENCE = 1000;
/** Milliseconds between two permanent lines. */
const BETWEEN_LINES = 5000;

/** Shows the progress of reading files. */
export interface ReadingDisplay {
  /** Shows a report; give it to a reader's `onProgress`. */
  update(progress: ReadProgress): void;
  /** Ends the display, leaving the terminal as it was. */
  stop(): void;
}

function words({ file, bytes, totalBytes, rows }: ReadProgress, seconds: number): string {
  const share = totalBytes ? `${Math.floor((100 * bytes) / totalBytes)} % of ` : '';
  const size = `${((totalBytes ?? bytes) / 1e6).toFixed(1)} MB`;
  const left = totalBytes && bytes > 0 ? `, ${duration((seconds * (totalBytes - bytes)) / bytes)} left` : '';
  return `reading ${file ?? 'a stream'}: ${share}${size}, ${counted(rows)}${left}`;
}

/**
 * Shows the reading of files that takes over a second: one line on a terminal, a line every few seconds elsewhere.
 *
 * @param json - Write an event `reading` as a JSON line to standard output each second instead.
 */
export function readingDisplay(json: boolean): ReadingDisplay {
  const began = new Map<string | undefined, number>();
  let last = Number.NEGATIVE_INFINITY;
  let shown = false;
  const clear = () => {
    if (shown) process.stderr.write('\r\u001b[K');
    shown = false;
  };
  return {
    update(progress) {
      const now = performance.now();
      const from = began.get(progress.file);
      if (from === undefined) began.set(progress.file, now);
      const terminal = !json && process.stderr.isTTY === true;
      const pause = json ? SILENCE : terminal ? 0 : BETWEEN_LINES;
      if (from === undefined || now - from < SILENCE || now - last < pause) return;
      last = now;
      if (json) {
        jsonLine({ event: 'reading', ...progress });
      } else if (terminal) {
        clear();
        process.stderr.write(words(progress, (now - from) / 1000));
        shown = true;
        if (progress.bytes === progress.totalBytes) clear();
      } else {
        note(words(progress, (now - from) / 1000));
      }
    },
    stop: clear,
  };
}
