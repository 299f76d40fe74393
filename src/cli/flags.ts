import { type Command, Option as Flag, InvalidArgumentError } from 'commander';
import { defaultText, type Option, type OptionTable } from '../core/options/table.js';
import { isWholeNumber, notWhole, realNumber } from './parsers.js';

/** `maxBatch` as `max-batch`. */
function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** The flag of an option, as it is typed. */
export function flagName(option: string): string {
  return `--${kebab(option)}`;
}

/** The help of a flag, with the option's default. */
function helpOf(row: Option): string {
  const help = (row.flagHelp ?? row.help).replaceAll('`', '');
  const words = row.kind.typed === 'flag' && row.flag === '' ? undefined : defaultText(row);
  return words === undefined || words === 'none' ? help : `${help} (default: ${words})`;
}

/** A parser whose error commander shows next to the flag. */
function parserOf({ kind, parse }: Option): ((text: string, before: unknown) => unknown) | undefined {
  // The range is checked with the other options; text that is not a number is reported here with what would fit.
  const whole = (text: string) => {
    if (isWholeNumber(text)) return Number(text);
    throw notWhole(text, kind.expected.replace('an integer', 'a whole number'));
  };
  if (!parse) return { text: undefined, flag: undefined, integer: whole, number: realNumber }[kind.typed];
  return (text, before) => {
    try {
      return parse(text, before);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  };
}

/** The flag of an option: its name, argument, choices, parser and help, all from its row. */
function flagOf(name: string, row: Option): Flag {
  const negated = row.kind.typed === 'flag' && row.default === true;
  const flag = new Flag(`--${negated ? 'no-' : ''}${kebab(name)} ${row.flag ?? ''}`.trim(), helpOf(row));
  if (row.kind.choices) flag.choices([...row.kind.choices]);
  const parser = parserOf(row);
  if (row.repeatable) repeatable.add(flag);
  return parser ? flag.argParser(parser) : flag;
}

/** Flags that may be given several times. */
const repeatable = new WeakSet<Flag>();

/** Makes it a usage error to repeat a single-value flag, or to give both a flag and its negation. */
export function giveOnce(command: Command): void {
  const given = new Map<string, string>();
  for (const flag of command.options) {
    if (repeatable.has(flag)) continue;
    const name = flag.attributeName();
    const shown = flag.long ?? flag.flags;
    command.on(`option:${flag.name()}`, () => {
      const before = given.get(name);
      if (before === shown) command.error(`error: option '${shown}' was given twice`);
      if (before !== undefined) command.error(`error: options '${before}' and '${shown}' exclude each other`);
      given.set(name, shown);
    });
  }
  for (const each of command.commands) giveOnce(each);
}

/** Adds a flag for each option of a table that has one. */
export function addFlags(command: Command, table: OptionTable): Command {
  for (const [name, row] of Object.entries(table)) {
    if (row.flag === undefined) continue;
    command.addOption(flagOf(name, row));
    // Commander sets an absent negated flag to true; here an absent flag has no value.
    command.setOptionValueWithSource(name, undefined, undefined);
  }
  return command;
}

/** Adds the flags of a table that a command does not have yet; `what` is put before their help. */
export function addMissingFlags(command: Command, table: OptionTable, what: string): Command {
  const there = new Set(command.options.map((flag) => flag.attributeName()));
  const rows = Object.entries(table).filter(([name]) => !there.has(name));
  const named = rows.map(([name, row]) => [name, { ...row, flagHelp: what + (row.flagHelp ?? row.help) }] as const);
  return addFlags(command, Object.fromEntries(named));
}

/** The options of a table that were given as flags. */
export function givenOptions<Options extends object>(table: OptionTable, flags: object): Partial<Options> {
  const given = Object.entries(flags).filter(
    ([name, value]) => value !== undefined && Object.hasOwn(table, name) && table[name]!.flag !== undefined,
  );
  return Object.fromEntries(given) as Partial<Options>;
}
