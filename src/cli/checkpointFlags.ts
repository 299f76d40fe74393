import { type Command, InvalidArgumentError } from 'commander';
import { constraint } from '../core/errors.js';
import { jsonLine, note } from '../core/terminal.js';
import type { CheckpointOptions } from '../training/checkpoints/options.js';
import type { AnyTaskEvent, TrainingStart } from '../training/events/events.js';

/** The flags of `recurra train` about checkpoints, as commander gives them. */
export interface CheckpointFlags {
  checkpoint?: string;
  checkpointEvery?: Pick<CheckpointOptions, 'everySteps' | 'everyMinutes'>;
  resume?: boolean;
}

const MINUTES = { s: 1 / 60, m: 1, h: 60 } as const;

/** Reads `1000` as steps, and `500s`, `10m` or `2h` as a time. */
function every(text: string): NonNullable<CheckpointFlags['checkpointEvery']> {
  const [, number, unit] = /^(\d+(?:\.\d+)?)([smh]?)$/.exec(text) ?? [];
  const value = Number(number);
  if (!(value > 0)) throw new InvalidArgumentError('Expected steps, such as 1000, or a time, such as 500s, 10m or 2h.');
  if (unit) return { everyMinutes: value * MINUTES[unit as keyof typeof MINUTES] };
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('Expected a whole number of steps.');
  return { everySteps: value };
}

/** Adds the flag without an option of the same name: how often the file of `--checkpoint` is written. */
export function checkpointEveryFlag(command: Command): Command {
  return command.option(
    '--checkpoint-every <n>',
    'also write a checkpoint every N steps (1000), or at an interval (500s, 10m, 2h)',
    every,
  );
}

/**
 * The `checkpoint` option built from the flags, if any were given.
 *
 * @throws ArgumentError if flags need `--checkpoint` and it is missing.
 */
export function checkpointOption(flags: CheckpointFlags): { checkpoint?: CheckpointOptions } {
  const { checkpoint: path, checkpointEvery, resume } = flags;
  if (path === undefined && (checkpointEvery || resume))
    throw constraint('checkpoint', `--${resume ? 'resume' : 'checkpoint-every'} needs --checkpoint FILE`);
  return path === undefined ? {} : { checkpoint: { path, ...checkpointEvery } };
}

/** Prints how a training starts: each setting chosen from the rows, with its reason, on its own line. */
function noteStart(
  { rows, validationRows, vocabulary, epochs, steps, resumed, chosen, ranks }: TrainingStart,
  json: boolean,
): void {
  if (json) jsonLine({ event: 'start', rows, validationRows, vocabulary, epochs, steps, resumed, chosen, ranks });
  else for (const { option, value, why } of chosen) note(`${option}: ${value} (${why})`);
}

/** Prints events other than progress: start or resumption, checkpoints, warnings. */
export function eventNotes(json: boolean): (event: AnyTaskEvent) => void {
  return (event) => {
    const { type, epoch, step } = event;
    if (type === 'start') noteStart(event, json);
    if (type === 'start' && event.resumed) {
      if (json) jsonLine({ event: 'resumed', epoch, step });
      else note(`resuming in epoch ${epoch} of ${event.epochs}, after ${step} steps`);
    } else if (type === 'checkpoint' && json) {
      jsonLine({ event: type, epoch, step, path: event.path, took: event.took, best: event.best ?? null });
    } else if (type === 'warning') {
      const { code, message } = event.error;
      if (json) jsonLine({ event: type, about: event.about, code, message });
      note(`recurra: warning: ${message} [${code}]`);
    }
  };
}
