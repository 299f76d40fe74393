import { constraint } from '../../core/errors.js';
import type { Plain } from '../../core/plain.js';
import type { VectorSource } from '../firstWords.js';
import type { TrainingOptions } from '../options/train.js';
import type { CommonSettings } from '../task.js';

/**
 * Options that may change when resuming. Changing `epochs` changes the learning rate of the following steps, unless the
 * schedule is constant; another number of `threads` rounds sums differently; `memoryUnits` only determines where units
 * are stored.
 */
const FREE: readonly string[] = ['epochs', 'threads', 'checkpoint', 'tensorboard', 'memoryUnits'];

/**
 * Options that a checkpoint does not store: the device is chosen again, and the others are functions or belong to the
 * current run.
 */
const NOT_KEPT: readonly string[] = [
  'device',
  'signal',
  'onProgress',
  'onEvent',
  'resume',
  'distributed',
  'choosesTokenizer',
  'choosesSubwords',
  'idle',
];

/** Options that only matter before the first step, so a resumed training does not need them. */
const ONCE: readonly string[] = ['unlabelled', 'encoder'];

/** Placeholder for a value that a file cannot store. */
const GIVEN = { given: true } as const;

function isGiven(value: Plain | undefined): boolean {
  return JSON.stringify(value) === JSON.stringify(GIVEN);
}

/** The value if JSON can represent it, otherwise {@link GIVEN}. */
function plain(value: unknown): Plain {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map && [...value.keys()].every((key) => typeof key === 'string'))
    return plain(Object.fromEntries(value));
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    const entries = Object.entries(value).filter(([, part]) => part !== undefined);
    return Object.fromEntries(entries.sort().map(([name, part]) => [name, plain(part)]));
  }
  return GIVEN;
}

/**
 * All settings of a training by name; values that JSON cannot represent are only marked as given. Settings that are off
 * are omitted.
 */
export type StoredSettings = Record<string, Plain>;

/** The settings that a checkpoint stores: to resume with, and to compare with the options given then. */
export function storedSettings({ model, text, ...rest }: CommonSettings): StoredSettings {
  const named = Object.entries({ ...model, ...text, ...rest }).filter(
    ([name, value]) => value !== undefined && !NOT_KEPT.includes(name),
  );
  // Rows may be an array of plain objects, which do not belong in the file.
  return Object.fromEntries(named.map(([name, value]) => [name, isData(name, value) ? GIVEN : plain(value)]));
}

/** Whether a setting is rows, texts or a model. */
function isData(name: string, value: unknown): boolean {
  return name === 'unlabelled' || name === 'encoder' || (name === 'validation' && typeof value !== 'number');
}

/** Source of the initial word vectors of a checkpoint's training. */
export function firstVectors({ embeddings, unlabelled }: StoredSettings): VectorSource | undefined {
  if (embeddings !== undefined) return 'file';
  return unlabelled === undefined ? undefined : 'texts';
}

/** Settings of a checkpoint that the resumed training does not need, kept for its own checkpoints. */
export function settingsBefore(stored: StoredSettings = {}): StoredSettings {
  return Object.fromEntries(Object.entries(stored).filter(([name]) => ONCE.includes(name)));
}

/** The options that produce these settings, whatever the defaults; without values that a file cannot store. */
export function storedOptions({
  embeddings,
  embeddingDim,
  ...rest
}: StoredSettings): Partial<TrainingOptions<unknown>> {
  // The size of pretrained vectors is that of their file, unless an option sets it.
  const { file, dim, words } = (embeddings ?? { dim: embeddingDim }) as { file?: Plain; dim?: Plain; words?: Plain };
  // Earlier versions took no additional words from a file.
  const embeddingWords = file === undefined ? undefined : (words ?? 0);
  const options = { ...rest, embeddings: file, embeddingWords, embeddingDim: dim };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined && !isGiven(value)));
}

/**
 * Refuses settings under which the training would not be the one that wrote the checkpoint.
 *
 * @throws ArgumentError naming every option that differs.
 */
export function checkSettings(path: string, stored: StoredSettings, now: StoredSettings): void {
  const show = (value: Plain | undefined) => {
    if (value === undefined) return 'none';
    return isGiven(value) ? 'a value that a file cannot store' : JSON.stringify(value);
  };
  const names = [...new Set([...Object.keys(stored), ...Object.keys(now)])].filter(
    (name) => !FREE.includes(name) && !(ONCE.includes(name) && now[name] === undefined),
  );
  const different = names.filter((name) => JSON.stringify(stored[name]) !== JSON.stringify(now[name]));
  if (different.length === 0) return;
  const list = different.map((name) => `${name} was ${show(stored[name])} and is now ${show(now[name])}`).join('; ');
  throw constraint(
    different.length === 1 ? different[0]! : 'resume',
    `${path} was written by a training with other options: ${list}. Give the same ones to resume it; those that are left out ` +
      `are taken from the checkpoint, but functions and rows must be given again`,
  );
}
