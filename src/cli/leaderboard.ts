import { counted } from '../core/counted.js';
import { printable } from '../core/printable.js';
import { duration, note, percent } from '../core/terminal.js';
import type { Trial, TuningEvent } from '../tuning/events.js';

/** Settings shown on the leaderboard. */
const SHOWN = 8;
/** Maximum columns for the name of a setting. */
const WIDEST = 60;

/** A difference in points with its standard error; empty for the baseline. */
function compared({ difference, error }: Trial): string {
  if (difference === 0 && error === 0) return '';
  return `${difference < 0 ? '-' : '+'}${Math.abs(100 * difference).toFixed(2)} ±${(100 * error).toFixed(2)}`;
}

/** The best settings as lines of a table. */
export function boardLines(board: readonly Trial[], most: number = SHOWN): string[] {
  const shown = board.slice(0, most);
  const names = shown.map(({ name }) => {
    const text = printable(name);
    return text.length > WIDEST ? `${text.slice(0, WIDEST - 3)}...` : text;
  });
  const width = Math.max(8, ...names.map((name) => name.length));
  const head = `${'settings'.padEnd(width)}  ${'score'.padStart(8)}  ${'to the defaults'.padStart(15)}  ${'loss'.padStart(7)}  trainings`;
  const lines = shown.map((trial, i) => {
    const { score, loss, trainings } = trial;
    return `${names[i]!.padEnd(width)}  ${percent(score).padStart(8)}  ${compared(trial).padStart(15)}  ${loss.toFixed(4).padStart(7)}  ${String(trainings).padStart(9)}`;
  });
  const rest = board.length - shown.length;
  return [head, ...lines, ...(rest > 0 ? [`and ${rest} more`] : [])];
}

/** Shows a search while it runs. */
export interface TuningDisplay {
  update(event: TuningEvent): void;
  /** Removes the table from the terminal. */
  stop(): void;
}

function timeWords({ elapsed, secondsLeft }: TuningEvent): string {
  return secondsLeft === null ? duration(elapsed) : `${duration(elapsed)}, ${duration(secondsLeft)} left`;
}

/** A table that is redrawn in place. */
function table(): TuningDisplay {
  let lines = 0;
  const clear = () => {
    if (lines > 0) process.stderr.write(`\u001b[${lines}F\u001b[J`);
    lines = 0;
  };
  return {
    update(event) {
      if (event.type === 'start') return;
      clear();
      if (event.type !== 'trial') return plain(event);
      const { columns = 80 } = process.stderr;
      const shown = [
        `trial ${event.trial}, rung ${event.rung} (${timeWords(event)})`,
        ...boardLines(event.leaderboard),
      ];
      // A wrapped line would take two rows.
      process.stderr.write(shown.map((line) => `${line.slice(0, columns - 1)}\n`).join(''));
      lines = shown.length;
    },
    stop: clear,
  };
}

/** An event as a permanent line. */
function plain(event: TuningEvent): void {
  if (event.type === 'start') {
    const { rows, validationRows, labels } = event;
    note(
      `${counted(rows)}, ${counted(labels, 'label')}${validationRows > 0 ? `, ${counted(validationRows, 'validation row')}` : ''}`,
    );
  } else if (event.type === 'trial') {
    const { trial, rung, name, score } = event;
    const difference = compared(event);
    note(
      `rung ${rung}, trial ${trial}: ${percent(score)}${difference ? ` (${difference})` : ''} ${printable(name)} (${timeWords(event)})`,
    );
  } else if (event.type === 'failure') {
    note(`left out: ${printable(event.name)}: ${event.error.message} [${event.error.code}]`);
  } else {
    note(`training with ${printable(event.name)} on all ${counted(event.rows)}, about ${duration(event.estimated)}`);
  }
}

/** Shows a search: a table on a terminal, otherwise a line for each trial. */
export function tuningDisplay(): TuningDisplay {
  return process.stderr.isTTY ? table() : { update: plain, stop() {} };
}
