import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { RecurraError } from '../core/errors.js';
import { libtorchPackage, locateLibtorch } from '../native/libtorch.js';
import { fetchFile } from './fetch.mjs';
import { shown } from './http.mjs';
import { checkSpace, finish, installWheels, removeLeftovers, temporaryBeside, wheelsBeside } from './install.mjs';
import { withLock } from './lock.mjs';
import { cacheFolder, cudaCacheFolder, libtorchVersion, readMarker } from './places.mjs';
import { platformProblem, thisPlatform } from './platform.mjs';
import { findWheel, indexUrl } from './pypi.mjs';
import { cudaSystem, cudaUnpackedBytes, cudaWheels, systemName, systemOf, systems } from './systems.mjs';

/** Progress of an installation. */
export interface InstallReport {
  /** A finished step or a fact, as a sentence. */
  say(text: string): void;
  /** A long step: how many of `total` bytes are done. */
  progress(step: 'fetch' | 'unpack', done: number, total: number): void;
}

/** Options of {@link installLibtorch}. */
export interface InstallOptions {
  /** Also install the variant for CUDA 13, a 2.5 GB download. */
  cuda?: boolean;
  /** A local torch wheel, with NVIDIA's in the same folder, to unpack instead of downloading. */
  from?: string;
  /** Target folder. Default: the cache folder, where it is found without a variable. */
  dir?: string;
  /** Package index to download from, instead of the one configured for pip. */
  indexUrl?: string;
  /** Download even if a Python on `PATH` has a usable one. */
  fetch?: boolean;
  /** The target system, such as `linux-arm64`, if it is not this machine's; needs {@link InstallOptions.dir}. */
  platform?: string;
}

/** An installation and its size. */
export interface Installed {
  /** Its folder. */
  folder: string;
  /** `present` if it already existed. */
  action: 'present' | 'linked' | 'installed';
  /** Bytes on disk; 0 for a linked one. */
  bytes: number;
}

/** A wheel as contents.mjs lists them. */
interface Wheel {
  project: string;
  version: string;
  packedBytes?: number;
}

/** A system as listed in systems.mjs. */
type System = (typeof systems)[keyof typeof systems];

interface Variant {
  system: System;
  wheels: Wheel[];
  target: string;
  unpacked: number;
  /** Folder inside the target that contains libtorch. */
  inner: string;
}

/** Throws if there is no such libtorch, or none for this machine. */
function variantOf({ cuda, dir, platform }: InstallOptions): Variant {
  const name = platform ?? systemName();
  const system = systemOf(name) as System | undefined;
  if (platform === undefined) {
    const problem = platformProblem(thisPlatform());
    if (problem) throw new RecurraError('LIBTORCH_UNSUPPORTED_PLATFORM', problem);
  } else {
    if (!system)
      throw new RecurraError(
        'LIBTORCH_UNSUPPORTED_PLATFORM',
        `--platform is ${JSON.stringify(platform)}; libtorch is available for ${Object.keys(systems).join(', ')}`,
      );
    if (dir === undefined)
      throw new RecurraError('INVALID_ARGUMENT', '--platform needs --dir: the cache folder is for this machine only');
  }
  if (cuda && name !== cudaSystem)
    throw new RecurraError(
      'LIBTORCH_UNSUPPORTED_PLATFORM',
      `the CUDA variant is only available for ${cudaSystem}, not for ${name}; without --cuda, the CPU variant is installed`,
    );
  return cuda
    ? {
        system: system!,
        wheels: cudaWheels,
        target: resolve(dir ?? cudaCacheFolder()),
        unpacked: cudaUnpackedBytes,
        inner: 'torch',
      }
    : {
        system: system!,
        wheels: system!.wheels,
        target: resolve(dir ?? cacheFolder()),
        unpacked: system!.unpackedBytes.run,
        inner: '',
      };
}

/** Bytes as a person reads them. */
export function readable(bytes: number): string {
  return bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

/** The torch package of a Python on `PATH`, if its version matches. */
function pythonTorch(cuda: boolean): string | undefined {
  const script =
    'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s else "")';
  for (const python of ['python3', 'python']) {
    const { status, stdout } = spawnSync(python, ['-c', script], { encoding: 'utf8', timeout: 20_000 });
    const folder = status === 0 ? stdout.trim() : '';
    if (!folder || (cuda && !existsSync(join(folder, 'lib', 'libtorch_cuda.so')))) continue;
    try {
      return locateLibtorch({ RECURRA_LIBTORCH: folder, XDG_CACHE_HOME: '/nonexistent' }).source === 'RECURRA_LIBTORCH'
        ? folder
        : undefined;
    } catch {
      // Another version, or one without its libraries.
    }
  }
  return undefined;
}

/** Puts links to a Python's libraries and headers where the installation would be. */
function linkPython(folder: string, { target, inner }: Variant): void {
  const work = temporaryBeside(target);
  try {
    const stage = join(work, 'stage');
    mkdirSync(join(stage, inner), { recursive: true });
    // On Windows, links of this kind (only to folders) need no privileges.
    for (const name of ['lib', 'include'])
      if (existsSync(join(folder, name))) symlinkSync(join(folder, name), join(stage, inner, name), 'junction');
    if (inner) writeFileSync(join(stage, inner, 'build-version'), `${libtorchVersion}\n`);
    finish(stage, target, work, { version: libtorchVersion, linked: folder, bytes: 0 });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The index to download from, from the user's own settings only. */
function chosenIndex({ system }: Variant, { indexUrl: given, cuda, platform }: InstallOptions): string {
  if (given !== undefined) {
    if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol))
      throw new Error(`--index-url must be a URL that starts with http:// or https://, not ${JSON.stringify(given)}`);
    return given.replace(/\/+$/, '');
  }
  const index = indexUrl();
  if (index !== undefined) return index;
  const npm =
    cuda || platform !== undefined || !system.npmPackage
      ? ''
      : `Run npm install ${libtorchPackage()}, which installs libtorch through your npm client. Or name an index`;
  throw new Error(
    `no Python package index is set. ${npm || 'Name one'}: --index-url URL, the variable PIP_INDEX_URL, or index-url in pip.conf. ` +
      'Or give the wheels: --from FILE.',
  );
}

async function obtain(variant: Variant, options: InstallOptions, report: InstallReport) {
  const { system } = variant;
  if (options.from !== undefined) return wheelsBeside(options.from, '--from', variant.wheels as never[], system);
  const index = chosenIndex(variant, options);
  const found = await Promise.all(variant.wheels.map((wheel: Wheel) => findWheel(wheel, system, index)));
  const sizes = found.map(({ size, wheel }) => size ?? wheel.packedBytes ?? 0);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  report.say(
    `downloading ${readable(total)} from ${shown(index)}, ${readable(variant.unpacked)} once unpacked, into ${variant.target}`,
  );
  const downloads = `${variant.target}.download`;
  mkdirSync(downloads, { recursive: true });
  const there = sizeOf(downloads);
  if (there > 0) report.say(`${readable(there)} are already there from an earlier try`);
  checkSpace(downloads, { unpacked: variant.unpacked, packed: Math.max(0, total - there) });
  const pairs = [];
  let before = 0;
  for (const [i, file] of found.entries()) {
    const path = join(downloads, file.filename);
    if (!existsSync(path))
      await fetchFile({ ...file, path, onDone: (done: number) => report.progress('fetch', before + done, total) });
    before += sizes[i]!;
    pairs.push({ wheel: file.wheel, path });
  }
  report.progress('fetch', total, total);
  return pairs;
}

async function fetchAndUnpack(variant: Variant, options: InstallOptions, report: InstallReport): Promise<number> {
  const { target, unpacked, inner } = variant;
  if (options.dir !== undefined && existsSync(target) && !readMarker(target) && readdirSync(target).length > 0)
    throw new Error(`${target} contains files that are not a libtorch installation; give an empty or new folder`);
  removeLeftovers(target);
  const pairs = await obtain(variant, options, report);
  const work = temporaryBeside(target);
  try {
    if (options.from !== undefined) checkSpace(work, { unpacked, packed: 0 });
    let total = 0;
    let done = 0;
    const { bytes } = await installWheels({
      pairs,
      target,
      work,
      extra: inner ? { [join(inner, 'build-version')]: `${libtorchVersion}\n` } : {},
      onTotal: (sum: number) => {
        total = sum;
      },
      onBytes: (count: number) => {
        done += count;
        report.progress('unpack', done, total);
      },
    });
    rmSync(`${target}.download`, { recursive: true, force: true });
    return bytes;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * Makes libtorch available: uses an existing one, links a Python's, or downloads it from the package index (or unpacks
 * given wheels). Concurrent processes share one download.
 *
 * @throws {@link RecurraError} `IO`; `LIBTORCH_UNSUPPORTED_PLATFORM` if there is none for the machine;
 * `INVALID_ARGUMENT`.
 */
export async function installLibtorch(options: InstallOptions, report: InstallReport): Promise<Installed> {
  const variant = variantOf(options);
  const { target, inner, system } = variant;
  const onWait = ({ pid }: { pid: number }) => report.say(`another process (${pid}) is installing it; waiting for it`);
  const present = () => {
    const marker = readMarker(target);
    // A complete installation by set-up or an earlier run; not a link to a Python that has gone.
    return marker && existsSync(join(target, inner, 'lib', system.mainLibrary)) ? marker : undefined;
  };
  try {
    mkdirSync(dirname(target), { recursive: true });
    return await withLock(
      `${target}.lock`,
      async (): Promise<Installed> => {
        const marker = present();
        if (marker) return { folder: target, action: 'present', bytes: marker.bytes ?? 0 };
        const asked = options.fetch || options.from !== undefined || options.platform !== undefined;
        const python = asked ? undefined : pythonTorch(options.cuda === true);
        if (python) {
          report.say(`a Python on PATH has torch ${libtorchVersion} in ${python}; it is linked, not copied`);
          linkPython(python, variant);
          return { folder: target, action: 'linked', bytes: 0 };
        }
        return { folder: target, action: 'installed', bytes: await fetchAndUnpack(variant, options, report) };
      },
      { onWait },
    );
  } catch (error) {
    if (error instanceof RecurraError) throw error;
    throw new RecurraError('IO', (error as Error).message, { cause: error });
  }
}

/** An installation made by this command or by set-up. */
export interface Installation {
  /** Its folder. */
  folder: string;
  /** Which one it is. */
  variant: 'cpu' | 'cuda';
  /** Bytes on the disk. */
  bytes: number;
  /** The Python's folder that it links to; absent if it is not linked. */
  linked?: string;
}

/** What is installed in the cache folder. */
export function installations(): Installation[] {
  const list: Installation[] = [];
  for (const [variant, folder] of [
    ['cpu', cacheFolder()],
    ['cuda', cudaCacheFolder()],
  ] as const) {
    const marker = readMarker(folder);
    if (marker)
      list.push({ folder, variant, bytes: marker.bytes ?? 0, ...(marker.linked ? { linked: marker.linked } : {}) });
  }
  return list;
}

function sizeOf(path: string): number {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return stat?.size ?? 0;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}

/** Removes an installation from the cache folder, with leftovers of interrupted ones; returns the freed bytes. */
export async function removeLibtorch(cuda: boolean): Promise<number> {
  const target = cuda ? cudaCacheFolder() : cacheFolder();
  if (!existsSync(dirname(target))) return 0;
  return withLock(`${target}.lock`, async () => {
    const paths = [target, `${target}.download`].filter((path) => existsSync(path));
    const bytes = paths.reduce((sum, path) => sum + sizeOf(path), 0);
    // Renamed first, so that no process sees half of it.
    for (const path of paths) {
      const work = temporaryBeside(path);
      rmSync(work, { recursive: true });
      renameSync(path, work);
      rmSync(work, { recursive: true, force: true });
    }
    removeLeftovers(target);
    return bytes;
  });
}
