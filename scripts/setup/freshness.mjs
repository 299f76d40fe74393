// Whether what was built is current: the sha256 of everything it is made from, stored with the result's own.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

/** Every plain file below `path` (or itself), sorted, as absolute paths; build output and hidden files left out. */
export function filesBelow(path) {
  if (!existsSync(path)) return [];
  const found = [];
  const visit = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.name.startsWith('.') || entry.name === 'target' || entry.name === 'node_modules') continue;
      const child = join(folder, entry.name);
      if (entry.isDirectory()) visit(child);
      else if (entry.isFile()) found.push(child);
    }
  };
  try {
    visit(path);
  } catch (error) {
    if (error.code !== 'ENOTDIR') throw error;
    return [path];
  }
  return found.sort();
}

/** One sum over the names and contents of all files below `paths` (relative to `top`), and over `extra`. */
export function hashOf(top, paths, extra = []) {
  const hash = createHash('sha256');
  for (const path of paths) {
    for (const file of filesBelow(join(top, path))) {
      const content = readFileSync(file);
      hash.update(`${relative(top, file).split(sep).join('/')}\0${content.length}\0`).update(content);
    }
  }
  for (const text of extra) hash.update(`\0${text}`);
  return hash.digest('hex');
}

/** Where set-up keeps its stamps and its lock; below target/, so that clearing that rebuilds everything. */
export function stateFolder(top) {
  return join(top, 'target', 'setup');
}

/** The stamp written after a build; undefined when there is none. */
export function readStamp(top, name) {
  try {
    return JSON.parse(readFileSync(join(stateFolder(top), `${name}.json`), 'utf8'));
  } catch {
    return undefined;
  }
}

export function writeStamp(top, name, stamp) {
  const path = join(stateFolder(top), `${name}.json`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(stamp)}\n`);
}

/**
 * True when the stamp says that `results` (paths relative to `top`) were made from `inputs` and are unchanged since.
 * `extra` are results that are parts of files, as texts.
 */
export function isCurrent(top, name, inputs, results, extra = []) {
  const stamp = readStamp(top, name);
  if (stamp?.inputs !== inputs || !results.every((path) => existsSync(join(top, path)))) return false;
  return stamp.results === hashOf(top, results, extra);
}

/** Records that `results` and `extra` were made from `inputs`. */
export function stampCurrent(top, name, inputs, results, extra = []) {
  writeStamp(top, name, { inputs, results: hashOf(top, results, extra) });
}
