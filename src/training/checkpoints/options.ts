import { flag, integer, number } from '../../core/checks.js';
import { checkOptionNames, invalidArgument } from '../../core/errors.js';

/** When and where a training writes checkpoints: files from which it can go on after a crash. */
export interface CheckpointOptions {
  /** File of the newest checkpoint. It is replaced whole: under a temporary name, synced, renamed. */
  path: string;
  /** Write one after every so many steps. Default: not by steps. */
  everySteps?: number;
  /** Write one when so many minutes have passed since the last one. Default: not by time. */
  everyMinutes?: number;
  /** Write one at the end of each epoch, after its validation. Default `true`. */
  everyEpoch?: boolean;
  /** How many to keep: the newest under `path`, the one before under `path.1`, and so on. Default 1. */
  keep?: number;
}

/** {@link CheckpointOptions} with every default filled in. */
export interface CheckpointSettings {
  path: string;
  everySteps: number | undefined;
  everyMinutes: number | undefined;
  everyEpoch: boolean;
  keep: number;
}

/** Checks {@link CheckpointOptions}, or the path alone, and fills in the defaults. */
export function checkpointSettings(options: CheckpointOptions | string): CheckpointSettings {
  if (typeof options !== 'string' && (typeof options !== 'object' || options === null))
    throw invalidArgument('checkpoint', 'a path, or an object with a path', options);
  const given: CheckpointOptions = typeof options === 'string' ? { path: options } : options;
  checkOptionNames('checkpoint', given, ['path', 'everySteps', 'everyMinutes', 'everyEpoch', 'keep']);
  const { path, everySteps, everyMinutes, everyEpoch, keep } = given;
  if (typeof path !== 'string' || path === '') throw invalidArgument('checkpoint.path', 'the path of a file', path);
  const minutes = (value: number) => value > 0 && Number.isFinite(value);
  return {
    path,
    everySteps: everySteps === undefined ? undefined : integer('checkpoint.everySteps', everySteps, 1),
    everyMinutes:
      everyMinutes === undefined
        ? undefined
        : number('checkpoint.everyMinutes', everyMinutes, minutes, 'a number above 0'),
    everyEpoch: flag('checkpoint.everyEpoch', everyEpoch ?? true),
    keep: integer('checkpoint.keep', keep ?? 1, 1, 1_000),
  };
}
