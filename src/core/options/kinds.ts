import {
  checkChoice,
  checkFilled,
  checkFlag,
  checkFunction,
  checkInteger,
  checkRange,
  choiceWords,
  integerWords,
  type Range,
  rangeWords,
} from '../checks.js';
import { checkSignal } from '../signals.js';

/** What an option may be: what a caller gives is a `Given`, what settings then hold a `Setting`. */
export interface Kind<Given, Setting = Given> {
  /** How a command line reads it: a word, a whole number, a number, or a flag without a value. */
  readonly typed: 'text' | 'integer' | 'number' | 'flag';
  /** What fits, as a noun phrase. */
  readonly expected: string;
  /** The only words that fit, if there are such. */
  readonly choices?: readonly string[];
  /** The value as settings hold it; throws an ArgumentError that names the option if it does not fit. */
  check(name: string, value: unknown): Setting;
  /** Never there: it lets the compiler compare the type with that of an interface in both directions. */
  readonly given?: (value: Given) => Given;
}

/** A type that only the task knows that uses a table, such as its rows. */
// biome-ignore lint/suspicious/noExplicitAny: a row of such an option fits whatever a task makes of it.
export type Any = any;

/** An integer from `least` to `most`. */
export function integer(least: number, most: number = Number.MAX_SAFE_INTEGER): Kind<number> {
  return {
    typed: 'integer',
    expected: integerWords(least, most),
    check: (name, value) => checkInteger(name, value, least, most),
  };
}

/** A finite number within a range. */
export function number(range: Range, expected: string = rangeWords(range)): Kind<number> {
  return { typed: 'number', expected, check: (name, value) => checkRange(name, value, range, expected) };
}

/** A share of things, such as a dropout: from 0 to below 1. */
export const share: Kind<number> = number({ from: 0, below: 1 });

/** True or false. */
export const flag: Kind<boolean> = { typed: 'flag', expected: 'true or false', check: checkFlag };

/** A word out of a list. */
export function choice<const T extends string>(choices: readonly T[]): Kind<T> {
  return {
    typed: 'text',
    expected: choiceWords(choices),
    choices,
    check: (name, value) => checkChoice(name, value, choices),
  };
}

/** A string that is not empty; `expected` says what it is for: `the path of a folder`. */
export function text(expected: string): Kind<string> {
  return { typed: 'text', expected, check: (name, value) => checkFilled(name, value, expected) };
}

/** A function. */
// biome-ignore lint/suspicious/noExplicitAny: any function is one, whatever it takes and returns.
export function callback<T extends (...args: any[]) => unknown>(): Kind<T> {
  return {
    typed: 'text',
    expected: 'a function',
    check: (name, value) => {
      checkFunction(name, value);
      return value as T;
    },
  };
}

/** An AbortSignal. */
export const signal: Kind<AbortSignal> = {
  typed: 'text',
  expected: 'an AbortSignal',
  check: (name, value) => checkSignal(name, value)!,
};

/** What has a check of its own; `typed` is how a command line reads it. */
export function custom<Given, Setting = Given>(
  expected: string,
  check: (name: string, value: unknown) => Setting,
  typed: Kind<Given, Setting>['typed'] = 'text',
): Kind<Given, Setting> {
  return { typed, expected, check };
}
