// The published JavaScript, made from the build in dist: one CommonJS implementation, which the ESM entry re-exports, so
// that a process that imports and requires the package has one set of classes, one state and one copy of the addons.
// Few files also start faster than many: Node resolves and reads each one.

import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const outside = (id) => !/^[./]/.test(id);

/** Circles between files of one folder are harmless after bundling as before; everything else must not happen. */
function onwarn(warning) {
  if (warning.code === 'CIRCULAR_DEPENDENCY') return;
  throw new Error(`rollup: ${warning.message}`);
}

const importMeta = {
  name: 'import-meta',
  resolveImportMeta: (property) => (property === 'url' ? "require('node:url').pathToFileURL(__filename).href" : null),
};

async function bundleJavaScript(dist, folder) {
  const { rollup } = await import('rollup');
  const bundle = await rollup({
    input: { index: join(dist, 'index.js'), cli: join(dist, 'cli', 'main.js') },
    external: outside,
    plugins: [importMeta],
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
  return output.find(({ name, isEntry }) => isEntry && name === 'index').exports;
}

/** The declarations as one text, `dist/index.d.ts` with everything that it needs. */
export async function bundleTypes(dist) {
  const { rollup } = await import('rollup');
  const { dts } = await import('rollup-plugin-dts');
  const bundle = await rollup({ input: join(dist, 'index.d.ts'), external: outside, plugins: [dts()], onwarn });
  const { output } = await bundle.generate({ format: 'es' });
  await bundle.close();
  return output[0].code;
}

/**
 * ESM that names each export, which is what bundlers and Node's own analysis of `import { x }` can follow. It comes to the
 * implementation by way of a file of one line: Node scans every CommonJS file that ESM imports for names, and scanning the
 * large one would cost more than running it (40 ms of 57).
 */
function wrapper(names) {
  return `import { recurra } from './entry.cjs';\n\nexport const {\n${names.map((name) => `  ${name},\n`).join('')}} = recurra;\n`;
}

/** Writes index.cjs, entry.cjs, index.js, cli.cjs and the two declaration files into `folder`. */
export async function bundle(dist, folder) {
  mkdirSync(folder, { recursive: true });
  const names = await bundleJavaScript(dist, folder);
  chmodSync(join(folder, 'cli.cjs'), 0o755);
  writeFileSync(join(folder, 'entry.cjs'), "'use strict';\n\nexports.recurra = require('./index.cjs');\n");
  writeFileSync(join(folder, 'index.js'), wrapper(names.toSorted()));
  writeFileSync(join(folder, 'index.d.ts'), await bundleTypes(dist));
  copyFileSync(join(folder, 'index.d.ts'), join(folder, 'index.d.cts'));
}
