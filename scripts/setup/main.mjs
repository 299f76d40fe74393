// The steps of set-up in their order; scripts/setup.mjs loads this once Node.js is known to be new enough.

import { join } from 'node:path';
import { withLock } from '../../src/libtorch/lock.mjs';
import { line } from '../../src/libtorch/progress.mjs';
import { addons, root } from '../native/addons.mjs';
import { checkCompiler, checkNode, checkRust, linkerFound, platformProblem, thisPlatform } from './checks.mjs';
import { stateFolder } from './freshness.mjs';
import { findPip } from './libtorch/download.mjs';
import { locateLibtorch } from './libtorch/locate.mjs';
import { installModules, staleModules } from './node-modules.mjs';
import { nativeState, setUpDist, setUpDistEarly, setUpLibtorch, setUpNative } from './steps.mjs';

/** Checks all tools that the work ahead needs, so that a person learns of everything missing at once. */
function checkTools(chosen) {
  const problems = [];
  const check = (name, { found, problem }, needed = true) => {
    if (problem && needed) problems.push(problem);
    line(name, found ?? (needed ? 'MISSING or too old, see below' : 'not found; not needed now'));
    return found;
  };
  check('Node.js', checkNode());
  const rust = checkRust();
  const building = chosen.filter((addon) => !nativeState(root, addon, rust.found).current);
  check('Rust', rust, building.length > 0);
  if (building.length > 0 && process.platform === 'linux') line('linker', linkerFound());
  if (building.some(({ needsLibtorch }) => needsLibtorch)) check('C++', checkCompiler());
  if (chosen.some(({ needsLibtorch }) => needsLibtorch) && locateLibtorch().path === undefined) {
    const platform = platformProblem(thisPlatform());
    if (platform) problems.push(platform);
    else if (!process.env.RECURRA_TORCH_WHEEL) {
      const pip = findPip();
      check('pip', { found: pip.version, problem: pip.problem });
    }
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return rust.found;
}

async function setUpModules() {
  const stale = staleModules(root);
  if (stale) {
    line('npm packages', `npm ci (${stale})`);
    await installModules(root);
  }
  line('npm packages', 'current');
}

/** Waits for all, also after one has failed, so that nothing is still at work when the failure is told. */
async function all(promises) {
  for (const result of await Promise.allSettled(promises)) if (result.status === 'rejected') throw result.reason;
}

async function setUp(chosen) {
  const rust = checkTools(chosen);
  const [light, ...others] = chosen;
  // npm waits for the network and the compiler has an idle core towards its end: the two at once take as long as the longer.
  const modules = setUpModules();
  await all([setUpNative(root, light, rust, modules), modules.then(() => setUpDistEarly(root))]);
  if (others.some(({ needsLibtorch }) => needsLibtorch)) await setUpLibtorch();
  for (const addon of others) await setUpNative(root, addon, rust);
  await setUpDist(root);
}

/**
 * Runs the set-up of the halves named (`light`, `torch`), one at a time in a checkout. Throws an Error whose message is meant
 * for a person.
 */
export async function main(halves) {
  // So that locks are released when it is stopped.
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  const begun = Date.now();
  const chosen = addons.filter(({ name }) => halves.includes(name));
  await withLock(join(stateFolder(root), 'lock'), () => setUp(chosen), {
    onWait: ({ pid }) => line('waiting', `another set-up (process ${pid}) works in this folder`),
  });
  line('ready', `after ${((Date.now() - begun) / 1000).toFixed(1)} s`);
}
