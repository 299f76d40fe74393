// Links the addons against an old C library, so that they run wherever libtorch does. Only the last step of the build
// differs: the same crates, compiled as for this machine, are linked with the sysroot of @napi-rs/cross-toolchain
// (glibc 2.17) and with toolchain/compat.cpp. Its compiler, GCC 4.8, is too old for libtorch's headers and stays unused.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { addons, cargoArtifact, platformName, targetDir } from '../native/addons.mjs';
import { typeDefEnv } from '../native/build.mjs';
import { runCargo } from '../native/cargo.mjs';
import { addonInputs } from '../native/crates.mjs';
import { replaceFile } from '../native/files.mjs';
import { libtorchBuildEnv } from '../native/libtorch-env.mjs';
import { hashOf, isCurrent, stampCurrent } from '../setup/freshness.mjs';
import { requireLibtorch } from '../setup/libtorch/locate.mjs';
import { installModules, staleModules } from '../setup/node-modules.mjs';
import { checkSymbolVersions } from './elf.mjs';

const toolchainFolder = 'scripts/package/toolchain';

function run(command, args, what) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (error || status !== 0) throw new Error(`${what} failed: ${error?.message ?? stderr.trim()}`);
}

/** The sysroot's folder, unpacked from the npm package once. */
async function sysroot(top) {
  const folder = join(top, toolchainFolder);
  if (staleModules(folder)) await installModules(folder);
  const archive = join(
    folder,
    'node_modules/@napi-rs/cross-toolchain-x64-target-x86_64/x86_64-unknown-linux-gnu.tar.xz',
  );
  const target = join(targetDir(top), 'package-sysroot');
  if (!existsSync(target)) {
    const temporary = `${target}.${process.pid}.tmp`;
    mkdirSync(temporary, { recursive: true });
    try {
      const member = './x86_64-unknown-linux-gnu/sysroot';
      run('tar', ['-xJf', archive, '-C', temporary, member], `unpacking ${archive} (needs tar and xz)`);
      renameSync(join(temporary, member), target);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  }
  return target;
}

function compileCompat(top) {
  const object = join(targetDir(top), 'package-compat.o');
  const source = join(top, toolchainFolder, 'compat.cpp');
  run(process.env.CXX || 'c++', ['-std=c++17', '-O2', '-fPIC', '-c', source, '-o', object], `compiling ${source}`);
  return object;
}

/** Where the linked addons lie. */
export function portableFolder(top) {
  return join(targetDir(top), 'packages', 'addons', platformName());
}

/** Links the addons chosen, those not current, and checks what they ask for; returns their files and symbol versions. */
export async function buildPortable(top, chosen = addons) {
  if (platformName() !== 'linux-x64-gnu') throw new Error('the old C library is there for linux-x64-gnu only');
  const files = [];
  for (const addon of chosen) files.push(await linkPortable(top, addon));
  return files.map((file) => ({ file, versions: checkSymbolVersions(file) }));
}

/** Links one addon, unless it is current; returns its file. */
async function linkPortable(top, addon) {
  const file = join(portableFolder(top), `${addon.binary}.${platformName()}.node`);
  const results = [file.slice(top.length + 1)];
  const inputs = hashOf(top, [...addonInputs(addon, top), 'scripts/package/portable.mjs', toolchainFolder]);
  if (isCurrent(top, `portable-${addon.name}`, inputs, results)) return file;
  const libraries = await sysroot(top);
  // -z defs: a symbol that the old library lacks must fail here, not at a user's.
  const args = [`--sysroot=${libraries}`, `-L${join(libraries, 'usr', 'lib')}`, '-Wl,-z,defs'];
  const env = { ...process.env, ...typeDefEnv(join(targetDir(top), 'napi-types'), [addon]) };
  if (addon.needsLibtorch) {
    args.push(compileCompat(top));
    Object.assign(env, libtorchBuildEnv(requireLibtorch().path, targetDir(top)));
  }
  const link = args.flatMap((arg) => ['-C', `link-arg=${arg}`]);
  const locked = process.env.CI ? ['--locked'] : [];
  await runCargo(['rustc', '--release', '--lib', ...locked, '-p', addon.crate, '--', ...link], { cwd: top, env });
  replaceFile(file, readFileSync(cargoArtifact(addon, top)), 0o755);
  stampCurrent(top, `portable-${addon.name}`, inputs, results);
  return file;
}
