import type { Command } from 'commander';
import { closest } from '../core/options/names.js';

/** Names that the same thing has elsewhere, and the flag here. */
const SYNONYMS: Readonly<Record<string, string>> = {
  '--bs': '--batch-size',
  '--cuda': '--device cuda',
  '--dim': '--embedding-dim',
  '--gpu': '--device cuda',
  '--input': '--file',
  '--k': '--top-k',
  '--layers': '--num-layers',
  '--learning-rate': '--lr',
  '--output': '--out',
  '--threshold': '--min-probability',
};

const TLS = 'recurra serve has no TLS: put a proxy in front of it; docs/serving.md has one for nginx';

/** What users look for in `recurra serve` that it does not have, and what to do instead. */
const NOT_SERVED: Readonly<Record<string, string>> = {
  '--cors':
    "recurra serve sends no CORS headers: let the server of your page pass requests on; see 'From a web page' in docs/serving.md",
  '--api-key': 'recurra serve has no login: put a proxy in front of it that checks who asks',
  '--workers': 'recurra serve is one process that computes with several threads: give --threads <n>',
  ...Object.fromEntries(['--https', '--tls', '--ssl', '--cert', '--key'].map((flag) => [flag, TLS])),
};

/** Other names of what is an argument of most commands. */
const ARGUMENTS: Readonly<Record<string, string>> = { '--model': 'model', '--input': 'file', '--file': 'file' };

/** Whether two neighbouring letters are swapped. */
function swapped(name: string, other: string): boolean {
  if (name.length !== other.length) return false;
  const at = [...name].findIndex((letter, i) => letter !== other[i]);
  return at >= 0 && name.slice(0, at) + name[at + 1] + name[at] + name.slice(at + 2) === other;
}

const wordsOf = (flag: string) => flag.replace(/^--(no-)?/, '').split('-');

/** The only flag that begins with the words of a name, or else the only one that has them: `--hidden-size` for `--hidden`. */
function longer(name: string, flags: readonly string[]): string | undefined {
  const words = wordsOf(name);
  const begin = flags.filter((flag) => flag.startsWith(`${name}-`));
  if (begin.length > 0) return begin.length === 1 ? begin[0] : undefined;
  const found = flags.filter((flag) => words.every((word) => wordsOf(flag).includes(word)));
  return found.length === 1 ? found[0] : undefined;
}

/** The flag of a command that a user who wrote another one probably meant. */
function meant(name: string, flags: readonly string[]): string | undefined {
  const other = SYNONYMS[name];
  if (other && flags.includes(other.split(' ')[0]!)) return other;
  const bare = closest(
    name.slice(2),
    flags.map((flag) => flag.slice(2)),
  );
  return flags.find((flag) => swapped(name, flag)) ?? (bare ? `--${bare}` : longer(name, flags));
}

/** What to say of a flag that a command does not have; empty if nothing is known of it. */
function adviceOn(name: string, command: Command): string {
  if (command.name() === 'serve' && NOT_SERVED[name]) return `\n${NOT_SERVED[name]}`;
  const argument = command.registeredArguments.find((each) => each.name() === ARGUMENTS[name]);
  const usage = () => command.registeredArguments.map((each) => `<${each.name()}>`).join(' ');
  if (argument) return `\n(The ${argument.name()} is given without a flag: recurra ${command.name()} ${usage()})`;
  const flags = command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long }) => long ?? []);
  const negated = name.replace('--', '--no-');
  if (flags.includes(negated)) return `\n(This is the default; ${negated} turns it off)`;
  const flag = meant(name, flags);
  return flag ? `\n(Did you mean ${flag}?)` : '';
}

const UNKNOWN = /^error: unknown option '(--[^'=]+)[^']*'/;

/**
 * Makes errors about unknown flags say what was probably meant. Commander's own suggestions take any flag that differs by up to three letters, such as
 * `--port` for `--cors`.
 */
export function adviseOnFlags(command: Command): void {
  command.showSuggestionAfterError(command.commands.length > 0);
  command.configureOutput({
    outputError: (text, write) => {
      const name = UNKNOWN.exec(text)?.[1];
      write(name ? `${text.trimEnd().split('\n')[0]}${adviceOn(name, command)}\n` : text);
    },
  });
  for (const each of command.commands) adviseOnFlags(each);
}
