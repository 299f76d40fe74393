import { ModelFileError } from '../../core/errors.js';
import type { StateEntry } from '../../engine/engine.js';
import type { ModelSettings, TrainOptions } from '../../models/classifier/options.js';
import { type ModelDescription, readModelFile, withThresholds } from '../../models/file.js';
import { packageVersion } from '../../native/addon.js';
import { light } from '../../native/light.js';
import type { Fingerprint } from './fingerprint.js';
import type { TrainingPosition } from './position.js';
import type { StoredSettings } from './settings.js';

/** Version of the form of what a checkpoint adds to a model file. Readers open every earlier one. */
const FORMAT_VERSION = 1;

/** What a checkpoint holds beside the model and the arrays, as JSON. */
export interface CheckpointHeader {
  formatVersion: number;
  /** The version of this package that wrote it. */
  version: string;
  options: Partial<TrainOptions>;
  settings: StoredSettings;
  data: Fingerprint;
  position: TrainingPosition;
}

/** A checkpoint that was read. */
export interface Checkpoint extends CheckpointHeader {
  path: string;
  /** What the network looks like, the size of pretrained vectors included. */
  network: ModelSettings;
  /** How texts became tokens. */
  text: ModelDescription['text'];
  /** The weights that the model would have, had the training ended here: those of the best epoch, else the last ones. */
  model: StateEntry[];
  /** What the engine goes on from. */
  training: StateEntry[];
}

/** What stays the same in all checkpoints of a training. */
export interface CheckpointFrame extends Pick<CheckpointHeader, 'options' | 'settings' | 'data'> {
  /** Describes the model, but for the thresholds. */
  metadata: Record<string, string>;
}

/** What differs between the checkpoints of a training. */
export interface CheckpointMoment {
  position: TrainingPosition;
  /** The thresholds of a multi-label model, had the training ended here. */
  thresholds: readonly number[] | undefined;
  /** The model's weights and what the engine goes on from. */
  state: StateEntry[];
}

/** Writes a checkpoint atomically. It is a model file too: its own weights are those of {@link Checkpoint.model}. */
export async function writeCheckpoint(
  path: string,
  { metadata, ...parts }: CheckpointFrame,
  { position, thresholds, state }: CheckpointMoment,
): Promise<void> {
  const header: CheckpointHeader = { formatVersion: FORMAT_VERSION, version: packageVersion(), ...parts, position };
  const described = withThresholds(metadata, thresholds);
  await light().writeSafetensors(path, state, { ...described, checkpoint: JSON.stringify(header) });
}

/**
 * Reads a checkpoint.
 *
 * @throws ModelFileError as for a model file, and `INVALID_FILE` for a model file that is no checkpoint.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const { settings: network, text, state, training, checkpoint } = await readModelFile(path);
  if (checkpoint === undefined) {
    throw new ModelFileError(
      'INVALID_FILE',
      `${path}: a model, but no checkpoint that a training could go on from; use TextClassifier.load`,
    );
  }
  let header: Partial<CheckpointHeader>;
  try {
    header = JSON.parse(checkpoint) as Partial<CheckpointHeader>;
  } catch (cause) {
    throw new ModelFileError('INVALID_FILE', `${path}: its description of the training is not JSON`, { cause });
  }
  if (!Number.isSafeInteger(header.formatVersion) || header.formatVersion! > FORMAT_VERSION) {
    throw new ModelFileError(
      'INVALID_FILE',
      `${path}: checkpoint version ${String(header.formatVersion)}, but this version of recurra reads up to ${FORMAT_VERSION}; install a newer recurra`,
    );
  }
  const { options, settings, data, position } = header;
  if (!options || !settings || !data || !position)
    throw new ModelFileError('INVALID_FILE', `${path}: its description of the training is incomplete`);
  return { ...(header as CheckpointHeader), path, network, text, model: state, training };
}
