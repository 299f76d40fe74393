import { ModelFileError } from '../../core/errors.js';
import type { StateEntry } from '../../engine/engine.js';
import { packageVersion } from '../../native/addon.js';
import { light } from '../../native/light.js';
import type { Validation } from '../progress.js';
import type { StoredTraining } from '../task.js';
import type { Fingerprint } from './fingerprint.js';
import { completed, type FirstHeader, upgraded } from './formerVersions.js';
import type { TrainingPosition } from './position.js';
import type { StoredSettings } from './settings.js';

/**
 * Format version of a checkpoint's additions to a model file. Every earlier version can be read.
 *
 * - 1: only the given options; the others were the defaults of 0.1.0.
 * - 2: all settings, so that a resumed training does not depend on the current defaults.
 */
const FORMAT_VERSION = 2;

/** A checkpoint's JSON description besides the model and the arrays. */
export interface CheckpointHeader<V extends Validation = Validation, C extends object = object> {
  formatVersion: number;
  /** The version of this package that wrote it. */
  version: string;
  settings: StoredSettings;
  data: Fingerprint;
  position: TrainingPosition<V, C>;
}

/** A loaded checkpoint. */
export interface Checkpoint<V extends Validation = Validation, C extends object = object>
  extends CheckpointHeader<V, C>,
    Omit<StoredTraining, 'checkpoint'> {
  path: string;
}

/** The part that is the same in all checkpoints of a training. */
export type CheckpointFrame = Pick<CheckpointHeader, 'settings' | 'data'>;

/** The part that differs between checkpoints of a training. */
export interface CheckpointMoment<V extends Validation = Validation, C extends object = object> {
  position: TrainingPosition<V, C>;
  /** Describes the model that the training would have produced if it had ended here. */
  metadata: Record<string, string>;
}

/**
 * Writes a checkpoint atomically. It is a model file too.
 *
 * @param state - The weights that the model would have if the training had ended here, and the arrays that the engine
 * resumes from.
 * @throws RecurraError `IO`
 */
export async function writeCheckpoint<V extends Validation, C extends object>(
  path: string,
  frame: CheckpointFrame,
  { metadata, position }: CheckpointMoment<V, C>,
  state: StateEntry[],
): Promise<void> {
  const header: CheckpointHeader<V, C> = {
    formatVersion: FORMAT_VERSION,
    version: packageVersion(),
    ...frame,
    position,
  };
  await light().writeSafetensors(path, state, { ...metadata, checkpoint: JSON.stringify(header) });
}

/**
 * Reads a checkpoint.
 *
 * @param read - Reads a file of the task's kind.
 * @throws {@link ModelFileError} as for a model file, and `INVALID_FILE` for a model file that is not a checkpoint.
 */
export async function readCheckpoint<V extends Validation, C extends object>(
  path: string,
  read: (path: string) => Promise<StoredTraining>,
): Promise<Checkpoint<V, C>> {
  const { checkpoint, ...stored } = await read(path);
  const invalid = (what: string, cause?: unknown) =>
    new ModelFileError('INVALID_FILE', `${path}: ${what}`, cause === undefined ? {} : { cause });
  if (checkpoint === undefined)
    throw invalid('a model, but not a checkpoint that a training can resume from; load it instead');
  let header: Partial<CheckpointHeader<V, C> & FirstHeader> | null;
  try {
    header = JSON.parse(checkpoint) as typeof header;
  } catch (cause) {
    throw invalid('its description of the training is not JSON', cause);
  }
  const { formatVersion, settings, data, position } = header ?? {};
  if (!Number.isSafeInteger(formatVersion) || formatVersion! > FORMAT_VERSION) {
    throw invalid(
      `checkpoint version ${String(formatVersion)}, but this version of recurra reads up to ${FORMAT_VERSION}; install a newer recurra`,
    );
  }
  const objects = [settings, data, position];
  if (!objects.every((part) => typeof part === 'object' && part !== null))
    throw invalid('its description of the training is incomplete');
  const complete = header as CheckpointHeader<V, C> & FirstHeader;
  return {
    ...stored,
    ...complete,
    settings: formatVersion === 1 ? upgraded(complete) : completed(complete.settings),
    path,
  };
}
