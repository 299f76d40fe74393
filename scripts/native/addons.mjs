// The two addons: which crate each comes from, what its file and its declaration's namespace are called.

import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's top folder. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Both addons; `needsLibtorch` says whether building (not only running) one needs libtorch. */
export const addons = [
  { name: 'light', crate: 'recurra-light', library: 'recurra_light', binary: 'recurra', needsLibtorch: false },
  {
    name: 'torch',
    crate: 'recurra-torch-addon',
    library: 'recurra_torch_addon',
    binary: 'recurra-torch',
    needsLibtorch: true,
  },
];

/** True where the C library is musl, not glibc. */
export function isMusl() {
  if (process.platform !== 'linux') return false;
  // Without this the report resolves the names of open connections, which can take seconds.
  process.report.excludeNetwork = true;
  return process.report.getReport().header.glibcVersionRuntime === undefined;
}

/** The platform as napi names it in file names, for instance `linux-x64-gnu`. */
export function platformName() {
  const { platform, arch } = process;
  if (platform === 'linux') return `linux-${arch}-${isMusl() ? 'musl' : 'gnu'}`;
  if (platform === 'win32') return `win32-${arch}-msvc`;
  return `${platform}-${arch}`;
}

/** Where the built addon lies. */
export function addonPath(addon, top = root) {
  return join(top, 'native', `${addon.binary}.${platformName()}.node`);
}

/** Cargo's target folder: CARGO_TARGET_DIR where it is set. */
export function targetDir(top = root) {
  const given = process.env.CARGO_TARGET_DIR;
  return given ? resolve(top, given) : join(top, 'target');
}

/** What cargo calls the dynamic library of an addon. */
export function cargoArtifact(addon, top = root) {
  const { platform } = process;
  const file =
    platform === 'win32'
      ? `${addon.library}.dll`
      : platform === 'darwin'
        ? `lib${addon.library}.dylib`
        : `lib${addon.library}.so`;
  return join(targetDir(top), 'release', file);
}

/** True when every addon's file is there. */
export function addonsPresent(top = root) {
  return addons.every((addon) => existsSync(addonPath(addon, top)));
}
