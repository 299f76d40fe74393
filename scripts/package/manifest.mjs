// The package.json files that are published: the main one from the repository's own, those of npm/ with its version.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { browserFiles } from './browser.mjs';

const kept = [
  'name',
  'version',
  'description',
  'keywords',
  'license',
  'author',
  'repository',
  'homepage',
  'bugs',
  'engines',
];

/** What can be imported besides the package itself. */
const subpaths = ['torch', 'lesson', 'serve'];

/** The files of one entry, for `import` and for `require`; those for browsers only throw, with what to use instead. */
function conditions(entry) {
  const inNode = {
    import: { types: `./dist/${entry}.d.ts`, default: `./dist/${entry}.js` },
    require: { types: `./dist/${entry}.d.cts`, default: `./dist/${entry}.cjs` },
  };
  const { module, commonJs } = browserFiles(entry);
  const inBrowser = {
    import: { types: `./dist/${entry}.d.ts`, default: `./dist/${module}` },
    require: { types: `./dist/${entry}.d.cts`, default: `./dist/${commonJs}` },
  };
  // A window of Electron with access to Node.js is both.
  return { node: inNode, browser: inBrowser, ...inNode };
}

export function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/**
 * The manifest of `recurra`. `addonPackages` are the names of the prebuilt addons' packages; a package manager installs the
 * one whose os, cpu and libc fit. The libraries of libtorch are a peer that may be absent: their package is too large
 * to come along unasked. `guides` are the paths of README.md, the guides and what they link to.
 */
export function mainManifest(root, addonPackages, libtorch, guides) {
  const { version, dependencies } = root;
  return {
    ...Object.fromEntries(kept.filter((field) => field in root).map((field) => [field, root[field]])),
    type: 'module',
    sideEffects: false,
    main: './dist/index.cjs',
    types: './dist/index.d.ts',
    bin: { recurra: 'dist/cli.cjs' },
    exports: {
      '.': conditions('index'),
      ...Object.fromEntries(subpaths.map((name) => [`./${name}`, conditions(name)])),
      './package.json': './package.json',
    },
    // For TypeScript's oldest way of resolving, which does not read `exports`.
    typesVersions: { '*': Object.fromEntries(subpaths.map((name) => [name, [`./dist/${name}.d.ts`]])) },
    files: [...new Set(['dist', 'web', 'LICENSE-MIT', 'LICENSE-APACHE', ...guides.map((path) => path.split('/')[0])])],
    dependencies,
    optionalDependencies: Object.fromEntries(addonPackages.map((name) => [name, version])),
    peerDependencies: { [libtorch.name]: `~${libtorch.version}` },
    peerDependenciesMeta: { [libtorch.name]: { optional: true } },
  };
}

/** The manifest of a package of npm/; the addons' packages are released together with the main one, libtorch's is not. */
export function platformManifest(root, own) {
  const fromRoot = Object.fromEntries(
    ['author', 'repository', 'homepage', 'bugs'].filter((f) => f in root).map((f) => [f, root[f]]),
  );
  const { name, ...rest } = own;
  return { name, version: root.version, ...fromRoot, ...rest };
}
