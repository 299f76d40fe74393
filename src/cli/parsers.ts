import { InvalidArgumentError } from 'commander';

/** Whether a text is a whole number of at least 0. */
export function isWholeNumber(text: string): boolean {
  return /^\d+$/.test(text) && Number.isSafeInteger(Number(text));
}

/**
 * Refuses a text that is not a whole number; the largest one is named if it was exceeded.
 *
 * @param expected - The numbers that fit, such as `a whole number of at least 0`.
 */
export function notWhole(text: string, expected: string): InvalidArgumentError {
  const tooLarge = /^\d+$/.test(text) && !Number.isSafeInteger(Number(text));
  const most = tooLarge && !/ to \d+$/.test(expected) ? ` and at most ${Number.MAX_SAFE_INTEGER}` : '';
  return new InvalidArgumentError(`Expected ${expected}${most}.`);
}

/** Reads a flag's whole number. */
export function wholeNumber(text: string): number {
  if (!isWholeNumber(text)) throw notWhole(text, 'a whole number of at least 0');
  return Number(text);
}

/** Reads a flag's whole number of at least 1. */
export function count(text: string): number {
  if (!isWholeNumber(text) || Number(text) === 0) throw notWhole(text, 'a whole number of at least 1');
  return Number(text);
}

/** Reads a flag's number. */
export function realNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Expected a number.');
  return value;
}
