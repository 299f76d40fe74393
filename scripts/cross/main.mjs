// Builds the light addon for another platform and, where a program of that platform can run here, tries it.
//   npm run cross -- TARGET... [--kernels] [--tests [test/FOLDER...]]
// The product test trains, saves, loads and predicts there; its model and its answers must be those of this machine, bit for bit.
// --kernels: also the tests of the kernels, under qemu some minutes. --tests: also the light tests, all or those named.
// scripts/cross/tools.mjs says what must be installed.

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { addonPath, addons, platformName, root } from '../native/addons.mjs';
import { buildCross, crossPath } from './build.mjs';
import { qemuOf, runnerOf, runOwn } from './run.mjs';
import { targetOf, targets } from './targets.mjs';
import { testOn } from './tests.mjs';
import { toolEnv, toolFolder } from './tools.mjs';

const product = join(root, 'scripts', 'cross', 'product.mjs');

/** Runs the product test, and returns what it printed. */
function runProduct(run, folder, mode) {
  const { status, stdout, stderr, error } = run([product, folder, mode], { folders: [folder] });
  if (error || status !== 0) throw new Error(`the product test failed: ${error?.message ?? stderr.trim()}`);
  return JSON.parse(stdout);
}

/** Runs the product test here and for the target; throws an Error where they differ. */
function compare(target, run) {
  const folder = mkdtempSync(join(tmpdir(), 'recurra-cross-'));
  // The loader looks for the build of a checkout first.
  const file = join(root, 'native', `${addons[0].binary}.${target.name}.node`);
  const brought = !existsSync(file);
  try {
    runProduct(runOwn, folder, 'write');
    if (brought) copyFileSync(crossPath(target.name), file);
    const result = runProduct(run, folder, 'compare');
    if (result.loaded !== 0 || result.trained !== 0 || !result.sameFile || !result.replaced)
      throw new Error(`the product test does not give this machine's numbers: ${JSON.stringify(result)}`);
    return result;
  } finally {
    if (brought) rmSync(file, { force: true });
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs the kernels' tests for a target under qemu. */
function testKernels(target) {
  const folder = toolFolder();
  if (target.name !== 'linux-arm64-gnu' || !folder) throw new Error(`--kernels cannot run for ${target.name} here`);
  const runner = 'CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER';
  const env = { ...toolEnv(folder), [runner]: qemuOf(folder).join(' '), PROPTEST_CASES: '8' };
  const crate = ['-p', 'recurra-kernels', '--target', `${target.triple}.${target.glibc}`];
  const args = ['test', '--release', '--locked', ...crate];
  const { status } = spawnSync('cargo-zigbuild', args, { cwd: root, env, stdio: 'inherit' });
  if (status !== 0) throw new Error("the kernels' tests failed");
}

/** The targets, and the files that --tests is limited to: what contains a slash. */
function given(positionals) {
  const isFilter = (name) => name.includes('/');
  const names = positionals.filter((name) => !isFilter(name));
  if (names.length === 0) throw new Error(`name a target: ${Object.keys(targets).join(', ')}`);
  return { names, filters: positionals.filter(isFilter) };
}

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { kernels: { type: 'boolean' }, tests: { type: 'boolean' } },
  });
  const { names, filters } = given(positionals);
  if (!existsSync(addonPath(addons[0])))
    throw new Error('the addon of this machine is not built; run: npm run setup -- --light');
  for (const name of names) {
    const target = targetOf(name);
    const { file, needs, bytes } = await buildCross(target);
    process.stdout.write(
      `${name}: ${(bytes / 1e6).toFixed(2)} MB, links ${needs.join(', ') || 'what its system has'}\n  ${file}\n`,
    );
    const run = platformName() === name ? runOwn : runnerOf(target, toolFolder());
    if (run) process.stdout.write(`  product test: ${JSON.stringify(compare(target, run))}\n`);
    else process.stdout.write('  product test: not run, there is no Node for it here\n');
    if (values.kernels) testKernels(target);
    if (values.tests) {
      if (!run) throw new Error(`--tests cannot run for ${name} here`);
      testOn(target, run, filters);
    }
  }
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
