import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configurationFiles } from '../../src/libtorch/pypi.mjs';
import { librariesOf, systemOf, systems } from '../../src/libtorch/systems.mjs';
import { scratch, writeWheelsOf } from '../setup/wheels.js';
import { Index } from './index.js';

let folder: string;
let remove: () => void;
beforeEach(() => {
  ({ folder, remove } = scratch());
});
afterEach(() => remove());

async function install(args: string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, ['dist/cli/main.js', 'libtorch', 'install', ...args], {
    env: { PATH: '', HOME: folder, XDG_CACHE_HOME: join(folder, 'cache'), ...env },
  });
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const status = await new Promise<number | null>((done) => child.once('close', done));
  return { status, err };
}

/** What the wheels of 2.11.0 have, and the least that their main library and what it names load. */
const libraries: Record<string, string[]> = {
  'linux-x64': ['libc10.so', 'libcudart.so.13', 'libcupti.so.13', 'libgomp.so.1', 'libtorch_cpu.so'],
  'linux-arm64': [
    'libarm_compute.so',
    'libarm_compute_graph.so',
    'libc10.so',
    'libcudart.so.13',
    'libcupti.so.13',
    'libgomp.so.1',
    'libnvpl_blas_core.so.0',
    'libnvpl_blas_lp64_gomp.so.0',
    'libnvpl_lapack_core.so.0',
    'libnvpl_lapack_lp64_gomp.so.0',
    'libtorch_cpu.so',
  ],
  'darwin-arm64': ['libc10.dylib', 'libomp.dylib', 'libtorch_cpu.dylib'],
  'win32-x64': ['c10.dll', 'libiomp5md.dll', 'torch_cpu.dll', 'uv.dll'],
};

describe('the systems that libtorch is available for', () => {
  it('are those four, each with its libraries', () => {
    expect(Object.keys(systems)).toEqual(Object.keys(libraries));
    for (const [name, expected] of Object.entries(libraries)) {
      expect(librariesOf(systemOf(name)).sort()).toEqual(expected);
      expect(expected).toContain(systemOf(name).mainLibrary);
    }
    expect(systemOf('constructor')).toBeUndefined();
  });

  it('are fetched from an index that has the wheels of all, each with its own', async () => {
    const served = join(folder, 'served');
    for (const name of Object.keys(systems)) writeWheelsOf(name, served);
    const index = new Index(served);
    const url = await index.listen();
    try {
      for (const name of ['linux-arm64', 'darwin-arm64', 'win32-x64']) {
        const dir = join(folder, name);
        index.requests.length = 0;
        const { status, err } = await install(['--platform', name, '--dir', dir, '--index-url', url]);
        expect(err).toMatch(new RegExp(`It is built for ${name}: copy it to that machine`));
        expect(status).toBe(0);
        expect(index.fetched()).toHaveLength(systemOf(name).wheels.length);
        expect(readdirSync(join(dir, 'lib')).sort()).toEqual(libraries[name]);
        const main = systemOf(name).mainLibrary;
        expect(readFileSync(join(dir, 'lib', main), 'utf8')).toBe(`${name} torch/lib/${main}`);
        const marker = JSON.parse(readFileSync(join(dir, '.complete'), 'utf8'));
        expect(Object.keys(marker.libraries)).toEqual(libraries[name]!.map((library) => `lib/${library}`));
      }
      expect(existsSync(join(folder, 'cache', 'recurra', 'libtorch-2.11.0'))).toBe(false);
    } finally {
      index.close();
    }
  }, 60_000);

  it('are told apart by the name of the wheel', async () => {
    const wheel = writeWheelsOf('win32-x64', join(folder, 'wheels'));
    const dir = join(folder, 'there');
    expect((await install(['--platform', 'win32-x64', '--from', wheel, '--dir', dir])).status).toBe(0);
    const { status, err } = await install(['--platform', 'linux-arm64', '--from', wheel, '--dir', join(folder, 'no')]);
    expect(status).toBe(1);
    expect(err).toContain(`${basename(wheel)}; it is for another system; the wheel for Linux on arm64 is needed`);
  });

  it.each([
    [
      ['--platform', 'darwin-x64', '--dir', 'x'],
      /"darwin-x64"; libtorch is available for linux-x64, .*\[LIBTORCH_UNSUPPORTED_PLATFORM\]/,
    ],
    [['--platform', 'linux-arm64'], /--platform needs --dir.*\[INVALID_ARGUMENT\]/],
    [
      ['--platform', 'win32-x64', '--cuda', '--dir', 'x'],
      /CUDA variant is only available for linux-x64, not for win32-x64.*\[LIBTORCH_UNSUPPORTED_PLATFORM\]/,
    ],
    [['--platform', 'darwin-arm64', '--dir', 'x'], /no Python package index is set\. Name one: --index-url/],
  ])('%j is refused', async (args, message) => {
    const { status, err } = await install(args);
    expect(err).toMatch(message);
    expect(status).toBeGreaterThan(0);
  });

  it.runIf(process.platform === 'linux')('takes a machine for what it is, without --platform', async () => {
    const env = { NODE_OPTIONS: '--import ./test/support/fakePlatform.mjs' };
    const wheel = writeWheelsOf('linux-arm64', join(folder, 'wheels'));
    const here = await install(['--from', wheel], { ...env, RECURRA_FAKE_PLATFORM: 'linux arm64' });
    expect(here.err).toMatch(/libtorch is installed: .*libtorch-2\.11\.0/);
    expect(readdirSync(join(folder, 'cache', 'recurra', 'libtorch-2.11.0', 'lib')).sort()).toEqual(
      libraries['linux-arm64'],
    );
    const musl = await install(['--from', wheel], { ...env, RECURRA_FAKE_PLATFORM: 'linux arm64 musl' });
    expect(musl.err).toMatch(/another C library \(musl\).*\[LIBTORCH_UNSUPPORTED_PLATFORM\]/);
  });
});

describe("pip's configuration", () => {
  it('is where pip has it on each platform', () => {
    const env = { HOME: '/home/a', VIRTUAL_ENV: '/venv' };
    expect(configurationFiles(env, 'linux')).toEqual([
      '/etc/pip.conf',
      '/home/a/.pip/pip.conf',
      '/home/a/.config/pip/pip.conf',
      '/venv/pip.conf',
    ]);
    expect(configurationFiles(env, 'darwin')).toEqual([
      '/Library/Application Support/pip/pip.conf',
      '/home/a/.pip/pip.conf',
      '/home/a/.config/pip/pip.conf',
      '/home/a/Library/Application Support/pip/pip.conf',
      '/venv/pip.conf',
    ]);
    const windows = configurationFiles({ APPDATA: '/a/Roaming', ProgramData: '/data' }, 'win32');
    expect([windows[0], windows[2]]).toEqual(['/data/pip/pip.ini', '/a/Roaming/pip/pip.ini']);
  });
});
