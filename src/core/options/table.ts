import { constraint } from '../errors.js';
import type { Kind } from './kinds.js';
import { checkOptionNames } from './names.js';

/**
 * An option's documentation, next to its kind. Each option is one row of one table, from which checks, defaults, lists
 * of names, command-line flags with their help, and the guides' tables are derived.
 */
export interface OptionText {
  /** What it is, in one phrase: the help of its flag and its line in a guide. Code is in backquotes. */
  readonly help: string;
  /** Longer text for the guides, if {@link help} is not enough. */
  readonly guide?: string;
  /**
   * Its flag on the command line, which has the option's name: the argument, such as `<n>`, or the empty string for a
   * flag without one. If absent, there is no flag.
   */
  readonly flag?: string;
  /** Help of the flag if it differs, as for a flag that turns off a default. */
  readonly flagHelp?: string;
  /** Parses the flag's text, if the kind cannot. `before` is the value so far. */
  readonly parse?: (text: string, before: unknown) => unknown;
  /** Whether the flag may be given several times; repeating a single-value flag is a usage error. */
  readonly repeatable?: boolean;
  /** The default in words, if it is not a single value. */
  readonly defaultText?: string;
}

/** A row of a table of options. */
export interface Option<Given = unknown, Setting = unknown, Default extends Setting | undefined = Setting | undefined>
  extends OptionText {
  readonly kind: Kind<Given, Setting>;
  /** The default. */
  readonly default: Default;
  /** The default if it depends on other options. */
  readonly defaultOf?: (given: Readonly<Record<string, unknown>>) => Default;
}

/** Options by name, in the order in which help and guides list them. */
// biome-ignore lint/suspicious/noExplicitAny: a table has rows of all types.
export type OptionTable = Readonly<Record<string, Option<any, any, any>>>;

/**
 * The table for an interface of options: exactly one row for each option, of the same type. Use it with `satisfies`.
 */
export type TableOf<Options> = {
  // biome-ignore lint/suspicious/noExplicitAny: settings may contain anything.
  readonly [Name in keyof Options]-?: Option<Exclude<Options[Name], undefined>, any, any>;
};

/** The settings of a table: every option, with its default if it has one. */
export type SettingsOf<Table> = {
  // biome-ignore lint/suspicious/noExplicitAny: any value may be given.
  [Name in keyof Table]: Table[Name] extends Option<any, infer Setting, infer Default> ? Setting | Default : never;
};

/** Makes a row. */
export function option<Given, Setting>(
  kind: Kind<Given, Setting>,
  row: OptionText & { readonly default: NoInfer<Setting> },
): Option<Given, Setting, Setting>;
export function option<Given, Setting>(
  kind: Kind<Given, Setting>,
  row: OptionText & { readonly defaultOf: (given: Readonly<Record<string, unknown>>) => NoInfer<Setting> },
): Option<Given, Setting, Setting>;
export function option<Given, Setting>(
  kind: Kind<Given, Setting>,
  row: OptionText & { readonly defaultOf?: (given: Readonly<Record<string, unknown>>) => NoInfer<Setting> | undefined },
): Option<Given, Setting, Setting | undefined>;
export function option(kind: Kind<unknown>, row: OptionText & { default?: unknown }): Option {
  return { ...row, kind, default: row.default };
}

/** A rule between several options. */
export interface Rule<Settings> {
  /** The option to name as the one to change. */
  readonly option: string;
  /** Whether the rule is broken. */
  readonly when: (settings: Settings) => boolean;
  /** The whole message. */
  readonly message: string | ((settings: Settings) => string);
}

/** Throws for the first broken rule. */
export function checkRules<Settings>(settings: Settings, rules: readonly Rule<Settings>[]): void {
  for (const { option: name, when, message } of rules) {
    if (when(settings)) throw constraint(name, typeof message === 'string' ? message : message(settings));
  }
}

/**
 * Throws unless `options` is an object with names from the tables only.
 *
 * @param where - Whose options they are, for the message.
 */
export function checkNames(where: string, options: unknown, ...tables: readonly OptionTable[]): void {
  checkOptionNames(where, options, tables.flatMap(Object.keys));
}

/**
 * Checks the options of a table and fills in the defaults. Options of other tables are ignored.
 *
 * @param prefix - Put before the names in messages, such as `checkpoint.`.
 * @throws {@link ArgumentError} naming the option, what was expected and what was given.
 */
export function settingsOf<Table extends OptionTable>(table: Table, options: object, prefix = ''): SettingsOf<Table> {
  const given = options as Readonly<Record<string, unknown>>;
  const settings: Record<string, unknown> = {};
  for (const [name, row] of Object.entries(table)) {
    const value = given[name];
    if (value !== undefined) settings[name] = row.kind.check(prefix + name, value);
    else settings[name] = row.defaultOf ? row.defaultOf(given) : row.default;
  }
  return settings as SettingsOf<Table>;
}

/**
 * A default in words: the row's text, or its value; undefined if there is none.
 *
 * @param write - Formats a number.
 */
export function defaultText(
  { default: value, defaultText: words }: Pick<Option, 'default' | 'defaultText'>,
  write: (value: number) => string = String,
): string | undefined {
  if (words !== undefined) return words;
  return typeof value === 'number' ? write(value) : value === undefined ? undefined : String(value);
}
