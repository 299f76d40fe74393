import { spawnSync } from 'node:child_process';

/**
 * Runs this program once for each mode, each time in its own process: what one leaves to the allocator would hide what
 * the other takes.
 */
export function runEachMode(modes: readonly string[]): void {
  for (const mode of modes) {
    const args = [...process.execArgv, ...process.argv.slice(1), '--mode', mode];
    const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' });
    if (status !== 0) process.exitCode = 1;
  }
}
