// The steps of set-up in their order; scripts/setup.mjs loads this once Node.js is known to be new enough.

import { join } from 'node:path';
import { withLock } from '../../src/libtorch/lock.mjs';
import { line } from '../../src/libtorch/progress.mjs';
import { root } from '../native/addons.mjs';
import { checkCompiler, checkNode, checkRust, platformProblem, thisPlatform } from './checks.mjs';
import { stateFolder } from './freshness.mjs';
import { findPip } from './libtorch/download.mjs';
import { locateLibtorch } from './libtorch/locate.mjs';
import { installModules, staleModules } from './node-modules.mjs';
import { nativeState, setUpDist, setUpLibtorch, setUpNative } from './steps.mjs';

/** Checks all tools that the work ahead needs, so that a person learns of everything missing at once. */
function checkTools() {
  const problems = [];
  const check = (name, { found, problem }, needed = true) => {
    if (problem && needed) problems.push(problem);
    line(name, found ?? (needed ? 'MISSING or too old, see below' : 'not found; not needed now'));
    return found;
  };
  check('Node.js', checkNode());
  const rust = checkRust();
  const building = !nativeState(root, rust.found).current;
  check('Rust', rust, building);
  if (building) check('C++', checkCompiler());
  if (locateLibtorch().path === undefined) {
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

async function setUp() {
  const rust = checkTools();
  const stale = staleModules(root);
  if (stale) {
    line('npm packages', `npm ci (${stale})`);
    await installModules(root);
  }
  line('npm packages', 'current');
  await setUpLibtorch();
  await setUpNative(root, rust);
  await setUpDist(root);
}

/** Runs the whole set-up, one at a time in a checkout. Throws an Error whose message is meant for a person. */
export async function main() {
  // So that locks are given back when somebody stops it.
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  const begun = Date.now();
  await withLock(join(stateFolder(root), 'lock'), setUp, {
    onWait: ({ pid }) => line('waiting', `another set-up (process ${pid}) works in this folder`),
  });
  line('ready', `after ${((Date.now() - begun) / 1000).toFixed(1)} s`);
}
