// Runs vitest on the files named and ends: node scripts/cross/vitest.mjs [FILTER...]. Under wine vitest's own command does not end, and has no
// processes to give files to.

import { startVitest } from 'vitest/node';

/** For a machine that emulates another, or is busy with it. */
const limits = { testTimeout: 240_000, hookTimeout: 240_000 };
/** `dist` is there, and what it takes to build it or to check types starts programs by pipes. */
const wine = { pool: 'threads', maxWorkers: 1, globalSetup: [], typecheck: { enabled: false } };

const vitest = await startVitest('test', process.argv.slice(2), {
  run: true,
  watch: false,
  ...limits,
  ...(process.platform === 'win32' && wine),
});
const failed = vitest.state.getFiles().filter(({ result }) => result?.state === 'fail');
const found = vitest.state.getFiles().length;
process.exit(failed.length === 0 && found > 0 ? 0 : 1);
