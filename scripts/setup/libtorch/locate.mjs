// Where libtorch is looked for, in the order that the addon uses at run time, and why a place is refused.
// Pure but for reading files and asking a Python where its torch is.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { cacheFolder, libtorchVersion, readMarker } from '../../../src/libtorch/places.mjs';
import { systemOf } from '../../../src/libtorch/systems.mjs';

export { cacheFolder, libtorchVersion } from '../../../src/libtorch/places.mjs';

const mainLibrary = systemOf()?.mainLibrary ?? 'libtorch_cpu.so';

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The version a libtorch folder says it has (without `+cu130` and the like), or undefined when it does not say. */
export function versionOf(folder) {
  const plain = readIfThere(join(folder, 'build-version'));
  if (plain) return plain.trim().split('+')[0];
  const python = readIfThere(join(folder, 'version.py'));
  const fromPython = python && /__version__\s*=\s*['"]([^'"+]+)/.exec(python);
  if (fromPython) return fromPython[1];
  const header = readIfThere(join(folder, 'include', 'torch', 'headeronly', 'version.h')) ?? '';
  const parts = ['MAJOR', 'MINOR', 'PATCH'].map(
    (part) => new RegExp(`#define\\s+TORCH_VERSION_${part}\\s+(\\d+)`).exec(header)?.[1],
  );
  if (!parts.includes(undefined)) return parts.join('.');
  return undefined;
}

/** Why a folder cannot be built against, as a sentence; undefined when it can. */
export function refusal(folder) {
  if (!existsSync(folder)) return 'the folder does not exist';
  if (!existsSync(join(folder, 'lib', mainLibrary))) {
    return existsSync(join(folder, mainLibrary))
      ? `it is a lib folder; give the one above it (${resolve(folder, '..')})`
      : `there is no lib/${mainLibrary} in it`;
  }
  if (!existsSync(join(folder, 'include', 'torch'))) {
    return 'there is no include/torch in it, which is needed to build';
  }
  const version = versionOf(folder);
  if (version === undefined) return `its version cannot be read; ${libtorchVersion} is needed`;
  if (version !== libtorchVersion) return `its version is ${version}; ${libtorchVersion} is needed`;
  return undefined;
}

/** As refusal, for a folder that set-up itself fills: it must carry its marker, and the files named there in full. */
export function cacheRefusal(folder) {
  if (!existsSync(folder)) return 'not installed yet';
  const marker = readMarker(folder);
  if (!marker) return 'an interrupted installation (no completion marker)';
  if (marker.version !== libtorchVersion) return `its version is ${marker.version}; ${libtorchVersion} is needed`;
  for (const [name, size] of Object.entries(marker.libraries ?? {})) {
    const path = join(folder, name);
    const actual = existsSync(path) ? statSync(path).size : undefined;
    if (actual !== size) return `${name} is ${actual === undefined ? 'missing' : `${actual} bytes, not ${size}`}`;
  }
  return refusal(folder);
}

/** The folder of the torch package that `python3` imports, without importing it. */
function pythonTorch(env) {
  const command = env.VIRTUAL_ENV ? 'python' : 'python3';
  const script =
    'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s else "")';
  const { status, stdout } = spawnSync(command, ['-c', script], { env, encoding: 'utf8' });
  const folder = status === 0 ? stdout.trim() : '';
  return { command, folder };
}

/**
 * Looks in every place in order. Returns `{ path, source }` of the first that fits, and in `refused` those before it,
 * each `{ source, path, reason }`.
 */
export function locateLibtorch(env = process.env) {
  const refused = [];
  for (const source of ['RECURRA_LIBTORCH', 'LIBTORCH']) {
    if (!env[source]) continue;
    const path = resolve(env[source]);
    const reason = refusal(path);
    if (reason === undefined) return { path, source, refused };
    refused.push({ source, path, reason });
  }
  const cache = cacheFolder(env);
  const reason = cacheRefusal(cache);
  if (reason === undefined) return { path: cache, source: 'cache folder', refused };
  refused.push({ source: 'cache folder', path: cache, reason });
  if (env.LIBTORCH_USE_PYTORCH === '1') {
    const source = 'LIBTORCH_USE_PYTORCH';
    const { command, folder } = pythonTorch(env);
    const why = folder ? refusal(folder) : `${command} has no package torch`;
    if (why === undefined) return { path: folder, source, refused };
    refused.push({ source, path: folder || command, reason: why });
  }
  return { path: undefined, source: undefined, refused };
}

/** The places looked at and why each was refused, a line each. */
export function refusedLines(refused) {
  return refused.map(({ source, path, reason }) => `  ${source}: ${path}: ${reason}`);
}

/** As locateLibtorch, but throws an Error that lists every place and the command that fixes it. */
export function requireLibtorch(env = process.env) {
  const found = locateLibtorch(env);
  if (found.path !== undefined) return found;
  throw new Error(
    [`libtorch ${libtorchVersion} was not found:`, ...refusedLines(found.refused), 'Run: node scripts/setup.mjs'].join(
      '\n',
    ),
  );
}
