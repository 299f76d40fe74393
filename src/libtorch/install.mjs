// Puts libtorch into its folder: unpacked next to it under a temporary name, synced, marked complete, renamed. Other
// processes, even after a crash, see either a complete installation or none.

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
import { wheelPrefix } from './contents.mjs';
import { libtorchVersion, markerName } from './places.mjs';
import { openWheels, unpackWheel } from './unpack.mjs';

function syncPath(path, flags = 'r+') {
  const file = openSync(path, flags);
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Windows cannot open folders, and writes names at once. */
function syncFolder(path) {
  if (process.platform !== 'win32') syncPath(path, 'r');
}

const temporaryPrefix = (target) => `${basename(target)}.tmp-`;

/** Removes leftovers of interrupted installations next to `target`. Call only while holding the lock. */
export function removeLeftovers(target) {
  const parent = dirname(target);
  if (!existsSync(parent)) return 0;
  const names = readdirSync(parent).filter((name) => name.startsWith(temporaryPrefix(target)));
  for (const name of names) rmSync(join(parent, name), { recursive: true, force: true });
  return names.length;
}

/** A new folder next to `target` for unfinished work. */
export function temporaryBeside(target) {
  const folder = join(dirname(target), `${temporaryPrefix(target)}${process.pid}-${Date.now().toString(36)}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/**
 * Throws an Error if the disk of `folder` has too little space for the unpacked files and the wheels, both in bytes;
 * `packed` is 0 if the wheels already exist.
 */
export function checkSpace(folder, { available = undefined, unpacked, packed }) {
  const needed = unpacked + packed + 50e6;
  const { bavail, bsize } = statfsSync(folder);
  const free = available ?? bavail * bsize;
  if (free >= needed) return;
  throw new Error(
    `${folder} is on a disk with ${Math.round(free / 1e6)} MB free; ${Math.round(needed / 1e6)} MB are needed. ` +
      'Make room, or set XDG_CACHE_HOME to a folder on another disk.',
  );
}

/** The wheels of `wanted` for `system` that are in `folder`, as `{ wheel, path }`, and the missing ones. */
export function wheelsIn(folder, wanted, system) {
  const names = readdirSync(folder).filter((name) => system.wheelName.test(name));
  const found = [];
  const missing = [];
  for (const wheel of wanted) {
    const name = names.find((file) => file.startsWith(wheelPrefix(wheel)));
    if (name) found.push({ wheel, path: join(folder, name) });
    else missing.push(wheel);
  }
  return { found, missing };
}

/**
 * The wheels for an installation from a file: the given torch wheel, and the others of `wanted` for `system` in the
 * same folder. `option` is the option that the user set, for messages. Throws an Error that names the missing file and
 * where it was searched.
 */
export function wheelsBeside(file, option, wanted, system) {
  const path = resolve(file);
  if (!existsSync(path) || !statSync(path).isFile()) throw new Error(`${option} is ${file}; no such file`);
  const torch = wanted.find(({ project }) => project === 'torch');
  if (!basename(path).startsWith(wheelPrefix(torch)))
    throw new Error(
      `${option} is ${file}; a wheel of torch ${libtorchVersion} is needed, ` +
        `with a name that starts with ${wheelPrefix(torch)}`,
    );
  if (!system.wheelName.test(basename(path)))
    throw new Error(
      `${option} is ${file}; it is for another system; the wheel for ${system.title} is needed: ` +
        `its name ends with ${system.pipPlatforms.at(-1)}.whl`,
    );
  const { found, missing } = wheelsIn(dirname(path), wanted, system);
  const absent = missing.filter((wheel) => wheel !== torch);
  if (absent.length > 0) {
    const names = absent.map((wheel) => `${wheelPrefix(wheel)}*.whl`).join(' and ');
    throw new Error(
      `${option}: ${names} must be next to ${basename(path)} (torch's libraries link to them); looked in ${dirname(path)}`,
    );
  }
  return found.map((pair) => (pair.wheel === torch ? { wheel: torch, path } : pair));
}

/**
 * Unpacks the wheels (`{ wheel, path }` each) and puts them at `target`. `work` is a temporary folder next to it (see
 * temporaryBeside), `extra` are small files to add, by name. `onTotal(bytes)` is called once with the work to do,
 * `onBytes(count)` as it is done.
 */
export async function installWheels({
  pairs,
  target,
  work,
  extra = {},
  onTotal = (_bytes) => {},
  onBytes = (_count) => {},
}) {
  const stage = join(work, 'stage');
  const opened = await openWheels(pairs);
  const sizes = {};
  try {
    onTotal(opened.reduce((sum, { bytes }) => sum + bytes, 0));
    for (const wheel of opened) Object.assign(sizes, await unpackWheel(wheel, stage, onBytes));
  } finally {
    for (const { zip } of opened) zip.close();
  }
  for (const [name, content] of Object.entries(extra)) writeFileSync(join(stage, name), content);
  const names = Object.keys(sizes).sort();
  const shared = /(^|\/)lib\/[^/]+\.(so|dylib|dll)(\.\d+)*$/;
  const libraries = Object.fromEntries(names.filter((name) => shared.test(name)).map((name) => [name, sizes[name]]));
  const marker = {
    version: libtorchVersion,
    wheels: pairs.map(({ wheel }) => `${wheel.project}==${wheel.version}`),
    files: names.length,
    bytes: names.reduce((sum, name) => sum + sizes[name], 0),
    libraries,
  };
  finish(stage, target, work, marker);
  return marker;
}

/** Marks `stage` as complete, syncs it and renames it to `target`; existing content is moved to `work`. */
export function finish(stage, target, work, marker) {
  const markerPath = join(stage, markerName);
  writeFileSync(markerPath, `${JSON.stringify(marker, null, 2)}\n`);
  syncPath(markerPath);
  if (existsSync(join(stage, 'lib'))) syncFolder(join(stage, 'lib'));
  syncFolder(stage);
  // The target contains a refused installation. Only a process that started before it broke can be using it, and that
  // one keeps its open files.
  if (existsSync(target)) renameSync(target, join(work, 'replaced'));
  renameSync(stage, target);
  syncFolder(dirname(target));
}
