// Makes a fresh clone ready: checks the tools, then npm ci, libtorch, the addons and dist, each only when needed.
// Uses Node's built-ins only. Safe to run again after an interruption, and twice at once.
//   node scripts/setup.mjs [--light]
// --light: the light half alone (classifier, readers, command line), which needs no libtorch, no Python and no C++ compiler.
// Environment: RECURRA_LIBTORCH, LIBTORCH, LIBTORCH_USE_PYTORCH=1: a libtorch that is there already;
// RECURRA_TORCH_WHEEL=FILE: install from this wheel, offline; XDG_CACHE_HOME: where the cache folder lies.

import { checkNode } from './setup/checks.mjs';

process.stderr.write('recurra set-up\n');
try {
  const { problem } = checkNode();
  if (problem) throw new Error(problem);
  // Only now: the rest uses parts of Node.js that an old one does not have, and would fail to load.
  const [{ main }, { halvesOf }, { parseArgs }] = await Promise.all([
    import('./setup/main.mjs'),
    import('./native/crates.mjs'),
    import('node:util'),
  ]);
  const { values } = parseArgs({ options: { light: { type: 'boolean' } } });
  await main(halvesOf(values));
} catch (error) {
  process.stderr.write(`\nSet-up failed: ${error.message}\n`);
  process.exitCode = 1;
}
