import type { Command } from 'commander';
import { ArgumentError } from '../core/errors.js';

/** Flags that are named differently from the options that they set. */
const OTHER_NAMES: Readonly<Record<string, string>> = { maxBytes: 'maxSize', onBadRow: 'skipBadRows' };

/** The flags of a command, by the names of their options. */
type Flags = ReadonlyMap<string, { flag: string; negated: boolean }>;

/** The command that arguments name, such as `libtorch install`. */
function commandOf(program: Command, args: readonly string[]): Command {
  const [first, ...rest] = args;
  const found = program.commands.find((command) => command.name() === first);
  return found ? commandOf(found, rest) : program;
}

function flagsOf(command: Command): Flags {
  const flags = new Map<string, { flag: string; negated: boolean }>();
  for (const { long, negate, attributeName } of command.options.map((option) => ({
    long: option.long,
    negate: option.negate,
    attributeName: option.attributeName(),
  })))
    if (long && !(negate && flags.has(attributeName))) flags.set(attributeName, { flag: long, negated: negate });
  for (const [option, name] of Object.entries(OTHER_NAMES)) {
    const flag = flags.get(name);
    if (flag && !flags.has(option)) flags.set(option, flag);
  }
  return flags;
}

/** A message about options, with the flags that set them. */
function withFlags(message: string, option: string, flags: Flags): string {
  // An element such as `classWeights["a"]` is one of its option.
  const name = /^\w+/.exec(option)?.[0] ?? option;
  const own = flags.get(name);
  let text = message
    // What names both already: `scheme: null (--scheme none)`.
    .replace(/\b(\w+)(?:: [\w']+)? \((--[a-z][^)]*)\)/g, (all, each, flag) => (flags.has(each) ? flag : all))
    .replace(/(?<![-\w])(\w+): (true|false)\b/g, (all, each, value) => {
      const found = flags.get(each);
      if (!found) return all;
      if (found.negated) return value === 'false' ? found.flag : all;
      return value === 'true' ? found.flag : all;
    })
    // Only a name in camel case cannot be a word of the sentence.
    .replace(/(?<![-\w.'"])([a-z]+(?:[A-Z][a-z]*)+)\b/g, (each) => flags.get(each)?.flag ?? each);
  if (!own) return text;
  const { flag } = own;
  const at = new RegExp(`(^| for | without | remove )${name}(?=[\\s,;:["]|$)`, 'g');
  if (!own.negated) text = text.replace(at, (_, before) => before + flag);
  return /--[a-z]/.test(text) ? text : `${flag}: ${text}`;
}

/**
 * An error's message as the command line reports it: with the flags that the user typed in place of the options that
 * they set.
 *
 * @param program - The program, whose commands have the flags.
 * @param args - Its arguments, without those of Node.js.
 */
export function flagWords(error: unknown, program: Command, args: readonly string[]): string {
  if (!(error instanceof Error)) return String(error);
  if (!(error instanceof ArgumentError) || error.option === undefined) return error.message;
  return withFlags(error.message, error.option, flagsOf(commandOf(program, args)));
}
