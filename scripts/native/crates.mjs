// The workspace's crates and what each stands on, read from the manifests: which crates, and which files, each half has.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addons, root } from './addons.mjs';

/** Crates from the registry that bind libtorch; whatever reaches one of them belongs to the torch half. */
const bindLibtorch = ['tch', 'torch-sys'];

/** The keys of a manifest's tables `[...dependencies]`, those of one target too; without `[dev-dependencies]`. */
function dependenciesIn(manifest) {
  const found = new Set();
  let inside = false;
  for (const line of manifest.split('\n')) {
    const table = /^\[(.+)\]$/.exec(line.trim())?.[1];
    if (table !== undefined) {
      // Also `[dependencies.NAME]`, which is one dependency written as a separate table.
      const match = /(?:^|\.)(?:build-)?dependencies(?:\.([\w-]+))?$/.exec(table);
      inside = match !== null && match[1] === undefined;
      if (match?.[1]) found.add(match[1]);
      continue;
    }
    const name = inside && /^([\w-]+)\s*[.=]/.exec(line)?.[1];
    if (name) found.add(name);
  }
  return [...found];
}

/** Every crate of the workspace: `{ name, folder, dependencies, needsLibtorch }`; `folder` is relative to `top`. */
export function workspaceCrates(top = root) {
  const members = /^members\s*=\s*\[([^\]]*)\]/m.exec(readFileSync(join(top, 'Cargo.toml'), 'utf8'))?.[1] ?? '';
  const crates = [...members.matchAll(/"([^"]+)"/g)].map(([, folder]) => {
    const manifest = readFileSync(join(top, folder, 'Cargo.toml'), 'utf8');
    return { name: /^name\s*=\s*"([^"]+)"/m.exec(manifest)?.[1], folder, dependencies: dependenciesIn(manifest) };
  });
  return crates.map((crate) => ({
    ...crate,
    needsLibtorch: [...reached(crates, crate.name)].some((name) => bindLibtorch.includes(name)),
  }));
}

/** The names of a crate and of everything it stands on. */
function reached(crates, name, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const next of crates.find((crate) => crate.name === name)?.dependencies ?? []) reached(crates, next, seen);
  return seen;
}

/** Names of the crates that the halves chosen have: those without libtorch, with it also the others. */
export function cratesOf(halves, top = root) {
  return workspaceCrates(top)
    .filter(({ needsLibtorch }) => halves.includes(needsLibtorch ? 'torch' : 'light'))
    .map(({ name }) => name);
}

/** Everything that an addon is made from, as paths relative to `top`. */
export function addonInputs(addon, top = root) {
  const crates = workspaceCrates(top);
  const names = reached(crates, addon.crate);
  const folders = crates.filter(({ name }) => names.has(name)).map(({ folder }) => folder);
  return ['Cargo.toml', 'Cargo.lock', 'scripts/native', ...folders];
}

/** `['light']` for `--light`, else both: what a command line asks for. */
export function halvesOf({ light = false } = {}) {
  return addons.map(({ name }) => name).filter((name) => !light || name === 'light');
}
