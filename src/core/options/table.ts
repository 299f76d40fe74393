import { constraint } from '../errors.js';
import type { Kind } from './kinds.js';
import { checkOptionNames } from './names.js';

/**
 * What is written about an option beside its kind. An option is one row of one table; checks, defaults, lists of names, flags of
 * the command line with their help, and the tables of the guides are read from there.
 */
export interface OptionText {
  /** What it is, in one phrase: the help of its flag, and its line in a guide. Code in it stands between backquotes. */
  readonly help: string;
  /** What a guide says where that is more than {@link help}. */
  readonly guide?: string;
  /**
   * Its flag on the command line, whose name is the option's: the argument, such as `<n>`, or the empty string for a flag without
   * one. Without it there is no flag.
   */
  readonly flag?: string;
  /** What the help of the flag says where that differs, as it does for a flag that turns a default off. */
  readonly flagHelp?: string;
  /** How the flag's text becomes a value, where the kind does not say. `before` is what the flag gave so far. */
  readonly parse?: (text: string, before: unknown) => unknown;
  /** Whether the flag may be given several times; a flag of one value that is given twice is a usage error. */
  readonly repeatable?: boolean;
  /** The default in words, where it is no single value. */
  readonly defaultText?: string;
}

/** A row of a table of options. */
export interface Option<Given = unknown, Setting = unknown, Default extends Setting | undefined = Setting | undefined>
  extends OptionText {
  readonly kind: Kind<Given, Setting>;
  /** What holds where nothing is given. */
  readonly default: Default;
  /** The default where it depends on other options. */
  readonly defaultOf?: (given: Readonly<Record<string, unknown>>) => Default;
}

/** Options by name, in the order in which help and guides list them. */
// biome-ignore lint/suspicious/noExplicitAny: a table has rows of all types.
export type OptionTable = Readonly<Record<string, Option<any, any, any>>>;

/**
 * The table that an interface of options needs: a row for each option, of the option's very type, and no other row. Use it with
 * `satisfies`.
 */
export type TableOf<Options> = {
  // biome-ignore lint/suspicious/noExplicitAny: settings may hold anything.
  readonly [Name in keyof Options]-?: Option<Exclude<Options[Name], undefined>, any, any>;
};

/** What settings hold for a table: every option, with its default if it has one. */
export type SettingsOf<Table> = {
  // biome-ignore lint/suspicious/noExplicitAny: whatever may be given.
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

/** A rule that no option can break alone. */
export interface Rule<Settings> {
  /** The option that is named as the one to change. */
  readonly option: string;
  /** Whether the rule is broken. */
  readonly when: (settings: Settings) => boolean;
  /** The whole sentence that is said then. */
  readonly message: string | ((settings: Settings) => string);
}

/** Throws for the first rule that is broken. */
export function checkRules<Settings>(settings: Settings, rules: readonly Rule<Settings>[]): void {
  for (const { option: name, when, message } of rules) {
    if (when(settings)) throw constraint(name, typeof message === 'string' ? message : message(settings));
  }
}

/**
 * Throws unless `options` is an object that has names of the tables only.
 *
 * @param where - Whose options they are, for the message.
 */
export function checkNames(where: string, options: unknown, ...tables: readonly OptionTable[]): void {
  checkOptionNames(where, options, tables.flatMap(Object.keys));
}

/**
 * Checks the options of a table and fills in the defaults. Options of other tables are passed over.
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
 * A default in words: that of the row, or its value; undefined if there is none.
 *
 * @param write - How a number is written.
 */
export function defaultText(
  { default: value, defaultText: words }: Pick<Option, 'default' | 'defaultText'>,
  write: (value: number) => string = String,
): string | undefined {
  if (words !== undefined) return words;
  return typeof value === 'number' ? write(value) : value === undefined ? undefined : String(value);
}
