// The contents of the package with libtorch's CPU libraries, from a libtorch that set-up unpacked.

import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { librariesOf, systemOf } from '../../src/libtorch/systems.mjs';

/** What computing on the CPU loads. */
export const cpuLibraries = librariesOf(systemOf('linux-x64'));

/** NVIDIA's licence allows redistribution of its libraries unmodified, so only PyTorch's own are stripped. */
const stripped = ['libtorch_cpu.so', 'libc10.so'];

/** Fills `folder` with lib/, licenses/ and build-version. */
export function stageLibtorch(libtorch, version, folder) {
  if (!existsSync(join(libtorch, 'licenses')))
    throw new Error(
      `${libtorch} has no licences to pass on with the libraries; pack from the libtorch that npm run setup unpacks`,
    );
  const lib = join(folder, 'lib');
  mkdirSync(lib, { recursive: true });
  for (const name of cpuLibraries) {
    const target = join(lib, name);
    rmSync(target, { force: true });
    copyFileSync(join(libtorch, 'lib', name), target);
    if (!stripped.includes(name)) continue;
    // --strip-unneeded takes the symbols that only a debugger reads; those that the dynamic linker needs stay.
    const { status, stderr, error } = spawnSync('strip', ['--strip-unneeded', target], { encoding: 'utf8' });
    if (error || status !== 0) throw new Error(`strip ${target}: ${error?.message ?? stderr}`);
  }
  cpSync(join(libtorch, 'licenses'), join(folder, 'licenses'), { recursive: true });
  writeFileSync(join(folder, 'build-version'), `${version}\n`);
}
