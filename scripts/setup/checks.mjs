// What must be on the machine before anything is built, each missing one a sentence that says how to get it.

import { spawnSync } from 'node:child_process';

export { platformProblem, thisPlatform } from '../../src/libtorch/platform.mjs';

const oldestNode = 20;
const oldestRust = [1, 88];

const rustup = "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh";

/** `{ found }` or `{ problem }` for the Node.js that runs this. */
export function checkNode(version = process.versions.node) {
  if (Number.parseInt(version, 10) >= oldestNode) return { found: version };
  return {
    problem: `Node.js ${version} is too old; ${oldestNode} or newer is needed. Get it from https://nodejs.org or with: nvm install 22`,
  };
}

function versionSaidBy(command, args, env) {
  const { status, stdout, error } = spawnSync(command, args, { env, encoding: 'utf8' });
  if (error || status !== 0) return undefined;
  return /(\d+\.\d+[.\w-]*)/.exec(stdout)?.[1];
}

/** `{ found }` or `{ problem }` for cargo and rustc; cargo's version is the toolchain's. */
export function checkRust(env = process.env) {
  const version = versionSaidBy('cargo', ['--version'], env);
  const needed = oldestRust.join('.');
  if (version === undefined)
    return {
      problem: `Rust (cargo) was not found; ${needed} or newer is needed to build the native parts. Get it with: ${rustup}`,
    };
  const [major, minor] = version.split('.').map(Number);
  if (major > oldestRust[0] || (major === oldestRust[0] && minor >= oldestRust[1])) return { found: version };
  return { problem: `Rust ${version} is too old; ${needed} or newer is needed. Run: rustup update stable` };
}

/** What Rust links with, in a few words. Not a problem here: cargo's configuration may name another linker. */
export function linkerFound(env = process.env) {
  const version = versionSaidBy('cc', ['--version'], env);
  return version === undefined
    ? 'cc was not found; Rust links with it. Debian/Ubuntu: apt-get install gcc libc6-dev; Fedora: dnf install gcc'
    : `cc ${version}`;
}

/** `{ found }` or `{ problem }` for the C++ compiler that the binding of libtorch is compiled with (CXX, else c++). */
export function checkCompiler(env = process.env) {
  const command = env.CXX || 'c++';
  // CXX may hold arguments or a wrapper (`ccache g++`), as make takes it.
  const [program, ...args] = command.split(/\s+/).filter(Boolean);
  const version = versionSaidBy(program, [...args, '--version'], env);
  if (version !== undefined) return { found: `${command} ${version}` };
  return {
    problem:
      `A C++ compiler (${command}) was not found; it is needed to build the binding of libtorch. ` +
      'Debian/Ubuntu: apt-get install g++; Fedora: dnf install gcc-c++',
  };
}
