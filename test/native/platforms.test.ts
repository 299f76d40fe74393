import { spawnSync } from 'node:child_process';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { platformName } from '../../src/native/platform.js';
import { fakePlatform } from '../support/fakePlatform.mjs';

let restore: (() => void) | undefined;
afterEach(() => restore?.());

/** The modules as they are on a platform. */
async function on(...platform: [string, string, string?]) {
  restore = fakePlatform(...platform);
  vi.resetModules();
  const [{ loadAddon, howToGet }, { diagnose }, { locateLibtorch }] = await Promise.all([
    import('../../src/native/addon.js'),
    import('../../src/native/doctor.js'),
    import('../../src/native/libtorch.js'),
  ]);
  return { loadAddon, howToGet, diagnose, locateLibtorch };
}

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return `${(error as { code: string }).code} ${(error as Error).message}`;
  }
  return expect.fail('nothing was thrown');
}

const all: [string, string, string | undefined, string, string][] = [
  ['linux', 'arm64', 'glibc', 'recurra-linux-arm64-gnu', 'os linux, cpu arm64, libc glibc'],
  ['linux', 'arm64', 'musl', 'recurra-linux-arm64-musl', 'os linux, cpu arm64, libc musl'],
  ['linux', 'x64', 'musl', 'recurra-linux-x64-musl', 'os linux, cpu x64, libc musl'],
  ['win32', 'x64', undefined, 'recurra-win32-x64-msvc', 'os win32, cpu x64'],
  ['darwin', 'arm64', undefined, 'recurra-darwin-arm64', 'os darwin, cpu arm64'],
  ['darwin', 'x64', undefined, 'recurra-darwin-x64', 'os darwin, cpu x64'],
];

// The tests may run on one of them, which has its addon.
const platforms = all.filter(([, , , name]) => name !== `recurra-${platformName()}`);

describe('where the addon is missing', () => {
  it.each(platforms)('%s %s %s: the error and the diagnosis name its package', async (os, cpu, libc, name, place) => {
    const { loadAddon, diagnose } = await on(os, cpu, libc);
    const message = messageOf(() => loadAddon('recurra'));
    expect(message).toMatch(/^ADDON_NOT_FOUND The native addon recurra for /);
    expect(message).toContain(`The missing package is ${name} (${place}).\n`);
    expect(message).toContain(`npm install ${name}\n`);
    const { ok, addon } = diagnose();
    expect({ ok, missing: addon.package }).toEqual({ ok: false, missing: name });
    expect(addon.error).toContain(name);
  });

  it.each([
    ['freebsd', 'x64'],
    ['win32', 'arm64'],
    ['linux', 's390x'],
  ])('%s %s: no package is named, but those that there are', async (os, cpu) => {
    const { loadAddon, diagnose } = await on(os, cpu);
    const message = messageOf(() => loadAddon('recurra'));
    expect(message).toMatch(
      new RegExp(
        `There is no prebuilt package recurra-${os}-${cpu}\\S*; there are packages for linux-x64-gnu, .*darwin-x64\\.`,
      ),
    );
    expect(diagnose().addon).toEqual({ error: expect.any(String) });
  });

  it('says that node_modules were made elsewhere, and how to install for here', async () => {
    const { howToGet } = await on('linux', 'arm64', 'musl');
    expect(howToGet('recurra', 'linux-arm64-musl', ['recurra-darwin-arm64'])).toMatch(
      /Installed is recurra-darwin-arm64: node_modules was made for another platform\. .* npm install --os=linux --cpu=arm64 --libc=musl$/,
    );
    expect(howToGet('recurra', 'darwin-arm64', ['recurra-linux-x64-gnu', 'recurra-linux-x64-musl'])).toMatch(
      /Installed are recurra-linux-x64-gnu, recurra-linux-x64-musl: .* npm install --os=darwin --cpu=arm64$/,
    );
  });

  it('recurra doctor prints it and ends with 1', () => {
    const [os, cpu, libc = '', name] = platforms[0]!;
    const run = (...args: string[]) =>
      spawnSync(process.execPath, ['--import', './test/support/fakePlatform.mjs', 'dist/cli/main.js', ...args], {
        encoding: 'utf8',
        env: { ...process.env, RECURRA_FAKE_PLATFORM: `${os} ${cpu} ${libc}` },
      });
    const { status, stdout } = run('doctor');
    expect(status).toBe(1);
    expect(stdout).toContain(`), ${name.slice('recurra-'.length)}\n`);
    expect(stdout).toMatch(new RegExp(`addon +FAILED: .*npm install ${name}\n`, 's'));
    expect(JSON.parse(run('doctor', '--json').stdout).addon.package).toBe(name);
  });
});

describe('libtorch on a platform', () => {
  const nowhere = { XDG_CACHE_HOME: '/nonexistent' };

  it.each([
    ['linux', 'arm64', 'libtorch_cpu.so'],
    ['darwin', 'arm64', 'libtorch_cpu.dylib'],
    ['win32', 'x64', 'torch_cpu.dll'],
  ])('%s %s: its library and its package are looked for by their names', async (os, cpu, library) => {
    const { locateLibtorch } = await on(os, cpu);
    const message = messageOf(() => locateLibtorch({ ...nowhere, RECURRA_LIBTORCH: 'test/native' }));
    expect(message).toContain(`has no lib/${library}\n`);
    expect(message).toContain(`the npm package recurra-libtorch-${os}-${cpu} is not installed`);
    expect(message).toMatch(/^LIBTORCH_NOT_FOUND .*npx recurra libtorch install/s);
  });

  it.each([
    ['darwin', 'x64'],
    ['win32', 'arm64'],
  ])('%s %s: there is none, and the error says for which there is', async (os, cpu) => {
    const { locateLibtorch } = await on(os, cpu);
    expect(messageOf(() => locateLibtorch(nowhere))).toMatch(
      new RegExp(
        `^LIBTORCH_UNSUPPORTED_PLATFORM libtorch 2\\.11\\.0 is available for Linux on x86-64, .*; this is ${os} on ${cpu}\\.`,
      ),
    );
  });
});
