// Where libtorch is stored, and how a complete installation is marked. Plain JavaScript without dependencies, like
// everything in this folder: the set-up of a clone runs it before anything is built, and the published command runs it
// too.

import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/** The one version that tch 0.24 is made for. */
export const libtorchVersion = '2.11.0';

/** Name of the marker of a finished installation; a cache folder without it is unfinished. */
export const markerName = '.complete';

/** The user's own folder. On Windows a shell such as Git's sets HOME too, in its own notation. */
export function userFolder(env = process.env, platform = process.platform) {
  return (platform !== 'win32' && env.HOME) || homedir();
}

/** `$XDG_CACHE_HOME` or `~/.cache`, then `recurra`. Relative paths are ignored, as the XDG specification requires. */
export function cacheRoot(env = process.env) {
  const given = env.XDG_CACHE_HOME;
  const base = given && isAbsolute(given) ? given : join(userFolder(env), '.cache');
  return join(base, 'recurra');
}

/** The folder that set-up installs libtorch into. */
export function cacheFolder(env = process.env) {
  return join(cacheRoot(env), `libtorch-${libtorchVersion}`);
}

/** The folder of the CUDA variant; its libraries are in torch/lib and nvidia, as their search paths expect. */
export function cudaCacheFolder(env = process.env) {
  return `${cacheFolder(env)}-cuda`;
}

/** The content of a completion marker, or undefined when it is missing or not one. */
export function readMarker(folder) {
  try {
    const marker = JSON.parse(readFileSync(join(folder, markerName), 'utf8'));
    return typeof marker?.version === 'string' ? marker : undefined;
  } catch {
    return undefined;
  }
}
