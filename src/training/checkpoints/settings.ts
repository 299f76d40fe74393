import { constraint } from '../../core/errors.js';
import type { Plain } from '../../core/plain.js';
import type { VectorSource } from '../firstWords.js';
import type { TrainingOptions } from '../options/train.js';
import type { CommonSettings } from '../task.js';

/**
 * What a resumed training may have otherwise than the one that wrote the checkpoint. More or fewer `epochs` move the learning
 * rate of the steps to come, unless the schedule is constant; another number of `threads` rounds sums differently; `memoryUnits` says only where
 * units are kept.
 */
const FREE: readonly string[] = ['epochs', 'threads', 'checkpoint', 'tensorboard', 'memoryUnits'];

/** What a checkpoint does not keep: where to compute is asked again, and the others are functions or this very run's. */
const NOT_KEPT: readonly string[] = [
  'device',
  'signal',
  'onProgress',
  'onEvent',
  'resume',
  'choosesTokenizer',
  'choosesSubwords',
  'idle',
];

/** What matters before the first step alone, so that a resumed training need not be given it again. */
const ONCE: readonly string[] = ['unlabelled', 'encoder'];

/** Stands for a value that a file cannot hold. */
const GIVEN = { given: true } as const;

function isGiven(value: Plain | undefined): boolean {
  return JSON.stringify(value) === JSON.stringify(GIVEN);
}

/** The value if JSON keeps it; {@link GIVEN} if not. */
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

/** By name, all settings of a training; of what JSON cannot keep only that it was given. What is off is left out. */
export type StoredSettings = Record<string, Plain>;

/** What a checkpoint keeps of the settings: to resume with, and to compare with what is given then. */
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

/** What the words of a checkpoint's training began with. */
export function firstVectors({ embeddings, unlabelled }: StoredSettings): VectorSource | undefined {
  if (embeddings !== undefined) return 'file';
  return unlabelled === undefined ? undefined : 'texts';
}

/** The settings of a checkpoint that the training which resumes it has no need of, for the checkpoints that it writes itself. */
export function settingsBefore(stored: StoredSettings = {}): StoredSettings {
  return Object.fromEntries(Object.entries(stored).filter(([name]) => ONCE.includes(name)));
}

/** The options that give these settings, whatever the defaults are; without those whose value no file can hold. */
export function storedOptions({
  embeddings,
  embeddingDim,
  ...rest
}: StoredSettings): Partial<TrainingOptions<unknown>> {
  // The size of pretrained vectors is that of their file, unless an option named it.
  const { file, dim, words } = (embeddings ?? { dim: embeddingDim }) as { file?: Plain; dim?: Plain; words?: Plain };
  // Earlier versions took no words of a file beyond those of the rows.
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
    return isGiven(value) ? 'one that no file can hold' : JSON.stringify(value);
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
