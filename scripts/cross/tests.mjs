// Runs the light tests with the Node of another platform: in a copy of the checkout, because a test needs vitest's own native packages of
// that platform, and starts programs of the checkout.

import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
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

/** Runs vitest in the copy by `run`, as runnerOf gives it, on the files of test/ that `filters` name; throws an Error when a test fails. */
export function testOn(target, run, filters) {
  const folder = join(targetDir(), 'cross-tests', target.name);
  copyCheckout(folder);
  installPackages(folder, target);
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
  mkdirSync(join(folder, 'native'));
  copyFileSync(crossPath(target.name), join(folder, 'native', `${addons[0].binary}.${target.name}.node`));
  const { status, error, stdout, stderr } = run([join(folder, 'scripts', 'cross', 'vitest.mjs'), ...filters], {
    folders: [folder],
    cwd: folder,
    env: { RECURRA_TEST_HALVES: 'light', OMP_NUM_THREADS: '1' },
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: 3_600_000,
  });
  process.stdout.write(stdout ?? '');
  process.stderr.write(stderr ?? '');
  if (error || status !== 0) throw new Error(`the light tests failed: ${error?.message ?? `exit code ${status}`}`);
}
