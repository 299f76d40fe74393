// Installs the packed tarballs in a project of its own, with a PATH that holds Node and the shell that npm starts
// programs with, and nothing else: no compiler, no Python, no Rust.

import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const tools = join(here, 'tools', 'node_modules');

/** A file of one of the tools. */
export function tool(...path: string[]): string {
  const file = join(tools, ...path);
  // Bun's package has its program here once its install script has run, and in the package for the platform before.
  if (path[0] === '@oven' && !existsSync(file)) return tool('bun', 'bin', 'bun.exe');
  if (!existsSync(file)) throw new Error(`${file} is missing; run: npm ci in test/packages/tools`);
  return file;
}

/** The programs of other run times, and what their command lines begin with. */
export const runTimes = {
  bun: ['@oven', 'bun-linux-x64', 'bin', 'bun'],
  deno: ['@deno', 'linux-x64-glibc', 'deno'],
};

/** A packed package, as scripts/package/main.mjs returns it. */
export interface Packed {
  name: string;
  tarball: string;
  packed: number;
  unpacked: number;
}

export type Manager = 'npm' | 'pnpm' | 'yarn' | 'yarn-pnp';

/** npm's own JavaScript, to be run by any Node. */
export function npmScript(name: 'npm' | 'npx'): string {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const command = join(folder, 'npm');
    if (!existsSync(command)) continue;
    const script = join(dirname(realpathSync(command)), `${name}-cli.js`);
    if (existsSync(script)) return script;
  }
  throw new Error('npm was not found on PATH');
}

/** The Node of one of the packages in tools. */
export function toolNode(major: number): string {
  return join(tools, `node-${major}`, 'bin', 'node');
}

/** A project in a temporary folder, with the files of `from`; `remove` deletes it. */
export class Project {
  readonly top = mkdtempSync(join(tmpdir(), 'recurra-packages-'));
  readonly folder = join(this.top, 'project');
  readonly manager: Manager;

  constructor(manager: Manager, packages: Packed[], more: Record<string, string> = {}, from = join(here, 'project')) {
    this.manager = manager;
    mkdirSync(this.folder);
    const files = Object.fromEntries(packages.map(({ name, tarball }) => [name, `file:${tarball}`]));
    const { recurra, 'recurra-web': web, ...others } = files;
    const manifest: Record<string, unknown> = {
      private: true,
      name: 'project',
      dependencies: { recurra, 'recurra-web': web, ...more },
    };
    const torch = others['recurra-libtorch-linux-x64'];
    if (torch) Object.assign(manifest.dependencies as object, { 'recurra-libtorch-linux-x64': torch });
    // The optional dependency is not in a registry yet: each manager has its way to say where it is instead.
    if (manager === 'npm') manifest.overrides = others;
    else if (manager !== 'pnpm') manifest.resolutions = others;
    else {
      const lines = Object.entries(others).map(([name, file]) => `  ${name}: ${file}`);
      writeFileSync(join(this.folder, 'pnpm-workspace.yaml'), `overrides:\n${lines.join('\n')}\n`);
    }
    cpSync(from, this.folder, { recursive: true });
    writeFileSync(join(this.folder, 'package.json'), JSON.stringify(manifest, null, 2));
    if (manager.startsWith('yarn')) {
      const linker = manager === 'yarn-pnp' ? 'pnp' : 'node-modules';
      const settings = `nodeLinker: ${linker}\nenableTelemetry: false\nenableGlobalCache: false\nenableScripts: false\n`;
      writeFileSync(join(this.folder, '.yarnrc.yml'), settings);
      // Otherwise yarn would take a package.json further up for the project's.
      writeFileSync(join(this.folder, 'yarn.lock'), '');
    }
    const types = join(this.folder, 'types.ts');
    if (existsSync(types)) cpSync(types, join(this.folder, 'types.cts'));
    const parquet = 'class-label.parquet';
    cpSync(join(here, '..', 'fixtures', 'data', parquet), join(this.folder, parquet));
  }

  remove(): void {
    rmSync(this.top, { recursive: true, force: true });
  }

  /** The environment of a machine with this Node alone; settings of registries are kept. */
  environment(node: string, more: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
    const bin = mkdtempSync(join(this.top, 'bin-'));
    symlinkSync(node, join(bin, 'node'));
    // npm starts commands with a shell, and pnpm's own script around a command calls the others.
    for (const name of ['sh', 'sed', 'dirname', 'uname']) symlinkSync(join('/bin', name), join(bin, name));
    const env: NodeJS.ProcessEnv = { PATH: bin, HOME: process.env.HOME, XDG_CACHE_HOME: join(this.top, 'cache') };
    for (const [name, value] of Object.entries(process.env))
      if (/^(npm_config_registry|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|https?_proxy|no_proxy)$/i.test(name))
        env[name] = value;
    return { ...env, ...more };
  }

  /** Runs a script with Node; throws with what it wrote unless it ends with `expected`. */
  node(
    args: string[],
    { node = process.execPath, env = {} as NodeJS.ProcessEnv, status = 0 } = {},
  ): SpawnSyncReturns<string> {
    const result = spawnSync(node, args, {
      cwd: this.folder,
      env: this.environment(node, env),
      encoding: 'utf8',
      timeout: 300_000,
    });
    if (result.status !== status)
      throw new Error(`node ${args.join(' ')} ended with ${result.status}\n${result.stdout}\n${result.stderr}`);
    return result;
  }

  install(): void {
    const scripts: Record<Manager, string[]> = {
      npm: [npmScript('npm'), 'install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'],
      pnpm: [
        join(tools, 'pnpm', 'bin', 'pnpm.cjs'),
        'install',
        '--ignore-scripts',
        '--store-dir',
        join(this.top, 'store'),
      ],
      yarn: [join(tools, '@yarnpkg', 'cli-dist', 'bin', 'yarn.js'), 'install'],
      'yarn-pnp': [join(tools, '@yarnpkg', 'cli-dist', 'bin', 'yarn.js'), 'install'],
    };
    this.node(scripts[this.manager], { env: { CI: 'false', YARN_ENABLE_IMMUTABLE_INSTALLS: 'false' } });
  }

  /** Runs one of the project's scripts the way that its package manager wants it, and parses its last line. */
  script(name: string, { node = process.execPath, env = {} as NodeJS.ProcessEnv } = {}): Record<string, unknown> {
    const pnp = ['--require', './.pnp.cjs', '--experimental-loader', './.pnp.loader.mjs'];
    const { stdout } = this.node([...(this.manager === 'yarn-pnp' ? pnp : []), resolve(this.folder, name)], {
      node,
      env,
    });
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as Record<string, unknown>;
  }

  /** Runs the command `recurra` as a user does: through npx, pnpm exec or yarn. */
  command(args: string[], { env = {} as NodeJS.ProcessEnv, status = 0 } = {}): string {
    const runners: Record<Manager, string[]> = {
      npm: [npmScript('npx'), '--no-install'],
      pnpm: [join(tools, 'pnpm', 'bin', 'pnpm.cjs'), 'exec'],
      yarn: [join(tools, '@yarnpkg', 'cli-dist', 'bin', 'yarn.js'), 'run'],
      'yarn-pnp': [join(tools, '@yarnpkg', 'cli-dist', 'bin', 'yarn.js'), 'run'],
    };
    return this.node([...runners[this.manager], 'recurra', ...args], { env, status }).stdout;
  }
}
