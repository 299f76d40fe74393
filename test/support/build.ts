import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

/**
 * Brings `dist` up to date before any test, since the tests that start processes of their own start the build. A type error is
 * shown but ends nothing: the compiler has written the JavaScript all the same, and `npm run typecheck` fails on it.
 */
export default function build(): void {
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  spawnSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { stdio: 'inherit' });
}
