import type { Plain } from '../../core/plain.js';
import type { Fingerprint } from './fingerprint.js';
import type { StoredSettings } from './settings.js';

/** Contents of a version 1 checkpoint: the given options, and the settings that must not change. */
export interface FirstHeader {
  options?: Record<string, Plain>;
  settings: StoredSettings;
  data: Fingerprint;
}

/** The default number of epochs of 0.1.0. */
const EPOCHS = 4;

/** Rows per step of 0.1.0 where no option said how many. */
function batchSize(rows: number): number {
  return Math.min(64, Math.max(8, Math.ceil(rows / 128)));
}

/**
 * Settings that were constant in versions that did not write them: no limit of the vocabulary, no adversarial noise.
 */
const ALWAYS: StoredSettings = { maxTokens: 2 ** 31 - 1, adversarial: 0 };

/** The settings of a version 2 checkpoint, completed by those that did not exist when it was written. */
export function completed(settings: StoredSettings): StoredSettings {
  return { ...ALWAYS, ...settings };
}

/**
 * All settings of a training whose checkpoint has version 1. That version did not store what may change in a resumed
 * training, or defaults by the number of rows: both have the values of 0.1.0, whatever the current defaults. It had no
 * linear model.
 */
export function upgraded({ options, settings, data }: FirstHeader): StoredSettings {
  const { epochs = EPOCHS, threads, checkpoint, tensorboard } = options ?? {};
  const free = Object.entries({ epochs, threads, checkpoint, tensorboard }).filter(([, value]) => value !== undefined);
  return {
    ...ALWAYS,
    batchSize: batchSize(data.rows),
    linear: false,
    ...settings,
    ...(Object.fromEntries(free) as StoredSettings),
  };
}
