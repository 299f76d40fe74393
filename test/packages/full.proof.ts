// The packages as users get them: every package manager, every Node that is supported, with and without libtorch.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareVersions, neededLibraries, newestAllowed, symbolVersions } from '../../scripts/package/elf.mjs';
import { packAll } from '../../scripts/package/main.mjs';
import { type Manager, type Packed, Project, tool, toolNode } from './install.js';

const out = mkdtempSync(join(tmpdir(), 'recurra-packed-'));
let packages: Packed[];
const named = (name: string) => packages.find((each) => each.name === name)!;
const small = () => packages.filter(({ name }) => !name.includes('libtorch'));

beforeAll(async () => {
  packages = await packAll({ libtorch: true, out });
});
afterAll(() => rmSync(out, { recursive: true, force: true }));

const classified = { label: 'animal', other: 'tool', same: true, error: 'FILE_NOT_FOUND' };
const endedWell = { codes: Array.from({ length: 20 }, () => 0) };

describe('the tarballs', () => {
  it('stay small: what comes along unasked packs to less than 5 MB', () => {
    for (const { name, packed, unpacked } of packages)
      console.info(`${name}: ${(packed / 1e6).toFixed(2)} MB packed, ${(unpacked / 1e6).toFixed(2)} MB unpacked`);
    expect(small().reduce((sum, { packed }) => sum + packed, 0)).toBeLessThan(5e6);
  });

  it('satisfy publint', () => {
    for (const { tarball } of small()) {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [tool('publint', 'src/cli.js'), 'run', tarball, '--strict'],
        {
          encoding: 'utf8',
        },
      );
      expect({ status, said: stdout + stderr }).toEqual({ status: 0, said: expect.stringContaining('All good!') });
    }
  });

  it('satisfy "are the types wrong" in every way of resolving', () => {
    const script = tool('@arethetypeswrong/cli', 'dist/index.js');
    const { status, stdout } = spawnSync(process.execPath, [script, named('recurra').tarball, '--format', 'ascii'], {
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('No problems found') });
  });

  it('ask for no newer symbols than manylinux_2_28 has, and for no library but the C and C++ ones and libtorch', () => {
    const torch = ['libtorch_cpu.so', 'libc10.so', 'libstdc++.so.6'];
    const basic = [
      'libc.so.6',
      'libm.so.6',
      'libdl.so.2',
      'libpthread.so.0',
      'librt.so.1',
      'libgcc_s.so.1',
      'ld-linux-x86-64.so.2',
    ];
    for (const name of ['recurra', 'recurra-torch']) {
      const file = join(out, 'stage', `${name}-linux-x64-gnu`, `${name}.linux-x64-gnu.node`);
      const versions = symbolVersions(file);
      console.info(
        `${basename(file)}: ${Object.entries(versions)
          .map((pair) => pair.join('_'))
          .join(', ')}`,
      );
      expect(versions.GLIBC).toBeDefined();
      for (const [library, version] of Object.entries(versions) as [keyof typeof newestAllowed, string][])
        expect(compareVersions(version, newestAllowed[library])).toBeLessThanOrEqual(0);
      const allowed = name === 'recurra' ? basic : [...basic, ...torch];
      expect(neededLibraries(file).filter((library: string) => !allowed.includes(library))).toEqual([]);
    }
  });
});

describe.each<Manager>(['npm', 'pnpm', 'yarn', 'yarn-pnp'])('installed by %s', (manager) => {
  let project: Project;
  beforeAll(() => {
    project = new Project(manager, small());
    project.install();
  });
  afterAll(() => project?.remove());

  it('trains, saves, loads and predicts; import and require share one implementation', () => {
    expect(project.script('classify.mjs')).toEqual(classified);
    expect(project.script('classify.cjs')).toEqual({ label: 'animal', same: true });
    expect(project.script('parquet.mjs')).toEqual({ rows: true, named: true });
  });

  it('works in twenty worker threads, one after the other', () => {
    expect(project.script('workers.mjs')).toEqual(endedWell);
  });

  it('names the command where libtorch is missing, and computes with one that LIBTORCH names', () => {
    expect(project.script('tensors.mjs')).toEqual({ code: 'LIBTORCH_NOT_FOUND', command: true });
    const env = { LIBTORCH: process.env.RECURRA_LIBTORCH };
    if (env.LIBTORCH) expect(project.script('tensors.mjs', { env })).toEqual({ product: 6, gradient: [1, 3] });
  });

  it('has the command recurra', () => {
    expect(JSON.parse(project.command(['doctor', '--json']).trim().split('\n').at(-1)!)).toMatchObject({ ok: true });
  });
});

describe('installed by npm', () => {
  let project: Project;
  beforeAll(() => {
    project = new Project('npm', packages, { typescript: '6.0.3', '@types/node': '20.19.43' });
    project.install();
  });
  afterAll(() => project?.remove());

  it('computes with the package of libtorch', () => {
    expect(project.script('tensors.mjs')).toEqual({ product: 6, gradient: [1, 3] });
    const found = JSON.parse(project.command(['doctor', '--json']));
    expect(found).toMatchObject({ ok: true, libtorch: { version: '2.11.0', source: 'npm package' } });
  });

  it.each(['20', '22', '24', '26'])('runs on Node %s', (major) => {
    const node = toolNode(Number(major));
    console.info(project.node(['--version'], { node }).stdout.trim());
    expect(project.script('classify.mjs', { node })).toEqual(classified);
    expect(project.script('classify.cjs', { node })).toEqual({ label: 'animal', same: true });
    expect(project.script('parquet.mjs', { node })).toEqual({ rows: true, named: true });
    expect(project.script('tensors.mjs', { node })).toEqual({ product: 6, gradient: [1, 3] });
    expect(project.script('workers.mjs', { node })).toEqual(endedWell);
  });

  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  it.each([
    ['node16', 'node16'],
    ['nodenext', 'nodenext'],
    ['bundler', 'preserve'],
  ])('compiles strictly with moduleResolution %s', (moduleResolution, module) => {
    const compilerOptions = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: false,
      target: 'es2022',
      types: ['node'],
      module,
      moduleResolution,
    };
    const file = join(project.folder, 'tsconfig.json');
    writeFileSync(file, JSON.stringify({ compilerOptions, files: ['types.ts', 'types.cts'] }));
    project.node([compiler, '-p', file]);
  });

  it('needs nothing but the addons: without every optional part, and with them put beside it by hand', () => {
    const bare = new Project('npm', small());
    try {
      bare.install();
      const modules = join(bare.folder, 'node_modules');
      const addons = join(modules, 'recurra-linux-x64-gnu');
      cpSync(addons, join(bare.top, 'addons'), { recursive: true });
      rmSync(addons, { recursive: true });
      expect(() => bare.script('classify.mjs')).toThrow(/ADDON_NOT_FOUND|npm install recurra-linux-x64-gnu/);
      cpSync(join(bare.top, 'addons'), addons, { recursive: true });
      expect(bare.script('classify.mjs')).toEqual(classified);
    } finally {
      bare.remove();
    }
  });
});
