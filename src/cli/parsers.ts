import { InvalidArgumentError } from 'commander';

/** Whether a text is a whole number of at least 0. */
export function isWholeNumber(text: string): boolean {
  return /^\d+$/.test(text) && Number.isSafeInteger(Number(text));
}

/** Reads a flag's whole number. */
export function wholeNumber(text: string): number {
  if (!isWholeNumber(text)) throw new InvalidArgumentError('Expected a whole number of at least 0.');
  return Number(text);
}

/** Reads a flag's whole number of at least 1. */
export function count(text: string): number {
  if (!isWholeNumber(text) || Number(text) === 0)
    throw new InvalidArgumentError('Expected a whole number of at least 1.');
  return Number(text);
}

/** Reads a flag's number. */
export function realNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Expected a number.');
  return value;
}
