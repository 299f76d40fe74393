// The published JavaScript, made from the build in dist: one CommonJS implementation, which the ESM entry re-exports, so
// that a process that imports and requires the package has one set of classes, one state and one copy of the addons.
// Few files also start faster than many: Node resolves and reads each one.

import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { root } from '../native/addons.mjs';
import { browserCommonJs, browserFiles, browserModule } from './browser.mjs';
import { traced } from './traced.mjs';

/** What can be imported: `recurra`, and `recurra/torch` and so on. */
export const entryNames = ['index', 'torch', 'lesson', 'serve'];

/** The folder of `dist` that an entry is made from. */
const entryFolder = (dist, entry) => (entry === 'index' ? dist : join(dist, entry));

const entries = (dist, ending) =>
  Object.fromEntries(entryNames.map((name) => [name, join(entryFolder(dist, name), `index.${ending}`)]));

const outside = (id) => !/^[./]/.test(id);

/** The manifest of the package that a file belongs to. */
function manifestOf(file) {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, 'package.json');
    const manifest = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
    if (manifest?.name) return manifest;
  }
  throw new Error(`${file} is in no package`);
}

const isModule = (file, manifest) => file.endsWith('.mjs') || (manifest.type === 'module' && !file.endsWith('.cjs'));

/**
 * Libraries stay outside. One that is an ES module only may be loaded by `import()` alone: `require`, which a plain `import`
 * becomes, knows those from Node 20.19 and 22.12 on only.
 */
const librariesOutside = {
  name: 'libraries-outside',
  resolveDynamicImport: (id) => (typeof id === 'string' && outside(id) ? { id, external: true } : null),
  resolveId(id, importer) {
    if (!outside(id) || !importer) return null;
    if (!isBuiltin(id)) {
      const file = createRequire(importer).resolve(id);
      if (isModule(file, manifestOf(file)))
        throw new Error(
          `${importer} imports ${id}, which is an ES module only; load it with import() where it is used`,
        );
    }
    return { id, external: true };
  },
};

/** Circles between files of one folder are harmless after bundling as before; everything else must not happen. */
function onwarn(warning) {
  if (warning.code === 'CIRCULAR_DEPENDENCY') return;
  // They are members of an exported namespace (`nn.Module`), by which declarations of users name them.
  if (/still references private shared type exports/.test(warning.message)) return;
  throw new Error(`rollup: ${warning.message}`);
}

const importMeta = {
  name: 'import-meta',
  resolveImportMeta: (property) => (property === 'url' ? "require('node:url').pathToFileURL(__filename).href" : null),
};

async function bundleJavaScript(dist, folder) {
  const { rollup } = await import('rollup');
  const bundle = await rollup({
    input: { ...entries(dist, 'js'), cli: join(dist, 'cli', 'main.js') },
    plugins: [librariesOutside, importMeta, traced(root)],
    onwarn,
  });
  const { output } = await bundle.write({
    dir: folder,
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: 'shared-[name].cjs',
    exports: 'named',
    // Otherwise Node's scan for names does not see what a shared chunk provides.
    externalLiveBindings: false,
  });
  await bundle.close();
  return (entry) => output.find(({ name, isEntry }) => isEntry && name === entry).exports.toSorted();
}

/**
 * The declarations of one entry as one text. What another folder of `dist` declares stays an import: the text is for reading,
 * not for publishing.
 */
export async function entryTypes(dist, entry) {
  const { rollup } = await import('rollup');
  const { dts } = await import('rollup-plugin-dts');
  const folder = `${entryFolder(dist, entry)}/`;
  const bundle = await rollup({
    input: join(entryFolder(dist, entry), 'index.d.ts'),
    external: (id, importer) =>
      outside(id) || (importer !== undefined && !resolve(dirname(importer), id).startsWith(folder)),
    plugins: [dts()],
    onwarn,
  });
  const { output } = await bundle.generate({ format: 'es' });
  await bundle.close();
  return output[0].code;
}

/**
 * The declarations of all entries, as `{ fileName, code }`. Declarations of several entries are in a separate file: a
 * second declaration of a class would be another type.
 */
async function bundleTypes(dist) {
  const { rollup } = await import('rollup');
  const { dts } = await import('rollup-plugin-dts');
  const bundle = await rollup({ input: entries(dist, 'd.ts'), external: outside, plugins: [dts()], onwarn });
  const { output } = await bundle.generate({
    format: 'es',
    entryFileNames: '[name].d.ts',
    chunkFileNames: ({ name }) => `shared-${name.replace(/\.d$/, '')}.d.ts`,
  });
  await bundle.close();
  return output;
}

/**
 * ESM that names each export, which is what bundlers and Node's own analysis of `import { x }` can follow. It comes to the
 * implementation by way of a file of one line: Node scans every CommonJS file that ESM imports for names, and scanning the
 * large one would cost more than running it (40 ms of 57).
 */
function wrapper(entry, names) {
  const list = names.map((name) => `  ${name},\n`).join('');
  return `import { recurra } from './${entry}-entry.cjs';\n\nexport const {\n${list}} = recurra;\n`;
}

/** The file behind {@link wrapper}. esbuild's own error for a bundle as ESM says nothing of what to do. */
function entryFile(entry) {
  const advice =
    'recurra was bundled as an ES module, in which the modules of Node and the native addon cannot be loaded. Leave it out of the bundle ' +
    '(esbuild: --external:recurra), and install it where the bundle runs';
  return `'use strict';

try {
  exports.recurra = require('./${entry}.cjs');
} catch (cause) {
  if (!/^Dynamic require of/.test(cause?.message)) throw cause;
  throw Object.assign(new Error('${advice}', { cause }), { code: 'ADDON_NOT_FOUND' });
}
`;
}

/**
 * Declarations that older versions of TypeScript read too, and in which a namespace has what it takes from another file: the plugin
 * takes each such name for a value, and loses the types.
 */
export function mendedTypes(code) {
  const imported = new Set();
  for (const [, names] of code.matchAll(/^import (?:type )?\{([^}]*)\} from '\.\/[^']+';$/gm))
    for (const name of names.split(',')) imported.add(name.trim().split(' as ').at(-1));
  let mended = code.replace(/\b(\w+Array)<ArrayBuffer(?:Like)?>/g, '$1');
  for (const [line, alias, name] of code.matchAll(/^declare const ([\w$]+): typeof (\w+);\n/gm)) {
    if (!imported.has(name) || !/^index_d/.test(alias)) continue;
    mended = mended.replace(line, '').replaceAll(`${alias} as `, `${name} as `);
  }
  return mended;
}

/** Writes the JavaScript of each entry as .cjs and .js, what browsers get in its place, cli.cjs, and the declarations, into `folder`. */
export async function bundle(dist, folder) {
  mkdirSync(folder, { recursive: true });
  const namesOf = await bundleJavaScript(dist, folder);
  chmodSync(join(folder, 'cli.cjs'), 0o755);
  for (const entry of Object.keys(entries(dist, 'js'))) {
    const file = (ending) => join(folder, `${entry}${ending}`);
    writeFileSync(file('-entry.cjs'), entryFile(entry));
    writeFileSync(file('.js'), wrapper(entry, namesOf(entry)));
    writeFileSync(join(folder, browserFiles(entry).module), browserModule(namesOf(entry)));
    writeFileSync(join(folder, browserFiles(entry).commonJs), browserCommonJs);
  }
  for (const { fileName, code: written } of await bundleTypes(dist)) {
    const code = mendedTypes(written);
    writeFileSync(join(folder, fileName), code);
    const commonJs = code.replace(/(from '\.\/[^']+)\.js'/g, "$1.cjs'");
    writeFileSync(join(folder, fileName.replace(/\.d\.ts$/, '.d.cts')), commonJs);
  }
}
