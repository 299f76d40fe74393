// Makes the package recurra-web: target/web/recurra-web, ready for `npm pack`.
//   npm run build:web
// Says how large each part is, and fails above the limit.

import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rollup } from 'rollup';
import { root, targetDir } from '../native/addons.mjs';
import { mendedTypes } from '../package/bundle.mjs';
import { platformManifest, readManifest } from '../package/manifest.mjs';
import { buildModule } from './module.mjs';

/** Bytes of all code, gzipped. */
const LIMIT = 200_000;

/** The files of a page that uses the package, which stand in its folder `example`. */
const EXAMPLE = ['index.html', 'app.js', 'style.css', 'models.json'];

/** Everything is in the bundle: a browser resolves no names. */
const nothingOutside = {
  name: 'nothing-outside',
  resolveId(id, importer) {
    if (/^[./]/.test(id) || !importer) return null;
    throw new Error(`${importer} imports ${id}, which a browser does not have`);
  },
};

function onwarn({ code, message }) {
  // The one import of Node's is reached in Node alone.
  if (code !== 'CIRCULAR_DEPENDENCY') throw new Error(`rollup: ${message}`);
}

const HELP = String.raw`(?:help|flagHelp|defaultText|flag): (?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")`;

/** Help texts and flags of option tables are for the command line and the guides. */
function withoutHelp(code) {
  return code.replace(new RegExp(`,\\s*${HELP}`, 'g'), '').replace(new RegExp(`${HELP},?\\s*`, 'g'), '');
}

/** Comments are for readers of the sources; the declarations keep them. Lines stay, for stack traces. */
async function bundleCode(input, file) {
  const { transformWithEsbuild } = await import('vite');
  const bundle = await rollup({ input, plugins: [nothingOutside], onwarn });
  const { output } = await bundle.generate({ format: 'es' });
  await bundle.close();
  if (output.length !== 1) throw new Error('recurra-web has more than one file of code');
  const { code: lines } = await transformWithEsbuild(withoutHelp(output[0].code), 'index.js', {
    target: 'es2022',
    sourcemap: false,
    minifySyntax: true,
  });
  // Those of class members are left by esbuild.
  const bare = lines.replace(/^ *\/\*\*[\s\S]*?\*\/\n/gm, '');
  // Indentation costs 800 bytes. No string has several lines, so none is changed.
  if (bare.split('\n').some((line) => line.split('`').length % 2 === 0))
    throw new Error('a template of several lines would lose its indentation');
  const flat = bare.replace(/^ +/gm, '');
  // esbuild also drops what tells bundlers to leave an import alone, which would warn of it.
  const code = flat.replace(/\bimport\((?!\/\*)/g, 'import(/* @vite-ignore */ /* webpackIgnore: true */ ');
  if (/\beval\(|new Function\(/.test(code)) throw new Error('recurra-web must not evaluate code');
  writeFileSync(file, code);
}

async function bundleTypes(input, file) {
  const { dts } = await import('rollup-plugin-dts');
  const bundle = await rollup({ input, plugins: [dts()], onwarn });
  const { output } = await bundle.generate({ format: 'es' });
  await bundle.close();
  // A program may lack the library of the DOM; `Platform` finds what its compiler knows.
  const code = mendedTypes(output[0].code).replaceAll(': AbortSignal', ": Platform<'AbortSignal'>");
  if (!code.includes('type Platform<')) throw new Error('the declarations of recurra-web lack the type Platform');
  writeFileSync(file, code);
}

/** Makes the package of `dist`, which must be up to date; returns its folder and the gzipped bytes of each part. */
export async function buildWeb() {
  const [dist, source] = [join(root, 'dist', 'web'), join(root, 'npm', 'recurra-web')];
  if (!existsSync(join(dist, 'index.js'))) throw new Error('dist is not built; run: npm run build');
  const wasm = buildModule();
  const folder = join(targetDir(), 'web', 'recurra-web');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await bundleCode(join(dist, 'index.js'), join(folder, 'index.js'));
  await bundleTypes(join(dist, 'index.d.ts'), join(folder, 'index.d.ts'));
  copyFileSync(wasm, join(folder, 'recurra.wasm'));
  copyFileSync(join(source, 'README.md'), join(folder, 'README.md'));
  for (const name of EXAMPLE) {
    mkdirSync(join(folder, 'example'), { recursive: true });
    copyFileSync(join(root, 'examples', 'browser', name), join(folder, 'example', name));
  }
  for (const name of ['LICENSE-MIT', 'LICENSE-APACHE']) copyFileSync(join(root, name), join(folder, name));
  const manifest = platformManifest(readManifest(root), readManifest(source));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  const sizes = Object.fromEntries(
    ['index.js', 'recurra.wasm'].map((name) => [name, gzipSync(readFileSync(join(folder, name)), { level: 9 }).length]),
  );
  return { folder, sizes };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { folder, sizes } = await buildWeb();
    const total = Object.values(sizes).reduce((sum, size) => sum + size, 0);
    for (const [name, size] of Object.entries(sizes)) process.stdout.write(`${name}: ${size} bytes gzipped\n`);
    process.stdout.write(`${folder}: ${total} bytes of code, gzipped\n`);
    if (total > LIMIT) throw new Error(`recurra-web may have ${LIMIT} bytes of code`);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
