// The steps of set-up that build something: libtorch, the addons, the JavaScript in dist.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  checkSpace,
  installWheels,
  removeLeftovers,
  temporaryBeside,
  wheelsBeside,
} from '../../src/libtorch/install.mjs';
import { withLock } from '../../src/libtorch/lock.mjs';
import { ByteProgress, line, megabytes, note } from '../../src/libtorch/progress.mjs';
import { buildWheels, packedBytes, systemOf } from '../../src/libtorch/systems.mjs';
import { addonPath } from '../native/addons.mjs';
import { buildNative } from '../native/build.mjs';
import { addonInputs } from '../native/crates.mjs';
import { existingNamespace } from '../native/declarations.mjs';
import { filesBelow, hashOf, isCurrent, stampCurrent } from './freshness.mjs';
import { downloadWheels, findPip } from './libtorch/download.mjs';
import { cacheFolder, locateLibtorch, refusedLines, requireLibtorch } from './libtorch/locate.mjs';

const foundText = ({ path, source }) => `2.11.0 at ${path} (${source})`;

/** Fetches the wheels, or takes those named by RECURRA_TORCH_WHEEL; returns `{ wheel, path }` for each. */
async function obtainWheels(work, system, env) {
  const given = env.RECURRA_TORCH_WHEEL;
  const wheels = buildWheels(system);
  if (given) return wheelsBeside(given, 'RECURRA_TORCH_WHEEL', wheels, system);
  const pip = findPip(env);
  if (pip.problem) throw new Error(pip.problem);
  const bytes = packedBytes(wheels);
  const progress = new ByteProgress('libtorch', `fetching with pip ${pip.version}`, bytes);
  try {
    return await downloadWheels({
      folder: join(work, 'wheels'),
      system,
      pip,
      env,
      onBytes: (total) => progress.set(Math.min(total, bytes)),
    });
  } finally {
    const seconds = progress.end();
    line('libtorch', `fetching ended after ${seconds.toFixed(1)} s`);
  }
}

async function fetchAndInstall(target, env) {
  if (removeLeftovers(target) > 0) line('libtorch', 'removed what an interrupted set-up had left');
  const work = temporaryBeside(target);
  try {
    const system = systemOf();
    const packed = env.RECURRA_TORCH_WHEEL ? 0 : packedBytes(system.wheels);
    checkSpace(work, { unpacked: system.unpackedBytes.build, packed });
    const pairs = await obtainWheels(work, system, env);
    let progress;
    const { files, bytes } = await installWheels({
      pairs,
      target,
      work,
      onTotal: (total) => {
        progress = new ByteProgress('libtorch', 'unpacking and checking', total);
      },
      onBytes: (count) => progress.add(count),
    });
    const seconds = progress.end();
    line('libtorch', `${files} files, ${megabytes(bytes)} unpacked and checked in ${seconds.toFixed(1)} s`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Finds libtorch, or installs it into the cache folder; one process at a time. */
export async function setUpLibtorch(env = process.env) {
  let found = locateLibtorch(env);
  // Reported even if another place is usable: the variable was set for a reason.
  const told = found.refused.filter(({ source }) => source !== 'cache folder');
  for (const text of refusedLines(told)) note(`not used:${text.slice(1)}`);
  if (found.path === undefined) {
    const target = cacheFolder(env);
    const onWait = ({ pid }) => line('libtorch', `another set-up (process ${pid}) is installing it; waiting`);
    await withLock(
      `${target}.lock`,
      async () => {
        // The holder of the lock has most likely installed it.
        if (locateLibtorch(env).path === undefined) await fetchAndInstall(target, env);
      },
      { onWait },
    );
    found = requireLibtorch(env);
  }
  line('libtorch', foundText(found));
  return found;
}

/** `{ inputs, results, declaration, current }` of one addon; `declaration` is its part of index.d.ts. */
export function nativeState(top, addon, rustVersion) {
  const inputs = hashOf(top, addonInputs(addon, top), [rustVersion ?? '', process.env.RUSTFLAGS ?? '']);
  const results = [relative(top, addonPath(addon, top))];
  const declarations = join(top, 'index.d.ts');
  const text = existsSync(declarations) ? readFileSync(declarations, 'utf8') : '';
  const declaration = existingNamespace(text, addon.name) ?? '';
  return { inputs, results, declaration, current: isCurrent(top, addon.name, inputs, results, [declaration]) };
}

/** Builds an addon unless nothing it is made from has changed; `modules` as for `buildNative`. */
export async function setUpNative(top, addon, rustVersion, modules) {
  const name = `${addon.name} addon`;
  const { inputs, results, current } = nativeState(top, addon, rustVersion);
  if (current) {
    line(name, 'current');
    return;
  }
  const long = addon.needsLibtorch ? 'some minutes, most of it one crate (torch-sys)' : 'one to two minutes';
  line(name, `compiling; the first time takes ${long}`);
  const begun = Date.now();
  await buildNative({ top, names: [addon.name], modules });
  stampCurrent(top, addon.name, inputs, results, [nativeState(top, addon, rustVersion).declaration]);
  line(name, `done in ${((Date.now() - begun) / 1000).toFixed(1)} s`);
}

/** Removes from dist what was made from sources that are no longer there. */
function removeOrphans(top) {
  const dist = join(top, 'dist');
  for (const file of filesBelow(dist)) {
    const source = relative(dist, file).replace(/\.(js|d\.ts)(\.map)?$/, '.ts');
    if (source.endsWith('.ts') && !existsSync(join(top, 'src', source))) rmSync(file);
  }
}

/** Runs the compiler; rejects with what it said. */
function runTsc(top) {
  const tsc = join(top, 'node_modules', 'typescript', 'bin', 'tsc');
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [tsc, '-p', 'tsconfig.build.json'], {
      cwd: top,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    child.on('error', reject);
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${said}tsc -p tsconfig.build.json ended with exit code ${code}`)),
    );
  });
}

/** Compiles src to dist unless it is current. */
export async function setUpDist(top) {
  const inputs = hashOf(top, ['src', 'tsconfig.json', 'tsconfig.build.json', 'index.d.ts', 'package-lock.json']);
  if (isCurrent(top, 'dist', inputs, ['dist'])) {
    line('JavaScript', 'dist is current');
    return;
  }
  const begun = Date.now();
  // tsc's notes on what it compiled would let it leave out files that were removed from dist by hand.
  rmSync(join(top, 'dist', '.tsbuildinfo'), { force: true });
  await runTsc(top);
  removeOrphans(top);
  stampCurrent(top, 'dist', inputs, ['dist']);
  line('JavaScript', `dist compiled in ${((Date.now() - begun) / 1000).toFixed(1)} s`);
}

/**
 * The same while the addons are still being compiled. It reads the declarations that are in the repository; where those are
 * no longer true the compiler may fail, and the call after the addons are built compiles again and says why.
 */
export async function setUpDistEarly(top) {
  try {
    await setUpDist(top);
  } catch {
    line('JavaScript', 'waits for the declarations of the addons');
  }
}
