import { describe, expect, it } from 'vitest';
import { integerWords, rangeWords } from '../../src/core/checks.js';
import { ArgumentError } from '../../src/core/errors.js';
import { callback, choice, custom, flag, integer, number, share, signal, text } from '../../src/core/options/kinds.js';
import { checkOptionNames } from '../../src/core/options/names.js';
import {
  checkNames,
  checkRules,
  defaultText,
  option,
  type SettingsOf,
  settingsOf,
  type TableOf,
} from '../../src/core/options/table.js';

interface Options {
  size?: number;
  rate?: number;
  part?: number;
  how?: 'a' | 'b' | 'c';
  on?: boolean;
  name?: string;
  call?: () => void;
  stop?: AbortSignal;
  list?: string;
}

const TABLE = {
  size: option(integer(1, 8), { default: 2, help: 'size' }),
  rate: option(number({ above: 0 }), { defaultOf: ({ size }) => (size === 1 ? 1 : 0.5), help: 'rate' }),
  part: option(share, { default: 0.25, help: 'part' }),
  how: option(choice(['a', 'b', 'c']), { default: 'b', help: 'how' }),
  on: option(flag, { default: true, help: 'on' }),
  name: option(text('a name'), { defaultText: 'none', help: 'name' }),
  call: option(callback<() => void>(), { help: 'call' }),
  stop: option(signal, { help: 'stop' }),
  list: option(
    custom<string, string[]>('words', (_, value) => String(value).split(' ')),
    { default: [], help: 'list' },
  ),
} as const satisfies TableOf<Options>;

function refusal(work: () => unknown): ArgumentError {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(ArgumentError);
    return error as ArgumentError;
  }
  throw new Error('nothing was refused');
}

describe('a table of options', () => {
  it('fills in defaults, also those that depend on other options', () => {
    const none = { name: undefined, call: undefined, stop: undefined };
    const rest = { part: 0.25, how: 'b', on: true, list: [], ...none };
    expect(settingsOf(TABLE, {})).toEqual({ size: 2, rate: 0.5, ...rest });
    expect(settingsOf(TABLE, { size: 1, name: undefined })).toEqual({ size: 1, rate: 1, ...rest });
    const settings: SettingsOf<typeof TABLE> = settingsOf(TABLE, { list: 'x y', name: 'n' });
    const name: string | undefined = settings.name;
    expect([settings.list, name]).toEqual([['x', 'y'], 'n']);
  });

  it.each([
    [{ size: 9 }, 'OUT_OF_RANGE', 'an integer from 1 to 8', 'number 9'],
    [{ size: 1.5 }, 'INVALID_ARGUMENT', 'an integer from 1 to 8', 'number 1.5'],
    [{ size: '1' }, 'INVALID_ARGUMENT', 'an integer from 1 to 8', 'string "1"'],
    [{ size: null }, 'INVALID_ARGUMENT', 'an integer from 1 to 8', 'null'],
    [{ rate: 0 }, 'OUT_OF_RANGE', 'a number above 0', 'number 0'],
    [{ rate: Number.NaN }, 'OUT_OF_RANGE', 'a number above 0', 'number NaN'],
    [{ rate: Number.POSITIVE_INFINITY }, 'OUT_OF_RANGE', 'a number above 0', 'number Infinity'],
    [{ part: 1 }, 'OUT_OF_RANGE', 'a number from 0 to below 1', 'number 1'],
    [{ how: 'd' }, 'INVALID_ARGUMENT', "one of 'a', 'b', 'c'", 'string "d"'],
    [{ on: 1 }, 'INVALID_ARGUMENT', 'true or false', 'number 1'],
    [{ name: '' }, 'INVALID_ARGUMENT', 'a name', 'string ""'],
    [{ call: {} }, 'INVALID_ARGUMENT', 'a function', 'Object'],
    [{ stop: 'now' }, 'INVALID_ARGUMENT', 'an AbortSignal', 'string "now"'],
  ])('refuses %o, and the error says so in fields', (given, code, expected, received) => {
    const [name] = Object.keys(given);
    const error = refusal(() => settingsOf(TABLE, given));
    expect(error).toMatchObject({ code, option: name, expected, received });
    expect(error.message).toBe(`Expected ${expected} for ${name} but received ${received}`);
    expect(refusal(() => settingsOf(TABLE, given, 'more.')).option).toBe(`more.${name}`);
  });

  it('knows its names', () => {
    checkNames('there', { size: 1, on: false }, TABLE);
    const slip = refusal(() => checkNames('there', { sizes: 1 }, TABLE));
    expect(slip).toMatchObject({ code: 'INVALID_ARGUMENT', option: 'sizes', expected: undefined });
    expect(slip.message).toMatch(/^Unknown option "sizes" for there; did you mean size\?; known options: size, rate/);
    expect(refusal(() => checkNames('there', null, TABLE)).message).toMatch(/an object for options/);
  });

  it('has rules between options', () => {
    const rules = [
      { option: 'size', when: ({ size }: { size: number }) => size > 3, message: 'size does not go with that' },
      { option: 'on', when: () => true, message: ({ size }: { size: number }) => `on needs another size than ${size}` },
    ];
    expect(refusal(() => checkRules({ size: 4 }, rules))).toMatchObject({
      option: 'size',
      message: 'size does not go with that',
      received: undefined,
    });
    expect(refusal(() => checkRules({ size: 1 }, rules)).message).toBe('on needs another size than 1');
  });

  it('says its defaults', () => {
    const texts = Object.values(TABLE).map((row) => defaultText(row));
    expect(texts).toEqual(['2', undefined, '0.25', 'b', 'true', 'none', undefined, undefined, '']);
    expect(defaultText(TABLE.size, (value) => `<${value}>`)).toBe('<2>');
  });
});

describe('an unknown option', () => {
  const known = ['hiddenSize', 'epochs', 'lr', 'clipGradNorm'];
  it.each([
    ['hidenSize', 'hiddenSize'],
    ['hidden_size', 'hiddenSize'],
    ['epoch', 'epochs'],
    ['clipGradnorm', 'clipGradNorm'],
    ['clip', undefined],
    ['batch', undefined],
    ['x'.repeat(100_000), undefined],
  ])('%s is taken for %s', (given, meant) => {
    const { message } = refusal(() => checkOptionNames('there', { [given]: 1 }, known));
    expect(/did you mean (\w+)\?/.exec(message)?.[1]).toBe(meant);
  });
});

describe('words for what fits', () => {
  it.each([
    [{}, 'a finite number'],
    [{ from: 0 }, 'a number of at least 0'],
    [{ to: 1 }, 'a number of at most 1'],
    [{ above: 0 }, 'a number above 0'],
    [{ below: 1 }, 'a number below 1'],
    [{ from: 0, to: 1 }, 'a number from 0 to 1'],
    [{ above: 0, below: 1 }, 'a number between 0 and 1'],
    [{ above: 0, to: 1 }, 'a number above 0 and up to 1'],
  ])('%o: %s', (range, words) => {
    expect(rangeWords(range)).toBe(words);
  });

  it('for integers', () => {
    expect(integerWords(1, 3)).toBe('an integer from 1 to 3');
    expect(integerWords(1, Number.MAX_SAFE_INTEGER)).toBe('an integer of at least 1');
    expect(integerWords(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)).toBe('an integer');
  });
});
