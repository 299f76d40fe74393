// Builds the light addon for another platform and, where a program of that platform can run here, tries it.
//   npm run cross -- TARGET... [--kernels]
// The product test trains, saves, loads and predicts there; its model and its answers must be those of this machine, bit for bit.
// --kernels: also the tests of the kernels, under qemu some minutes. scripts/cross/tools.mjs says what must be installed.

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { addonPath, addons, platformName, root } from '../native/addons.mjs';
import { buildCross, crossPath } from './build.mjs';
import { targetOf, targets } from './targets.mjs';
import { nodeOf, qemuOf, toolEnv, toolFolder } from './tools.mjs';

const product = join(root, 'scripts', 'cross', 'product.mjs');

/** Runs the product test with a Node, its path last in `node`; returns what it printed. */
function runProduct(node, folder, mode) {
  const [command, ...args] = [...node, product, folder, mode];
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (error || status !== 0) throw new Error(`the product test failed: ${error?.message ?? stderr.trim()}`);
  return JSON.parse(stdout);
}

/** Runs the product test here and for the target; throws an Error where they differ. */
function compare(target, node) {
  const folder = mkdtempSync(join(tmpdir(), 'recurra-cross-'));
  // The loader looks for the build of a checkout first.
  const file = join(root, 'native', `${addons[0].binary}.${target.name}.node`);
  const brought = !existsSync(file);
  try {
    runProduct([process.execPath], folder, 'write');
    if (brought) copyFileSync(crossPath(target.name), file);
    const result = runProduct(node, folder, 'compare');
    if (result.loaded !== 0 || result.trained !== 0 || !result.sameFile)
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

try {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { kernels: { type: 'boolean' } } });
  if (positionals.length === 0) throw new Error(`name a target: ${Object.keys(targets).join(', ')}`);
  if (!existsSync(addonPath(addons[0])))
    throw new Error('the addon of this machine is not built; run: npm run setup -- --light');
  for (const name of positionals) {
    const target = targetOf(name);
    const { file, needs, bytes } = await buildCross(target);
    process.stdout.write(
      `${name}: ${(bytes / 1e6).toFixed(2)} MB, links ${needs.join(', ') || 'what its system has'}\n  ${file}\n`,
    );
    const node = platformName() === name ? [process.execPath] : nodeOf(target, toolFolder());
    if (node) process.stdout.write(`  product test: ${JSON.stringify(compare(target, node))}\n`);
    else process.stdout.write('  product test: not run, there is no Node for it here\n');
    if (values.kernels) testKernels(target);
  }
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
