// Runs all tests: the Rust ones with cargo, then the TypeScript ones (types included) with vitest.
//   node scripts/test.mjs [ARGUMENTS OF VITEST]       with arguments only vitest runs: npm test -- test/text -t vocab
// What failed is said once more at the end. The last line is `N passed, N failed`, with `, N skipped` where some were; the exit
// code is 0 when none failed.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, targetDir } from './native/addons.mjs';
import { libtorchTestEnv } from './native/libtorch-env.mjs';
import { requireLibtorch } from './setup/libtorch/locate.mjs';
import { addCounts, cargoCounts, cargoFailures, summaryLine, vitestCounts, vitestFailures } from './test/counts.mjs';

const crates = ['recurra-core', 'recurra-kernels', 'recurra-torch', 'recurra-light', 'recurra-files', 'recurra-text'];

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
  const env = { ...process.env, ...libtorchTestEnv(requireLibtorch().path, targetDir()) };
  const args = ['test', '--release', '--no-fail-fast', ...crates.flatMap((crate) => ['-p', crate])];
  if (process.env.CI) args.splice(1, 0, '--locked');
  const { code, output } = await run('cargo', args, env);
  return { ...cargoCounts(output, code), failures: cargoFailures(output) };
}

async function runVitest(extra) {
  const folder = mkdtempSync(join(tmpdir(), 'recurra-test-'));
  try {
    const report = join(folder, 'report.json');
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const { code } = await run(process.execPath, [vitest, 'run', ...reporters, ...extra], process.env);
    return { ...vitestCounts(report, code), failures: vitestFailures(report) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const extra = process.argv.slice(2);
const parts = [];
try {
  if (extra.length === 0) parts.push({ name: 'cargo test', ...(await runCargoTests()) });
  parts.push({ name: 'vitest', ...(await runVitest(extra)) });
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
