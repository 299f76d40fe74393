// The WebAssembly module, built from crates/web.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root, targetDir } from '../native/addons.mjs';

const TARGET = 'wasm32-unknown-unknown';

function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: root, encoding: 'utf8', ...options });
  if (error || status !== 0)
    throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr?.trim() ?? status}`);
  return stdout;
}

/** Whether the compiler's library for WebAssembly is installed. */
function installed() {
  try {
    return existsSync(join(run('rustc', ['--print', 'sysroot']).trim(), 'lib', 'rustlib', TARGET));
  } catch {
    return false;
  }
}

/** Adds the target to the compiler if it lacks it; throws an Error that says what to do where that cannot be done. */
function addTarget() {
  if (installed()) return;
  try {
    run('rustup', ['target', 'add', TARGET], { timeout: 60_000 });
  } catch (cause) {
    const message = `the Rust compiler has no library for ${TARGET}, which recurra-web is built for; install it with: rustup target add ${TARGET}`;
    throw new Error(`${message} (${cause.message})`, { cause });
  }
}

/** Crates whose speed counts; of the others the size does. */
const FAST = ['recurra-kernels', 'pulp'];

/**
 * Builds the module; returns its path. Optimization across crates and no unwinding make it half as large. These
 * settings have a separate build folder: in the usual one, each build would make the other's crates stale.
 */
export function buildModule() {
  addTarget();
  const folder = join(targetDir(), 'web', 'cargo');
  const env = {
    ...process.env,
    CARGO_TARGET_DIR: folder,
    CARGO_PROFILE_RELEASE_OPT_LEVEL: 's',
    CARGO_PROFILE_RELEASE_LTO: 'fat',
    CARGO_PROFILE_RELEASE_PANIC: 'abort',
    CARGO_PROFILE_RELEASE_STRIP: 'symbols',
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: '-Ctarget-feature=+simd128',
  };
  const fast = FAST.flatMap((crate) => ['--config', `profile.release.package.${crate}.opt-level=3`]);
  const build = ['build', '--release', '--locked', '--lib', '-p', 'recurra-web', '--target', TARGET];
  run('cargo', [...build, ...fast], { env });
  return join(folder, TARGET, 'release', 'recurra_web.wasm');
}
