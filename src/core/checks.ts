import { invalidArgument } from './errors.js';
import { checkOptionNames } from './options/names.js';

/** Limits of a number; undefined means no limit. */
export interface Range {
  /** Smallest valid number. */
  from?: number;
  /** Largest valid number. */
  to?: number;
  /** Exclusive lower limit. */
  above?: number;
  /** Exclusive upper limit. */
  below?: number;
}

/**
 * Words for a choice: `'a'`, `'a' or 'b'`, `one of 'a', 'b', 'c'`.
 *
 * @internal
 */
export function choiceWords(allowed: readonly string[]): string {
  const quoted = allowed.map((word) => `'${word}'`);
  return quoted.length < 3 ? quoted.join(' or ') : `one of ${quoted.join(', ')}`;
}

/**
 * Words for the integers of a range: `an integer from 1 to 64`, `an integer of at least 1`.
 *
 * @internal
 */
export function integerWords(least: number, most: number): string {
  if (most < Number.MAX_SAFE_INTEGER) return `an integer from ${least} to ${most}`;
  return least > Number.MIN_SAFE_INTEGER ? `an integer of at least ${least}` : 'an integer';
}

/**
 * Words for the numbers of a range: `a number from 0 to below 1`.
 *
 * @internal
 */
export function rangeWords({ from, to, above, below }: Range): string {
  if (above !== undefined && below !== undefined) return `a number between ${above} and ${below}`;
  const upper = to !== undefined ? `${to}` : below !== undefined ? `below ${below}` : undefined;
  if (above !== undefined) return `a number above ${above}${upper ? ` and up to ${upper}` : ''}`;
  if (from !== undefined) return upper ? `a number from ${from} to ${upper}` : `a number of at least ${from}`;
  if (to !== undefined) return `a number of at most ${to}`;
  return upper ? `a number ${upper}` : 'a finite number';
}

/**
 * Throws unless `value` is one of a list of words.
 *
 * @throws {@link ArgumentError} `INVALID_ARGUMENT`.
 *
 * @internal
 */
export function checkChoice<T extends string>(name: string, value: unknown, allowed: readonly T[]): T {
  if (!allowed.includes(value as T)) throw invalidArgument(name, choiceWords(allowed), value);
  return value as T;
}

/**
 * Throws unless `value` is an integer within bounds.
 *
 * @throws {@link ArgumentError} `OUT_OF_RANGE` for an integer beyond the bounds, `INVALID_ARGUMENT` for any other
 * value.
 *
 * @internal
 */
export function checkInteger(
  name: string,
  value: unknown,
  least = Number.MIN_SAFE_INTEGER,
  most = Number.MAX_SAFE_INTEGER,
): number {
  if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
  if (!Number.isInteger(value)) throw invalidArgument(name, integerWords(least, most), value);
  // Mention the largest number only if it was exceeded.
  const expected = (value as number) > most ? `an integer from ${least} to ${most}` : integerWords(least, most);
  throw invalidArgument(name, expected, value, 'OUT_OF_RANGE');
}

/**
 * Throws unless `value` is a number; NaN and the infinities are numbers.
 *
 * @throws {@link ArgumentError} `INVALID_ARGUMENT`.
 *
 * @internal
 */
export function checkNumber(name: string, value: unknown): number {
  if (typeof value !== 'number') throw invalidArgument(name, 'a number', value);
  return value;
}

/**
 * Throws unless `value` is a finite number within a range.
 *
 * @param expected - A description of valid values, if {@link rangeWords} is not specific enough.
 * @throws {@link ArgumentError} `OUT_OF_RANGE` for a number outside the range, `INVALID_ARGUMENT` for any other value.
 *
 * @internal
 */
export function checkRange(name: string, value: unknown, range: Range, expected = rangeWords(range)): number {
  if (typeof value !== 'number') throw invalidArgument(name, expected, value);
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = range;
  const { above = Number.NEGATIVE_INFINITY, below = Number.POSITIVE_INFINITY } = range;
  if (!(Number.isFinite(value) && value >= from && value <= to && value > above && value < below))
    throw invalidArgument(name, expected, value, 'OUT_OF_RANGE');
  return value;
}

/**
 * Throws unless `value` is a number from 0 to 1.
 *
 * @throws {@link ArgumentError} as {@link checkRange}.
 *
 * @internal
 */
export function checkProbability(name: string, value: unknown): number {
  return checkRange(name, value, { from: 0, to: 1 });
}

/**
 * Throws unless `value` is true or false.
 *
 * @throws {@link ArgumentError} `INVALID_ARGUMENT`.
 *
 * @internal
 */
export function checkFlag(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw invalidArgument(name, 'true or false', value);
  return value;
}

/**
 * Throws unless `value` is a string that is not empty.
 *
 * @param expected - What it is for: `the path of a file`.
 * @throws {@link ArgumentError} `INVALID_ARGUMENT`.
 *
 * @internal
 */
export function checkFilled(name: string, value: unknown, expected: string): string {
  if (typeof value !== 'string' || value === '') throw invalidArgument(name, expected, value);
  return value;
}

/**
 * Throws unless `value` can be iterated; a string, whose elements would be its characters, cannot.
 *
 * @param expected - What it is for: `an iterable of tokens`.
 * @throws {@link ArgumentError} `INVALID_ARGUMENT`.
 *
 * @internal
 */
export function checkIterable(name: string, value: unknown, expected: string): void {
  const iterable = typeof value === 'object' && value !== null && Symbol.iterator in value;
  if (!iterable) throw invalidArgument(name, expected, value);
}

/**
 * Whether a value can be iterated, at once or step by step; a string, whose elements would be its characters, does not count.
 *
 * @internal
 */
export function isSource(value: unknown): value is Iterable<unknown> | AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && (Symbol.iterator in value || Symbol.asyncIterator in value);
}

/**
 * Throws unless `value` is an object.
 *
 * @param expected - What it is: `a report`.
 * @throws {@link ArgumentError} `INVALID_ARGUMENT`.
 *
 * @internal
 */
export function checkObject(name: string, value: unknown, expected: string): void {
  if (typeof value !== 'object' || value === null) throw invalidArgument(name, expected, value);
}

/**
 * Throws unless `value` is a function.
 *
 * @throws {@link ArgumentError} `INVALID_ARGUMENT`.
 *
 * @internal
 */
export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw invalidArgument(name, 'a function', value);
}

/**
 * Throws unless `options` is an object with known names only. A missing value counts as an empty object.
 *
 * @param where - Whose options they are, for the message.
 * @throws {@link ArgumentError} `INVALID_ARGUMENT`.
 *
 * @internal
 */
export function checkOptions<T extends object>(where: string, options: T | undefined, known: readonly string[]): T {
  if (options === undefined) return {} as T;
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw invalidArgument(where, 'an object of options', options);
  checkOptionNames(where, options, known);
  return options;
}
