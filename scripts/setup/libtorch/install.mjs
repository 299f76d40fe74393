// Puts libtorch into its folder: unpacked beside it under a temporary name, synced, marked complete, renamed. Whoever
// looks meanwhile, or after a crash, sees either no finished installation or a whole one.

import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { packedBytes, unpackedBytes, wheelPrefix, wheels } from './contents.mjs';
import { wheelsIn } from './download.mjs';
import { libtorchVersion, markerName } from './locate.mjs';
import { openWheels, unpackWheel } from './unpack.mjs';

function syncPath(path) {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

const temporaryPrefix = (target) => `${basename(target)}.tmp-`;

/** Removes what interrupted installations left beside `target`. Only while holding the lock. */
export function removeLeftovers(target) {
  const parent = dirname(target);
  if (!existsSync(parent)) return 0;
  const names = readdirSync(parent).filter((name) => name.startsWith(temporaryPrefix(target)));
  for (const name of names) rmSync(join(parent, name), { recursive: true, force: true });
  return names.length;
}

/** A new folder beside `target` for what is not finished. */
export function temporaryBeside(target) {
  const folder = join(dirname(target), `${temporaryPrefix(target)}${process.pid}-${Date.now().toString(36)}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Throws an Error when the disk of `folder` has too little space; `downloading` adds the wheels to what is needed. */
export function checkSpace(folder, { downloading, available = undefined }) {
  const needed = unpackedBytes + (downloading ? packedBytes : 0) + 50e6;
  const { bavail, bsize } = statfsSync(folder);
  const free = available ?? bavail * bsize;
  if (free >= needed) return;
  throw new Error(
    `${folder} is on a disk with ${Math.round(free / 1e6)} MB free; ${Math.round(needed / 1e6)} MB are needed. ` +
      'Make room, or set XDG_CACHE_HOME to a folder on another disk.',
  );
}

/**
 * The wheels for an installation from a file: the torch wheel given, and the two of NVIDIA beside it. Throws an Error
 * that says which file is missing and where it was looked for.
 */
export function wheelsBeside(file) {
  const path = resolve(file);
  if (!existsSync(path) || !statSync(path).isFile())
    throw new Error(`RECURRA_TORCH_WHEEL is ${file}; there is no such file`);
  const [torch] = wheels;
  if (!basename(path).startsWith(wheelPrefix(torch)))
    throw new Error(
      `RECURRA_TORCH_WHEEL is ${file}; a wheel of torch ${libtorchVersion} is needed, ` +
        `with a name that begins with ${wheelPrefix(torch)}`,
    );
  const { found, missing } = wheelsIn(dirname(path));
  const absent = missing.filter((wheel) => wheel !== torch);
  if (absent.length > 0) {
    const names = absent.map((wheel) => `${wheelPrefix(wheel)}*.whl`).join(' and ');
    throw new Error(
      `RECURRA_TORCH_WHEEL: beside ${basename(path)} must lie ${names} (libtorch_cpu.so links them); ` +
        `looked in ${dirname(path)}`,
    );
  }
  return found.map((pair) => (pair.wheel === torch ? { wheel: torch, path } : pair));
}

/**
 * Unpacks the wheels (`{ wheel, path }` each) and puts them at `target`. `work` is a temporary folder beside it (see
 * temporaryBeside). `onTotal(bytes)` is called once with the work to do, `onBytes(count)` as it is done.
 */
export async function installWheels({ pairs, target, work, onTotal = () => {}, onBytes = () => {} }) {
  const stage = join(work, 'stage');
  const opened = await openWheels(pairs);
  const sizes = {};
  try {
    onTotal(opened.reduce((sum, { bytes }) => sum + bytes, 0));
    for (const wheel of opened) Object.assign(sizes, await unpackWheel(wheel, stage, onBytes));
  } finally {
    for (const { zip } of opened) zip.close();
  }
  const names = Object.keys(sizes).sort();
  const libraries = Object.fromEntries(names.filter((name) => name.startsWith('lib/')).map((n) => [n, sizes[n]]));
  const marker = {
    version: libtorchVersion,
    wheels: pairs.map(({ wheel }) => `${wheel.project}==${wheel.version}`),
    files: names.length,
    bytes: names.reduce((sum, name) => sum + sizes[name], 0),
    libraries,
  };
  const markerPath = join(stage, markerName);
  writeFileSync(markerPath, `${JSON.stringify(marker, null, 2)}\n`);
  syncPath(markerPath);
  syncPath(join(stage, 'lib'));
  syncPath(stage);
  // What lies at the target is an installation that was refused; nobody can be using it but a process that began
  // before it broke, and that one keeps its open files.
  if (existsSync(target)) renameSync(target, join(work, 'replaced'));
  renameSync(stage, target);
  syncPath(dirname(target));
  return marker;
}
