// A project of test/packages/fixtures with the files and the command lines that one section of docs/bundlers.md has.

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pageText } from '../support/guide.js';
import { type Manager, npmScript, type Packed, Project, runTimes, tool } from './install.js';

const here = dirname(fileURLToPath(import.meta.url));
const PAGE = 'docs/bundlers.md';

export interface Section {
  /** Each program of the section under the name in its first line. */
  files: Record<string, string>;
  /** The lines of its commands. */
  commands: string[];
}

/** What stands under a heading of the page; without one, what stands before the first. */
export function sectionOf(heading?: string): Section {
  const parts = pageText(PAGE).split(/^## /m);
  const text = heading === undefined ? parts[0]! : parts.find((part) => part.startsWith(`${heading}\n`));
  if (text === undefined) throw new Error(`${PAGE} has no section ${heading}`);
  const files: Record<string, string> = {};
  for (const [, code] of text.matchAll(/^```js\n([\s\S]*?)^```$/gm)) {
    const name = /^\/\/ (\S+\.m?js)\n/.exec(code!)?.[1];
    if (!name) throw new Error(`a program of ${PAGE}, ${heading}, does not begin with its name`);
    files[name] = code!;
  }
  const commands = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].flatMap(([, lines]) => lines!.trim().split('\n'));
  return { files, commands };
}

export class Fixture extends Project {
  readonly commands: string[];

  /** The section's files, and app.mjs of the page's top, lie in the folder. `name` is a folder of fixtures, if there is one. */
  constructor(
    heading: string,
    packages: Packed[],
    { name, manager = 'npm' }: { name?: string; manager?: Manager } = {},
  ) {
    const from = name === undefined ? undefined : join(here, 'fixtures', name);
    const manifest = from ? JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) : {};
    super(manager, packages, manifest.dependencies, from ?? join(here, 'fixtures', 'none'));
    const { files, commands } = sectionOf(heading);
    for (const [file, code] of Object.entries({ ...sectionOf().files, ...files })) this.write(file, code);
    this.commands = commands;
  }

  write(file: string, code: string): void {
    mkdirSync(dirname(join(this.folder, file)), { recursive: true });
    writeFileSync(join(this.folder, file), code);
  }

  /** The program of a command line and its arguments. */
  #parsed(line: string): { node: string; args: string[] } {
    const [command, ...args] = line.split(/\s+/);
    if (command === 'node') return { node: process.execPath, args };
    if (command === 'npm')
      return { node: process.execPath, args: [npmScript('npm'), ...args, '--no-audit', '--no-fund'] };
    if (command === 'npx') return { node: process.execPath, args: [npmScript('npx'), '--no-install', ...args] };
    if (command === 'pnpm') return { node: process.execPath, args: [tool('pnpm', 'bin', 'pnpm.cjs'), ...args] };
    if (command === 'bun' || command === 'deno') return { node: tool(...runTimes[command]), args };
    throw new Error(`who runs ${line}?`);
  }

  /** Runs a line of the page; returns what it wrote. */
  run(line: string, env: NodeJS.ProcessEnv = {}): string {
    const { node, args } = this.#parsed(line);
    const { stdout, stderr } = this.node(args, { node, env: { ...quiet, ...env } });
    return stdout + stderr;
  }

  /** Starts a line that does not end by itself. What it returns ends the process and those that it has started. */
  start(line: string, env: NodeJS.ProcessEnv): () => Promise<void> {
    const { node, args } = this.#parsed(line);
    const options = { cwd: this.folder, env: this.environment(node, { ...quiet, ...env }), detached: true };
    const child = spawn(node, args, { ...options, stdio: 'ignore' });
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    return () => {
      // A group of its own: npx does not always pass signals on.
      process.kill(-child.pid!, 'SIGKILL');
      return exited;
    };
  }
}

/** No colours, and no reports to the makers of the tools. */
const quiet = { NO_COLOR: '1', NEXT_TELEMETRY_DISABLED: '1' };
