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

/** The type of an option: callers give a `Given`, settings contain a `Setting`. */
export interface Kind<Given, Setting = Given> {
  /** How a command line reads it: a word, a whole number, a number, or a flag without a value. */
  readonly typed: 'text' | 'integer' | 'number' | 'flag';
  /** A description of valid values, as a noun phrase. */
  readonly expected: string;
  /** The allowed words, if only some are. */
  readonly choices?: readonly string[];
  /** Converts a value for the settings; throws an ArgumentError that names the option if it is invalid. */
  check(name: string, value: unknown): Setting;
  /** Never present at run time: it lets the compiler compare the type with an interface's in both directions. */
  readonly given?: (value: Given) => Given;
}

/** A type known only to the task that uses a table, such as its rows. */
// biome-ignore lint/suspicious/noExplicitAny: such a row must fit any type that a task gives it.
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

/** A fraction, such as a dropout rate: 0 <= x < 1. */
export const share: Kind<number> = number({ from: 0, below: 1 });

/** True or false. */
export const flag: Kind<boolean> = { typed: 'flag', expected: 'true or false', check: checkFlag };

/** One of a list of words. */
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
// biome-ignore lint/suspicious/noExplicitAny: matches functions of any signature.
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

/** An option with a custom check; `typed` is how a command line reads it. */
export function custom<Given, Setting = Given>(
  expected: string,
  check: (name: string, value: unknown) => Setting,
  typed: Kind<Given, Setting>['typed'] = 'text',
): Kind<Given, Setting> {
  return { typed, expected, check };
}
