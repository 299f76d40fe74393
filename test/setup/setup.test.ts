// The whole script, in a small project of its own with a pretended cargo and tiny wheels.

import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkCompiler, checkNode, checkRust, platformProblem } from '../../scripts/setup/checks.mjs';
import { findPip } from '../../scripts/setup/libtorch/download.mjs';
import { scratch, writeWheels } from './wheels.js';

const repository = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

let folder: string;
let remove: () => void;
beforeEach(() => {
  ({ folder, remove } = scratch());
});
afterEach(() => remove());

const bin = () => join(folder, 'bin');

/** A program on the PATH of the test that is this shell script. */
function program(name: string, script: string) {
  mkdirSync(bin(), { recursive: true });
  const path = join(bin(), name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

/** A cargo that "builds" both libraries and notes each run of it. `before` runs first. */
function pretendedCargo(before = '') {
  program(
    'cargo',
    `if [ "$1" = --version ]; then echo 'cargo 1.95.0'; exit 0; fi
     echo "$@" >> '${join(folder, 'builds')}'
     ${before}
     /bin/mkdir -p target/release
     echo light > target/release/librecurra_light.so
     echo torch > target/release/librecurra_torch_addon.so`,
  );
}

/** The parts of the repository that set-up needs, small. */
function project() {
  const top = join(folder, 'project');
  mkdirSync(join(top, 'src'), { recursive: true });
  cpSync(join(repository, 'scripts'), join(top, 'scripts'), { recursive: true });
  cpSync(join(repository, 'src', 'libtorch'), join(top, 'src', 'libtorch'), {
    recursive: true,
    filter: (path) => !path.endsWith('.ts'),
  });
  for (const name of ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'])
    cpSync(join(repository, name), join(top, name));
  symlinkSync(join(repository, 'node_modules'), join(top, 'node_modules'));
  writeFileSync(join(top, 'src', 'index.ts'), 'export const answer = 42;\n');
  writeFileSync(join(top, 'Cargo.toml'), '[workspace]\nmembers = ["crates/light", "crates/torch-addon"]\n');
  for (const [crate, dependency] of [
    ['light', 'napi'],
    ['torch-addon', 'tch'],
  ] as const) {
    mkdirSync(join(top, 'crates', crate), { recursive: true });
    const manifest = `[package]\nname = "recurra-${crate}"\n\n[dependencies]\n${dependency}.workspace = true\n`;
    writeFileSync(join(top, 'crates', crate, 'Cargo.toml'), manifest);
  }
  return top;
}

const environment = (more: Record<string, string>) => ({ HOME: folder, PATH: bin(), ...more });

/** What cargo was asked to build, in order. */
const builds = () =>
  existsSync(join(folder, 'builds'))
    ? [...readFileSync(join(folder, 'builds'), 'utf8').matchAll(/-p (\S+)/g)].map(([, crate]) => crate)
    : [];
const both = ['recurra-light', 'recurra-torch-addon'];

function setUp(top: string, env: Record<string, string>, args: string[] = []): SpawnSyncReturns<string> {
  const script = join(top, 'scripts', 'setup.mjs');
  return spawnSync(process.execPath, [script, ...args], { env: environment(env), encoding: 'utf8' });
}

describe.runIf(process.platform === 'linux' && process.arch === 'x64')('the whole set-up', () => {
  test('builds once; run again it finds all current within 2 seconds', () => {
    const top = project();
    pretendedCargo();
    program('c++', `echo 'c++ 12.2.0'`);
    const env = { RECURRA_TORCH_WHEEL: writeWheels(join(folder, 'wheels')) };

    const first = setUp(top, env);
    expect(first.stderr).toMatch(/libtorch +9 files[\s\S]*libtorch +2\.11\.0 at .*\.cache\/recurra[\s\S]*ready/);
    expect(first.status).toBe(0);
    expect(readFileSync(join(top, 'native', 'recurra-torch.linux-x64-gnu.node'), 'utf8')).toBe('torch\n');
    expect(readFileSync(join(top, 'index.d.ts'), 'utf8')).toMatch(/namespace light \{[\s\S]*namespace torch \{/);
    expect(readFileSync(join(top, 'dist', 'index.js'), 'utf8')).toContain('answer = 42');
    expect(readdirSync(join(folder, '.cache', 'recurra'))).toEqual(['libtorch-2.11.0']);

    const begun = Date.now();
    const second = setUp(top, {});
    expect(second.status).toBe(0);
    expect(Date.now() - begun).toBeLessThan(2000);
    expect(second.stderr).toMatch(/light addon +current[\s\S]*torch addon +current[\s\S]*dist is current/);
    expect(builds()).toEqual(both);
  });

  test('of the light half needs neither C++ nor Python nor libtorch; the other half is added later', () => {
    const top = project();
    const declared = 'export declare namespace torch {\n  export function kept(): void\n}\n';
    writeFileSync(join(top, 'index.d.ts'), declared);
    pretendedCargo();
    const first = setUp(top, {}, ['--light']);
    expect(first.stderr).not.toMatch(/C\+\+|pip|libtorch/);
    expect(first.status).toBe(0);
    expect(readdirSync(join(top, 'native'))).toEqual(['recurra.linux-x64-gnu.node']);
    expect(readFileSync(join(top, 'index.d.ts'), 'utf8')).toContain(declared);
    expect(readFileSync(join(top, 'dist', 'index.js'), 'utf8')).toContain('answer = 42');
    expect(builds()).toEqual(['recurra-light']);

    expect(setUp(top, {}, ['--light']).stderr).toMatch(/light addon +current[\s\S]*dist is current/);
    program('c++', `echo 'c++ 12.2.0'`);
    expect(setUp(top, { RECURRA_TORCH_WHEEL: writeWheels(join(folder, 'wheels')) }).status).toBe(0);
    expect(builds()).toEqual(both);
    expect(setUp(top, {}, ['--light']).stderr).toMatch(/light addon +current/);
  });

  test('builds again what was made from something that changed, and only that', () => {
    const top = project();
    pretendedCargo();
    program('c++', `echo 'c++ 12.2.0'`);
    const env = { RECURRA_TORCH_WHEEL: writeWheels(join(folder, 'wheels')) };
    expect(setUp(top, env).status).toBe(0);

    writeFileSync(join(top, 'src', 'other.ts'), 'export const other = 1;\n');
    expect(setUp(top, {}).status).toBe(0);
    expect(existsSync(join(top, 'dist', 'other.js'))).toBe(true);
    expect(builds()).toEqual(both);

    writeFileSync(join(top, 'crates', 'torch-addon', 'lib.rs'), '// changed\n');
    expect(setUp(top, {}).status).toBe(0);
    expect(builds()).toEqual([...both, 'recurra-torch-addon']);

    writeFileSync(join(top, 'index.d.ts'), 'edited by hand\n');
    expect(setUp(top, {}).status).toBe(0);
    expect(readFileSync(join(top, 'index.d.ts'), 'utf8')).toContain('Do not edit');
  });

  test('interrupted by force while it builds, it is simply run again', async () => {
    const top = project();
    // The torch addon is built when libtorch is there.
    const wait = `if [ ! -e '${join(folder, 'again')}' ]; then exec /bin/sleep 60; fi`;
    pretendedCargo(`case "$*" in *torch-addon*) ${wait};; esac`);
    program('c++', `echo 'c++ 12.2.0'`);
    const env = { RECURRA_TORCH_WHEEL: writeWheels(join(folder, 'wheels')) };
    const child = spawn(process.execPath, [join(top, 'scripts', 'setup.mjs')], {
      env: environment(env),
      stdio: 'ignore',
      detached: true,
    });
    for (let i = 0; i < 400 && builds().length < 2; i += 1) await sleep(25);
    const ended = new Promise((done) => child.on('close', done));
    // The whole group, as a closed terminal or a power failure would.
    process.kill(-child.pid!, 'SIGKILL');
    await ended;
    expect(existsSync(join(top, 'target', 'setup', 'lock'))).toBe(true);

    // As if the unpacking had been cut off as well.
    const cache = join(folder, '.cache', 'recurra');
    mkdirSync(join(cache, 'libtorch-2.11.0.tmp-9-old', 'stage'), { recursive: true });
    writeFileSync(join(cache, 'libtorch-2.11.0', '.complete'), '');
    writeFileSync(join(folder, 'again'), '');
    const second = setUp(top, env);
    expect(second.stderr).toMatch(/removed what an interrupted set-up had left[\s\S]*ready/);
    expect(second.status).toBe(0);
    expect(readdirSync(cache)).toEqual(['libtorch-2.11.0']);
    expect(existsSync(join(top, 'target', 'setup', 'lock'))).toBe(false);
  });

  test('two at once do not disturb each other: one builds, the other waits and finds all current', async () => {
    const top = project();
    pretendedCargo('/bin/sleep 1');
    program('c++', `echo 'c++ 12.2.0'`);
    const env = environment({ RECURRA_TORCH_WHEEL: writeWheels(join(folder, 'wheels')) });
    const run = () =>
      new Promise<{ code: number | null; said: string }>((done) => {
        const child = spawn(process.execPath, [join(top, 'scripts', 'setup.mjs')], { env });
        let said = '';
        child.stderr.setEncoding('utf8').on('data', (text) => {
          said += text;
        });
        child.on('close', (code) => done({ code, said }));
      });
    const ended = await Promise.all([run(), run()]);
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    expect(ended.filter(({ said }) => /another set-up \(process \d+\) works in this folder/.test(said))).toHaveLength(
      1,
    );
    expect(builds()).toEqual(both);
  });

  test('with nothing installed it names every missing tool at once', () => {
    const top = project();
    mkdirSync(bin(), { recursive: true });
    const { status, stderr } = setUp(top, {});
    expect(status).toBe(1);
    expect(stderr).toMatch(/Rust \(cargo\) was not found; 1\.88 or newer .*sh\.rustup\.rs/);
    expect(stderr).toMatch(/C\+\+ compiler \(c\+\+\) was not found.*apt-get install g\+\+/);
    expect(stderr).toMatch(/Python 3 with pip was not found.*apt-get install python3-pip.*RECURRA_LIBTORCH/);
    expect(existsSync(join(folder, '.cache'))).toBe(false);
  });

  test('a pip that fails is quoted', () => {
    const top = project();
    pretendedCargo();
    program('c++', `echo 'c++ 12.2.0'`);
    program(
      'python3',
      `if [ "$3" = --version ]; then echo 'pip 24.0 from here'; else echo 'ERROR: no route to host' >&2; exit 1; fi`,
    );
    const { status, stderr } = setUp(top, {});
    expect(status).toBe(1);
    expect(stderr).toMatch(/pip could not fetch libtorch \(exit code 1\)[\s\S]*no route to host/);
    expect(readdirSync(join(folder, '.cache', 'recurra'))).toEqual([]);
  });
});

describe('the checks', () => {
  test('Node.js', () => {
    expect(checkNode('20.0.0')).toEqual({ found: '20.0.0' });
    expect(checkNode('18.20.1').problem).toMatch(/18\.20\.1 is too old; 20 or newer/);
  });

  test('Rust and the compiler', () => {
    program('cargo', `echo 'cargo 1.87.0 (99624be96 2025-05-06)'`);
    program('ccache', `echo "ccache for $1, version 13.1.0"`);
    const env = environment({});
    expect(checkRust(env).problem).toMatch(/Rust 1\.87\.0 is too old; 1\.88 .*rustup update/);
    program('cargo', `echo 'cargo 2.0.0'`);
    expect(checkRust(env).found).toBe('2.0.0');
    expect(checkCompiler(environment({ CXX: 'ccache g++' })).found).toContain('ccache g++');
    expect(checkCompiler(environment({ CXX: 'nocc' })).problem).toMatch(/compiler \(nocc\) was not found/);
  });

  test('pip: absent, too old, good', () => {
    const env = environment({});
    expect(findPip(env).problem).toMatch(/^Python 3 with pip was not found/);
    program('python3', 'echo "No module named pip" >&2; exit 1');
    expect(findPip(env).problem).toMatch(/^python3 has no pip/);
    program('python3', `echo 'pip 9.0.1 from here'`);
    expect(findPip(env).problem).toMatch(/pip 9\.0\.1; 21 or newer/);
    program('python', `echo 'pip 23.2.1 from here'`);
    expect(findPip(env)).toMatchObject({ command: 'python', version: '23.2.1' });
  });

  test('systems that libtorch is not fetched for are told so', () => {
    const linux = { platform: 'linux', arch: 'x64', glibc: '2.36' };
    expect(platformProblem(linux)).toBeUndefined();
    expect(platformProblem({ ...linux, glibc: undefined })).toMatch(/musl.*RECURRA_LIBTORCH/);
    expect(platformProblem({ ...linux, glibc: '2.17' })).toMatch(/needs glibc 2\.28 or newer; this system has 2\.17/);
    // Those that there are wheels for beside x86-64; none for an Intel Mac, Windows on arm64 and other processors.
    for (const name of ['linux arm64', 'darwin arm64', 'win32 x64']) {
      const [platform, arch] = name.split(' ');
      expect(platformProblem({ platform, arch, glibc: platform === 'linux' ? '2.28' : undefined })).toBeUndefined();
    }
    for (const name of ['darwin x64', 'win32 arm64', 'linux ppc64']) {
      const [platform, arch] = name.split(' ');
      expect(platformProblem({ platform, arch, glibc: '2.36' })).toMatch(
        new RegExp(
          `for Linux on x86-64, Linux on arm64, macOS on Apple silicon and Windows on x86-64; this is ${platform} on ${arch}`,
        ),
      );
    }
  });
});
