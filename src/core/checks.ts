import { invalidArgument } from './errors.js';

/** A word out of a list. */
export function oneOf<T extends string>(name: string, value: T, allowed: readonly T[]): T {
  if (!allowed.includes(value))
    throw invalidArgument(name, `one of ${allowed.map((word) => `'${word}'`).join(', ')}`, value);
  return value;
}

/** A whole number within bounds. */
export function integer(name: string, value: number, least: number, most = 2 ** 31 - 1): number {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw invalidArgument(name, `an integer from ${least} to ${most}`, value);
  }
  return value;
}

/** A number that fits. */
export function number(name: string, value: number, fits: (value: number) => boolean, expected: string): number {
  if (typeof value !== 'number' || !fits(value)) throw invalidArgument(name, expected, value);
  return value;
}

/** A share of things, such as a dropout. */
export function share(name: string, value: number): number {
  return number(name, value, (given) => given >= 0 && given < 1, 'a number from 0 to below 1');
}

/** True or false. */
export function flag(name: string, value: boolean): boolean {
  if (typeof value !== 'boolean') throw invalidArgument(name, 'true or false', value);
  return value;
}
