// Runs all tests: the Rust ones with cargo, then the TypeScript ones (types included) with vitest.
//   node scripts/test.mjs [--light] [ARGUMENTS OF VITEST]      with arguments only vitest runs: npm test -- test/text -t vocab
// --light: the tests of the light half alone, on a machine without libtorch; sets that half up first.
// What failed is said once more at the end. The last line is `N passed, N failed`, with `, N skipped` where some were; the exit
// code is 0 when none failed.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, targetDir } from './native/addons.mjs';
import { cratesOf, halvesOf } from './native/crates.mjs';
import { libtorchTestEnv } from './native/libtorch-env.mjs';
import { requireLibtorch } from './setup/libtorch/locate.mjs';
import { spawnSetUp } from './setup/spawn.mjs';
import { addCounts, cargoCounts, cargoFailures, summaryLine, vitestCounts, vitestFailures } from './test/counts.mjs';

const light = process.argv.includes('--light');
const halves = halvesOf({ light });
const extra = process.argv.slice(2).filter((argument) => argument !== '--light');

/** Runs a program, passes its output on as it comes, and resolves with `{ code, output }` (standard output only). */
function run(command, args, env) {
  process.stdout.write(`\n$ ${[command, ...args].join(' ')}\n`);
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      process.stdout.write(text);
    });
    child.on('error', (error) => {
      process.stdout.write(`${command} could not be started: ${error.message}\n`);
      resolve({ code: 127, output });
    });
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

async function runCargoTests() {
  const libtorch = halves.includes('torch') ? libtorchTestEnv(requireLibtorch().path, targetDir()) : {};
  const env = { ...process.env, ...libtorch };
  const args = ['test', '--release', '--no-fail-fast', ...cratesOf(halves).flatMap((crate) => ['-p', crate])];
  if (process.env.CI) args.splice(1, 0, '--locked');
  const { code, output } = await run('cargo', args, env);
  return { ...cargoCounts(output, code), failures: cargoFailures(output) };
}

async function runVitest() {
  const folder = mkdtempSync(join(tmpdir(), 'recurra-test-'));
  try {
    const report = join(folder, 'report.json');
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const env = { ...process.env, RECURRA_TEST_HALVES: halves.join() };
    const { code } = await run(process.execPath, [vitest, 'run', ...reporters, ...extra], env);
    return { ...vitestCounts(report, code), failures: vitestFailures(report) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const parts = [];
try {
  spawnSetUp({ light });
  if (extra.length === 0) parts.push({ name: 'cargo test', ...(await runCargoTests()) });
  parts.push({ name: 'vitest', ...(await runVitest()) });
} catch (error) {
  process.stdout.write(`${error.message}\n`);
  parts.push({ name: 'test runner', passed: 0, failed: 1, skipped: 0 });
}
process.stdout.write('\n');
for (const failure of parts.flatMap(({ failures = [] }) => failures)) process.stdout.write(`FAILED ${failure}\n`);
for (const part of parts) process.stdout.write(`${part.name}: ${summaryLine(part)}\n`);
if (extra.length > 0) process.stdout.write('Only vitest was run, because arguments were given.\n');
const total = addCounts(parts);
process.stdout.write(`${summaryLine(total)}\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
