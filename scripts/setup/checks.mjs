// What must be on the machine before anything is built, each missing one a sentence that says how to get it.

import { spawnSync } from 'node:child_process';

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

/** Why libtorch cannot be fetched for this machine, as a sentence; undefined when it can. `glibc` as in `2.35`. */
export function platformProblem({ platform, arch, glibc }) {
  const own = 'Set RECURRA_LIBTORCH to a libtorch 2.11.0 (folder with lib and include) built for this machine.';
  if (platform !== 'linux' || arch !== 'x64')
    return `libtorch is fetched for Linux on x86-64 only; this is ${platform} on ${arch}. ${own}`;
  if (glibc === undefined) return `libtorch is made for glibc; this system has another C library (musl). ${own}`;
  const [major, minor] = glibc.split('.').map(Number);
  if (major < 2 || (major === 2 && minor < 28))
    return `libtorch 2.11.0 needs glibc 2.28 or newer; this system has ${glibc}. ${own}`;
  return undefined;
}

/** The machine as platformProblem wants it. */
export function thisPlatform() {
  const { platform, arch } = process;
  if (platform !== 'linux') return { platform, arch, glibc: undefined };
  // Without this the report resolves the names of open connections, which can take seconds.
  process.report.excludeNetwork = true;
  return { platform, arch, glibc: process.report.getReport().header.glibcVersionRuntime };
}
