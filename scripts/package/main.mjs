// Makes the npm packages: target/packages/*.tgz, ready to be published. Runs set-up first.
//   node scripts/package/main.mjs [--light] [--quick] [--libtorch] [--web] [--target NAME]...
// --light: recurra and the light addon alone, which needs no libtorch. --quick: with the addons as built for this machine, for
// tests of everything else. --libtorch: also the package with libtorch's CPU libraries, which a release publishes only once
// for each libtorch. --web: also recurra-web, which needs the compiler's library for WebAssembly. --target: also the light addon's package of another platform, which `npm run cross` has built; `all` for each one.

import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { crossPath } from '../cross/build.mjs';
import { targetOf, targets } from '../cross/targets.mjs';
import { addonPath, addons, platformName, root, targetDir } from '../native/addons.mjs';
import { halvesOf } from '../native/crates.mjs';
import { filesBelow } from '../setup/freshness.mjs';
import { requireLibtorch } from '../setup/libtorch/locate.mjs';
import { npm } from '../setup/node-modules.mjs';
import { spawnSetUp } from '../setup/spawn.mjs';
import { bundle } from './bundle.mjs';
import { stageLibtorch } from './libtorch.mjs';
import { linkedFiles } from './linked.mjs';
import { mainManifest, platformManifest, readManifest } from './manifest.mjs';
import { buildPortable } from './portable.mjs';

const licences = ['LICENSE-MIT', 'LICENSE-APACHE'];
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;

/** An empty folder for one package, with its manifest. */
function stage(out, manifest) {
  const folder = join(out, 'stage', manifest.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return folder;
}

async function stageMain(out, manifest, linked) {
  const folder = stage(out, manifest);
  await bundle(join(root, 'dist'), join(folder, 'dist'));
  cpSync(join(root, 'web'), join(folder, 'web'), { recursive: true });
  for (const name of [...licences, ...linked]) cpSync(join(root, name), join(folder, name));
  return folder;
}

function stageAddon(out, manifest, source, file) {
  const folder = stage(out, manifest);
  copyFileSync(file, join(folder, basename(file)));
  copyFileSync(join(source, 'README.md'), join(folder, 'README.md'));
  for (const name of licences) copyFileSync(join(root, name), join(folder, name));
  return folder;
}

function stageLibtorchPackage(out, manifest, source) {
  const folder = stage(out, manifest);
  cpSync(join(source, 'README.md'), join(folder, 'README.md'));
  stageLibtorch(requireLibtorch().path, manifest.version, folder);
  return folder;
}

/** `npm pack`; returns the tarball. */
function pack(out, folder) {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', out, folder];
  const options = { encoding: 'utf8', cwd: out, shell: npm.shell };
  const { status, stdout, stderr, error } = spawnSync(npm.command, args, options);
  if (error || status !== 0) throw new Error(`npm pack ${folder}: ${error?.message ?? stderr}`);
  const { filename } = JSON.parse(stdout)[0];
  return join(out, filename);
}

/** The folder of npm/ with the manifest of an addon's package for this platform. */
const addonSource = ({ binary }) => join(root, 'npm', `${binary}-${platformName()}`);

/** The addons' files, as built for this machine or (not `quick`) linked against an old C library. */
async function addonFiles(chosen, quick) {
  if (quick) return chosen.map((addon) => addonPath(addon));
  const built = await buildPortable(root, chosen);
  for (const { file, versions } of built)
    process.stderr.write(
      `${basename(file)} asks for ${Object.entries(versions)
        .map((pair) => pair.join('_'))
        .join(', ')}\n`,
    );
  return built.map(({ file }) => file);
}

/** The packages of other platforms, as `{ manifest, source, file }`: what `names` says, `all` for every one but this machine's. */
function otherPlatforms(manifest, names) {
  const chosen = names.includes('all') ? Object.keys(targets) : [...new Set(names)];
  return chosen
    .filter((name) => name !== platformName())
    .map((name) => {
      const file = crossPath(targetOf(name).name);
      if (!existsSync(file)) throw new Error(`${file} is not there; build it with: npm run cross -- ${name}`);
      const source = join(root, 'npm', `${addons[0].binary}-${name}`);
      return { manifest: platformManifest(manifest, readManifest(source)), source, file };
    });
}

/**
 * Makes the packages of the halves in `out`; returns `{ name, tarball, packed, unpacked }` for each. With `light`, the main
 * package names the light addon's package alone.
 */
export async function packAll({
  light = false,
  quick = false,
  libtorch = false,
  web = false,
  target = [],
  out = join(targetDir(), 'packages'),
} = {}) {
  if (!existsSync(join(root, 'dist', 'index.js'))) throw new Error('dist is not built; run: npm run setup');
  mkdirSync(out, { recursive: true });
  for (const name of readdirSync(out)) if (name.endsWith('.tgz')) rmSync(join(out, name));
  const manifest = readManifest(root);
  const halves = halvesOf({ light });
  const chosen = addons.filter(({ name }) => halves.includes(name));
  const manifests = chosen.map((addon) => platformManifest(manifest, readManifest(addonSource(addon))));
  const libtorchSource = join(root, 'npm', 'libtorch-linux-x64');
  const libtorchManifest = readManifest(libtorchSource);
  const others = otherPlatforms(manifest, target);
  const names = [...manifests, ...others.map((other) => other.manifest)].map(({ name }) => name);

  const linked = linkedFiles(root);
  const files = await addonFiles(chosen, quick);
  const folders = [
    await stageMain(out, mainManifest(manifest, names, libtorchManifest, linked), linked),
    ...chosen.map((addon, i) => stageAddon(out, manifests[i], addonSource(addon), files[i])),
    ...others.map((other) => stageAddon(out, other.manifest, other.source, other.file)),
  ];
  if (libtorch && !light) folders.push(stageLibtorchPackage(out, libtorchManifest, libtorchSource));
  if (web) {
    // It imports libraries, which the set-up installs first.
    const { buildWeb } = await import('../web/build.mjs');
    folders.push((await buildWeb()).folder);
  }
  return folders.map((folder) => {
    const tarball = pack(out, folder);
    const unpacked = filesBelow(folder).reduce((sum, file) => sum + statSync(file).size, 0);
    return { name: basename(folder), tarball, packed: statSync(tarball).size, unpacked };
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const boolean = { type: 'boolean' };
    const { values } = parseArgs({
      options: {
        light: boolean,
        quick: boolean,
        libtorch: boolean,
        web: boolean,
        target: { type: 'string', multiple: true },
      },
    });
    spawnSetUp(values);
    for (const { name, tarball, packed, unpacked } of await packAll(values))
      process.stdout.write(`${name}: ${megabytes(packed)} packed, ${megabytes(unpacked)} unpacked, ${tarball}\n`);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
