// The environment in which crates that link libtorch are built and tested.

import { existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The libraries that are linked, by name; the CUDA parts and Python's are not among them. */
const linked = /^lib(torch|torch_cpu|c10|gomp)\.so/;

/**
 * A libtorch with `libtorch_cuda.so` in its lib/ would make the addon need CUDA at run time. Such a one is linked
 * through a folder of symbolic links that leaves the CUDA parts out; any other is used as it is.
 */
function withoutCuda(libtorch, targetDir) {
  const lib = join(libtorch, 'lib');
  if (!existsSync(join(lib, 'libtorch_cuda.so'))) return libtorch;
  const view = join(targetDir, 'libtorch-cpu-view');
  const links = { include: join(libtorch, 'include') };
  for (const name of readdirSync(lib)) if (linked.test(name)) links[`lib/${name}`] = join(lib, name);
  mkdirSync(join(view, 'lib'), { recursive: true });
  for (const [name, to] of Object.entries(links)) {
    const link = join(view, name);
    // Left alone where it is right: another build may be using it.
    if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() && readlinkSync(link) === to) continue;
    rmSync(link, { force: true });
    symlinkSync(to, link);
  }
  return view;
}

/** For cargo build: torch-sys reads LIBTORCH and must not ask a Python. */
export function libtorchBuildEnv(libtorch, targetDir) {
  return { LIBTORCH: withoutCuda(libtorch, targetDir), LIBTORCH_USE_PYTORCH: undefined };
}

/** For cargo test: the test programs, unlike the addons, find libtorch by the search path. */
export function libtorchTestEnv(libtorch, targetDir) {
  const name = { darwin: 'DYLD_LIBRARY_PATH', win32: 'PATH' }[process.platform] ?? 'LD_LIBRARY_PATH';
  const path = [join(libtorch, 'lib'), process.env[name]].filter(Boolean).join(delimiter);
  return { ...libtorchBuildEnv(libtorch, targetDir), [name]: path };
}
