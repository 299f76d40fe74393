import { invalidArgument } from '../../core/errors.js';
import { flag, integer, number, text } from '../../core/options/kinds.js';
import { checkNames, option, type SettingsOf, settingsOf, type TableOf } from '../../core/options/table.js';

/** When and where a training writes checkpoints: files from which it can resume after a crash. */
export interface CheckpointOptions {
  /** File of the latest checkpoint, replaced atomically: written under a temporary name, synced, renamed. */
  path: string;
  /** Steps from one checkpoint to the next. Default: not by steps. */
  everySteps?: number;
  /** Minutes from one checkpoint to the next. Default: not by time. */
  everyMinutes?: number;
  /** Write one at the end of each epoch, after its validation. Default `true`. */
  everyEpoch?: boolean;
  /** How many to keep: the latest under `path`, the previous one under `path.1`, and so on. Default 1. */
  keep?: number;
}

/** The table of {@link CheckpointOptions}. */
export const CHECKPOINT = {
  path: option(text('the path of a file'), {
    defaultText: 'required',
    help: 'file of the latest checkpoint, replaced atomically',
  }),
  everySteps: option(integer(1, 2 ** 31 - 1), {
    defaultText: 'not by steps',
    help: 'steps from one checkpoint to the next',
  }),
  everyMinutes: option(number({ above: 0 }), {
    defaultText: 'not by time',
    help: 'minutes from one checkpoint to the next',
  }),
  everyEpoch: option(flag, { default: true, help: 'one at the end of each epoch, after its validation' }),
  keep: option(integer(1, 1_000), {
    default: 1,
    help: 'how many to keep: the latest under `path`, the previous one under `path.1`, and so on',
  }),
} as const satisfies TableOf<CheckpointOptions>;

/** {@link CheckpointOptions} with every default filled in. */
export type CheckpointSettings = SettingsOf<typeof CHECKPOINT> & { path: string };

/** Checks {@link CheckpointOptions}, or only the path, and fills in the defaults. */
export function checkpointSettings(options: CheckpointOptions | string): CheckpointSettings {
  if (typeof options !== 'string' && (typeof options !== 'object' || options === null))
    throw invalidArgument('checkpoint', 'a path, or an object with a path', options);
  const given = typeof options === 'string' ? { path: options } : options;
  checkNames('checkpoint', given, CHECKPOINT);
  const { path, ...rest } = settingsOf(CHECKPOINT, given, 'checkpoint.');
  return { ...rest, path: CHECKPOINT.path.kind.check('checkpoint.path', path) };
}
