import { accessSync, constants, existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { type ErrorCode, LibtorchError, RecurraError } from '../core/errors.js';
import { cacheFolder, cudaCacheFolder, libtorchVersion } from '../libtorch/places.mjs';
import { platformProblem, thisPlatform } from '../libtorch/platform.mjs';
import { systemName, systemOf } from '../libtorch/systems.mjs';
import { light } from './light.js';
import { isMusl } from './platform.js';

/** The only version of libtorch that the torch addon is built for. */
export const LIBTORCH_VERSION = libtorchVersion;

/** A place searched for libtorch. */
export interface LibtorchPlace {
  /** What determined the place: an environment variable, the package, the cache folder. */
  source: string;
  /** The folder that contains, or should contain, `libtorch_cpu.so`. */
  folder: string;
  /** Why it was refused; absent if it was taken. */
  refused?: string;
}

/** The libtorch that was found. */
export interface LocatedLibtorch {
  /** What determined the place. */
  source: string;
  /** Folder that contains the libraries. */
  folder: string;
  /** Absolute path of `libtorch_cpu.so`. */
  library: string;
  /** Version stated in the folder, or `undefined` if none. */
  version: string | undefined;
  /** Every place searched before, and why it was refused. */
  refused: LibtorchPlace[];
}

const LIBRARY = systemOf()?.mainLibrary ?? 'libtorch_cpu.so';
const REMEDY =
  'Run: npx recurra libtorch install   (it says the size first; in a clone: npm run setup)\n' +
  `Or point RECURRA_LIBTORCH at a folder with libtorch ${LIBTORCH_VERSION} (with lib/${LIBRARY})`;

class Refusal extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
  ) {
    super(message);
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** The version that a libtorch folder states, without opening the library: set-up marker, `build-version`, Python's `version.py`. */
function statedVersion(root: string): string | undefined {
  const marker = readText(join(root, '.complete'));
  if (marker !== undefined) {
    try {
      const version = (JSON.parse(marker) as { version?: unknown }).version;
      if (typeof version === 'string') return version;
    } catch {
      // A marker that is not JSON states nothing; the library itself is asked after opening.
    }
  }
  const text =
    readText(join(root, 'build-version')) ??
    /__version__\s*=\s*['"]([^'"]+)/.exec(readText(join(root, 'version.py')) ?? '')?.[1];
  return text?.trim();
}

function inspect(root: string): { folder: string; library: string; version: string | undefined } {
  const absolute = resolve(root);
  const folder = existsSync(join(absolute, 'lib', LIBRARY)) ? join(absolute, 'lib') : absolute;
  const library = join(folder, LIBRARY);
  if (!existsSync(absolute)) throw new Refusal('LIBTORCH_NOT_FOUND', 'no such folder');
  if (!existsSync(library)) throw new Refusal('LIBTORCH_NOT_FOUND', `has no lib/${LIBRARY}`);
  try {
    accessSync(library, constants.R_OK);
    if (!statSync(library).isFile()) throw new Error('not a file');
  } catch (error) {
    throw new Refusal('LIBTORCH_UNREADABLE', `${LIBRARY} cannot be read: ${(error as Error).message}`);
  }
  const version = statedVersion(folder === absolute ? dirname(absolute) : absolute) ?? statedVersion(absolute);
  if (version !== undefined && version.replace(/\+.*$/, '') !== LIBTORCH_VERSION) {
    throw new Refusal('LIBTORCH_WRONG_VERSION', `is version ${version}, but ${LIBTORCH_VERSION} is needed`);
  }
  return { folder, library: realpathSync(library), version };
}

function pythonTorch(): string {
  // Loaded only here: few users need a Python's torch, but all would pay for it at startup.
  const { spawnSync } = createRequire(import.meta.url)('node:child_process') as typeof import('node:child_process');
  for (const python of ['python3', 'python']) {
    const run = spawnSync(
      python,
      [
        '-c',
        'import importlib.util as u; s = u.find_spec("torch"); print(s.submodule_search_locations[0] if s else "")',
      ],
      {
        encoding: 'utf8',
        timeout: 20_000,
      },
    );
    const folder = run.stdout?.trim();
    if (run.status === 0 && folder) return folder;
  }
  throw new Refusal('LIBTORCH_NOT_FOUND', 'no Python on PATH has torch installed');
}

/** The npm package with the CPU libraries of libtorch for this machine. */
export function libtorchPackage(): string {
  return `recurra-libtorch-${systemName()}`;
}

function packagedLibtorch(): string {
  const name = libtorchPackage();
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch {
    throw new Refusal('LIBTORCH_NOT_FOUND', `the npm package ${name} is not installed`);
  }
}

interface Candidate {
  source: string;
  root: () => string;
  /** Folder with the marker; without one, the installation was interrupted. */
  marked?: string;
}

function candidates(env: NodeJS.ProcessEnv): Candidate[] {
  const list: Candidate[] = [];
  for (const name of ['RECURRA_LIBTORCH', 'LIBTORCH']) {
    const folder = env[name];
    if (folder) list.push({ source: name, root: () => folder });
  }
  const cache = cacheFolder(env);
  const cuda = cudaCacheFolder(env);
  // An installed CUDA variant is preferred; otherwise it is not mentioned.
  if (existsSync(cuda)) list.push({ source: 'cache folder (CUDA)', root: () => join(cuda, 'torch'), marked: cuda });
  list.push({ source: 'npm package', root: packagedLibtorch });
  list.push({ source: 'cache folder', root: () => cache, marked: cache });
  if (env.LIBTORCH_USE_PYTORCH === '1') list.push({ source: 'LIBTORCH_USE_PYTORCH', root: pythonTorch });
  return list;
}

function failure(code: ErrorCode, headline: string, places: LibtorchPlace[]): LibtorchError {
  const list = places
    .map((place) => `  ${place.source}${place.folder ? ` (${place.folder})` : ''}: ${place.refused}`)
    .join('\n');
  return new LibtorchError(code, `${headline}${list ? ` Looked at:\n${list}` : ''}\n${REMEDY}`);
}

/**
 * Finds libtorch without opening it: `RECURRA_LIBTORCH`, `LIBTORCH`, the npm package with the CPU libraries, the cache
 * folder, and a Python's torch when `LIBTORCH_USE_PYTORCH=1`, in this order.
 *
 * @throws {@link LibtorchError} listing each place, why it was refused, and the command that fixes it.
 */
export function locateLibtorch(env: NodeJS.ProcessEnv = process.env, musl = isMusl()): LocatedLibtorch {
  if (musl) {
    throw new LibtorchError(
      'LIBTORCH_UNSUPPORTED_PLATFORM',
      'This system uses the musl C library, for which there is no libtorch. Use an image with glibc 2.28 or newer, such as node:22-slim instead of node:22-alpine.',
    );
  }
  const refused: LibtorchPlace[] = [];
  const codes: ErrorCode[] = [];
  for (const { source, root, marked } of candidates(env)) {
    let folder = '';
    try {
      folder = root();
      if (marked && existsSync(folder) && !existsSync(join(marked, '.complete'))) {
        throw new Refusal('LIBTORCH_NOT_FOUND', 'its set-up was interrupted (no completion marker)');
      }
      return { source, ...inspect(folder), refused };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refused.push({ source, folder, refused: error.message });
      codes.push(error.code);
    }
  }
  const none = systemOf() ? undefined : platformProblem(thisPlatform());
  if (none && codes.every((found) => found === 'LIBTORCH_NOT_FOUND'))
    throw new LibtorchError('LIBTORCH_UNSUPPORTED_PLATFORM', none);
  // An unusable libtorch tells the user more than places without one.
  const code = codes.find((found) => found !== 'LIBTORCH_NOT_FOUND') ?? 'LIBTORCH_NOT_FOUND';
  throw failure(code, `libtorch ${LIBTORCH_VERSION} was not found.`, refused);
}

/**
 * Opens a libtorch that was located, for the whole process.
 *
 * @throws {@link LibtorchError} if it cannot be opened or reports another version.
 */
export function openLocated(located: LocatedLibtorch): string {
  let version: string | null;
  try {
    version = light().openLibtorch(located.library) ?? null;
  } catch (error) {
    if (!(error instanceof RecurraError)) throw error;
    throw failure('LIBTORCH_UNREADABLE', 'libtorch could not be opened.', [
      ...located.refused,
      { source: located.source, folder: located.folder, refused: error.message },
    ]);
  }
  if (version === null || version !== LIBTORCH_VERSION) {
    throw failure('LIBTORCH_WRONG_VERSION', 'libtorch has the wrong version.', [
      ...located.refused,
      {
        source: located.source,
        folder: located.folder,
        refused: `reports version ${version ?? 'unknown'}, but ${LIBTORCH_VERSION} is needed`,
      },
    ]);
  }
  return version;
}
