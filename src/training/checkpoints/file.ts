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
 * Version of the form of what a checkpoint adds to a model file. Readers open every earlier one.
 *
 * - 1: of the options only those that were given; the others were the defaults of 0.1.0.
 * - 2: all settings, so that a training does not depend on what the defaults are when it is resumed.
 */
const FORMAT_VERSION = 2;

/** What a checkpoint holds beside the model and the arrays, as JSON. */
export interface CheckpointHeader<V extends Validation = Validation, C extends object = object> {
  formatVersion: number;
  /** The version of this package that wrote it. */
  version: string;
  settings: StoredSettings;
  data: Fingerprint;
  position: TrainingPosition<V, C>;
}

/** A checkpoint that was read. */
export interface Checkpoint<V extends Validation = Validation, C extends object = object>
  extends CheckpointHeader<V, C>,
    Omit<StoredTraining, 'checkpoint'> {
  path: string;
}

/** What stays the same in all checkpoints of a training. */
export type CheckpointFrame = Pick<CheckpointHeader, 'settings' | 'data'>;

/** What differs between the checkpoints of a training. */
export interface CheckpointMoment<V extends Validation = Validation, C extends object = object> {
  position: TrainingPosition<V, C>;
  /** Describes the model that the training would have made, had it ended here. */
  metadata: Record<string, string>;
}

/**
 * Writes a checkpoint atomically. It is a model file too.
 *
 * @param state - The weights that the model would have, had the training ended here, and what the engine resumes from.
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
 * @throws ModelFileError as for a model file, and `INVALID_FILE` for a model file that is no checkpoint.
 */
export async function readCheckpoint<V extends Validation, C extends object>(
  path: string,
  read: (path: string) => Promise<StoredTraining>,
): Promise<Checkpoint<V, C>> {
  const { checkpoint, ...stored } = await read(path);
  const invalid = (what: string, cause?: unknown) =>
    new ModelFileError('INVALID_FILE', `${path}: ${what}`, cause === undefined ? {} : { cause });
  if (checkpoint === undefined) throw invalid('a model, but no checkpoint that a training can resume from; load it');
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
