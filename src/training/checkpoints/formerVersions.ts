import type { Plain } from '../../core/plain.js';
import type { Fingerprint } from './fingerprint.js';
import type { StoredSettings } from './settings.js';

/** What a checkpoint of version 1 held: the options as they were given, and those settings that must not change. */
export interface FirstHeader {
  options?: Record<string, Plain>;
  settings: StoredSettings;
  data: Fingerprint;
}

/** The number of epochs of 0.1.0 where none was given. */
const EPOCHS = 4;

/** Rows per step of 0.1.0 where no option said how many. */
function batchSize(rows: number): number {
  return Math.min(64, Math.max(8, Math.ceil(rows / 128)));
}

/** What was the same in all trainings of versions that did not write it: no limit of the vocabulary, no adversarial noise. */
const ALWAYS: StoredSettings = { maxTokens: 2 ** 31 - 1, adversarial: 0 };

/** Settings that a checkpoint of version 2 holds, and those that had no default when it was written. */
export function completed(settings: StoredSettings): StoredSettings {
  return { ...ALWAYS, ...settings };
}

/**
 * All settings of a training whose checkpoint has version 1. That version left out what may change in a resumed training, and
 * what was a default by the number of rows: both had the values of 0.1.0, whatever the defaults are now. It had no linear model.
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
