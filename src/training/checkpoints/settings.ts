import { ArgumentError } from '../../core/errors.js';
import type { TrainOptions, TrainSettings } from '../../models/classifier/options.js';

/** Values that JSON keeps. */
type Plain = null | boolean | number | string | Plain[] | { [name: string]: Plain };

/**
 * What a resumed training may have otherwise than the one that wrote the checkpoint. More or fewer `epochs` move the learning
 * rate of the steps to come, unless the schedule is constant; another number of `threads` rounds sums differently.
 */
const FREE: readonly string[] = [
  'epochs',
  'threads',
  'device',
  'signal',
  'onProgress',
  'onEvent',
  'checkpoint',
  'resume',
  'tensorboard',
];

/** Stands for a value that a file cannot hold. */
const GIVEN = { given: true } as const;

/** The value if JSON keeps it, else {@link GIVEN}. */
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

/** By name, all that decides how a training goes, with defaults filled in; what JSON cannot keep is only said to be there. */
export type StoredSettings = Record<string, Plain>;

/** What a checkpoint keeps of the settings, to compare with when it is resumed. */
export function storedSettings({ model, text, ...rest }: TrainSettings): StoredSettings {
  const named = Object.entries({ ...model, ...text, ...rest }).filter(
    ([name, value]) => value !== undefined && !FREE.includes(name),
  );
  // Rows may be an array of plain objects, but nobody wants them in the file.
  return Object.fromEntries(
    named.map(([name, value]) => [name, name === 'validation' && typeof value !== 'number' ? GIVEN : plain(value)]),
  );
}

/** The options that JSON keeps, to go on with where a resumed training gives none. */
export function storedOptions(options: TrainOptions, threads: number): Partial<TrainOptions> {
  const kept = Object.entries({ ...options, threads }).flatMap(([name, value]): [string, Plain][] => {
    if (value === undefined || name === 'device' || name === 'resume') return [];
    if (name === 'validation' && typeof value !== 'number') return [];
    const stored = plain(value);
    return JSON.stringify(stored) === JSON.stringify(GIVEN) ? [] : [[name, stored]];
  });
  return Object.fromEntries(kept) as Partial<TrainOptions>;
}

/**
 * Refuses settings under which the training would not be the one that wrote the checkpoint.
 *
 * @throws ArgumentError naming every option that differs.
 */
export function checkSettings(path: string, stored: StoredSettings, now: StoredSettings): void {
  const show = (value: Plain | undefined) => {
    if (value === undefined) return 'none';
    return JSON.stringify(value) === JSON.stringify(GIVEN) ? 'one that no file can hold' : JSON.stringify(value);
  };
  const names = [...new Set([...Object.keys(stored), ...Object.keys(now)])];
  const different = names.filter((name) => JSON.stringify(stored[name]) !== JSON.stringify(now[name]));
  if (different.length === 0) return;
  const list = different.map((name) => `${name} was ${show(stored[name])} and is now ${show(now[name])}`).join('; ');
  throw new ArgumentError(
    'INVALID_ARGUMENT',
    `${path} was written by a training with other options: ${list}. Give the same ones to resume it; those that are left out ` +
      `are taken from the checkpoint, but functions and rows must be given again`,
  );
}
