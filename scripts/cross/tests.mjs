// Runs the light tests with the Node of another platform: in a copy of the checkout, because a test needs vitest's own native packages of
// that platform, and starts programs of the checkout.

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { addons, root, targetDir } from '../native/addons.mjs';
import { npm, staleModules } from '../setup/node-modules.mjs';
import { crossPath } from './build.mjs';

function must(command, args, options) {
  const { status, error, stdout } = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (error || status !== 0)
    throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? `exit code ${status}`}`);
  return stdout;
}

/** Brings the copy in `folder` up to date, its node_modules but for those of this platform. */
function copyCheckout(folder) {
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) if (name !== 'node_modules') rmSync(join(folder, name), { recursive: true });
  const listed = must('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root });
  for (const name of new Set(listed.split('\0'))) {
    const from = join(root, name);
    if (!name || !existsSync(from)) continue;
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    copyFileSync(from, join(folder, name));
  }
}

/** Installs the packages of the target with the npm at hand, unless they are there. */
function installPackages(folder, { os, cpu, libc }) {
  if (staleModules(folder) === undefined) return;
  const platform = [`--os=${os}`, `--cpu=${cpu}`, ...(libc ? [`--libc=${libc}`] : [])];
  const args = ['ci', ...platform, '--ignore-scripts', '--no-audit', '--no-fund'];
  must(npm.command, args, { cwd: folder, shell: npm.shell, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Runs vitest in the copy with `node`, the path of the target's Node; throws an Error when a test fails. */
export function testOn(target, node, args) {
  const folder = join(targetDir(), 'cross-tests', target.name);
  copyCheckout(folder);
  installPackages(folder, target);
  const file = crossPath(target.name);
  mkdirSync(join(folder, 'native'));
  copyFileSync(file, join(folder, 'native', `${addons[0].binary}.${target.name}.node`));
  const env = { ...process.env, RECURRA_TEST_HALVES: 'light', CARGO_TARGET_DIR: undefined };
  const vitest = join(folder, 'node_modules', 'vitest', 'vitest.mjs');
  // vitest's own limits are for a quiet machine and its own programs.
  const limits = ['--testTimeout=240000', '--hookTimeout=240000'];
  must(node, [vitest, 'run', ...limits, ...args], { cwd: folder, env, stdio: ['ignore', 'inherit', 'inherit'] });
}
