// Set-up as a separate program, for scripts that take `--light` themselves: npm passes no arguments on to a `pre`
// script.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../native/addons.mjs';

/** Runs scripts/setup.mjs; with `light` the light half's alone. Throws an Error when it fails, which it has explained itself. */
export function spawnSetUp({ light = false } = {}) {
  const args = [join(root, 'scripts', 'setup.mjs'), ...(light ? ['--light'] : [])];
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (error || status !== 0) throw new Error(error?.message ?? 'The set-up failed; nothing else was done.');
}
