// Finds wheels in the Python package index that pip would use, without pip: the simple API, as JSON (PEP 691) or as
// HTML (PEP 503).

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { wheelPrefix } from './contents.mjs';
import { getText, HttpError, shown } from './http.mjs';
import { userFolder } from './places.mjs';

const accept = 'application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1';

/** pip's configuration files on a platform, as documented, each one before those that override it. */
export function configurationFiles(env, platform = process.platform) {
  const home = userFolder(env, platform);
  const files = [];
  if (platform === 'win32') {
    files.push(join(env.ProgramData || 'C:\\ProgramData', 'pip', 'pip.ini'), join(home, 'pip', 'pip.ini'));
    files.push(join(env.APPDATA || join(home, 'AppData', 'Roaming'), 'pip', 'pip.ini'));
  } else {
    const apple = ['Library', 'Application Support', 'pip', 'pip.conf'];
    files.push(platform === 'darwin' ? join('/', ...apple) : '/etc/pip.conf', join(home, '.pip', 'pip.conf'));
    files.push(join(env.XDG_CONFIG_HOME || join(home, '.config'), 'pip', 'pip.conf'));
    if (platform === 'darwin') files.push(join(home, ...apple));
  }
  if (env.VIRTUAL_ENV) files.push(join(env.VIRTUAL_ENV, platform === 'win32' ? 'pip.ini' : 'pip.conf'));
  return files;
}

/** A value of pip's configuration files, [global] or [download]; the last file that has it wins, as with pip. */
function configured(name, env) {
  const files = configurationFiles(env);
  if (env.PIP_CONFIG_FILE) files.push(env.PIP_CONFIG_FILE);
  let found;
  for (const file of files) {
    let text;
    try {
      text = readFileSync(file, 'utf8');
    } catch {
      continue;
    }
    let section = '';
    for (const line of text.split(/\r?\n/)) {
      section = /^\s*\[([^\]]*)\]/.exec(line)?.[1].trim() ?? section;
      const [, key, value] = /^([\w-]+)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
      if (key?.replaceAll('_', '-') === name && ['global', 'download'].includes(section) && value) found = value;
    }
  }
  return found;
}

/** The index: PIP_INDEX_URL, or that of pip's configuration; undefined if neither is set. */
export function indexUrl(env = process.env) {
  return (env.PIP_INDEX_URL || configured('index-url', env))?.replace(/\/+$/, '');
}

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x27': "'" };
const plainText = (text) => text.replace(/&(amp|lt|gt|quot|#39|#x27);/g, (_, name) => entities[name]);

/** `{ filename, url, sha256, size }` of each file that the index lists for a project; `size` may be undefined. */
export function parseIndex(text, type, base) {
  if (/json/.test(type)) {
    const { files } = JSON.parse(text);
    return files.map(({ filename, url, hashes, size, yanked }) => ({
      filename,
      url: new URL(url, base).href,
      sha256: hashes?.sha256,
      size,
      yanked: Boolean(yanked),
    }));
  }
  return [...text.matchAll(/<a\s([^>]*)>([^<]*)<\/a>/gi)].map(([, attributes, name]) => {
    const url = new URL(plainText(/href\s*=\s*["']([^"']*)/i.exec(attributes)?.[1] ?? ''), base);
    const sha256 = /sha256=([0-9a-f]{64})/.exec(url.hash)?.[1];
    url.hash = '';
    return {
      filename: plainText(name.trim()),
      url: url.href,
      sha256,
      size: undefined,
      yanked: /data-yanked/.test(attributes),
    };
  });
}

/** The libraries do not depend on Python's version; always use torch's wheel for 3.11. */
const fits = (wheel, system, filename) =>
  filename.startsWith(wheelPrefix(wheel)) &&
  system.wheelName.test(filename) &&
  (wheel.project !== 'torch' || filename.includes('-cp311-cp311-'));

/**
 * Finds a wheel for a system in an index: `{ wheel, filename, url, sha256, size }`. Throws an Error that names the
 * index if it does not have it.
 */
export async function findWheel(wheel, system, index, env = process.env) {
  const name = `${wheel.project} ${wheel.version}`;
  let answer;
  try {
    answer = await getText(`${index}/${wheel.project}/`, { headers: { accept }, env });
  } catch (error) {
    if (error instanceof HttpError && error.status === 404)
      throw new Error(`the package index ${shown(index)} has no ${wheel.project}`, { cause: error });
    throw error;
  }
  const file = parseIndex(answer.text, answer.type, answer.url).find(({ filename }) => fits(wheel, system, filename));
  if (!file) throw new Error(`the package index ${shown(index)} has no wheel of ${name} for ${system.title}`);
  if (!file.sha256) throw new Error(`the package index ${shown(index)} gives no sha256 for ${file.filename}`);
  return { wheel, ...file };
}
