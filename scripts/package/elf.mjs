// Which versions of the C and C++ libraries a shared library asks for, read with binutils' objdump.

import { spawnSync } from 'node:child_process';

/**
 * The newest symbol versions of PEP 600's manylinux_2_28, which libtorch's own wheel promises: glibc 2.28, and the
 * libstdc++ of GCC 8.
 */
export const newestAllowed = { GLIBC: '2.28', GLIBCXX: '3.4.24', CXXABI: '1.3.11', GCC: '7.0.0' };

/** Negative when version `a` is older than `b`, part by part. */
export function compareVersions(a, b) {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number));
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function objdump(flag, file) {
  const { status, stdout, stderr, error } = spawnSync('objdump', [flag, file], {
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  });
  if (error) throw new Error(`objdump (of binutils) could not be started: ${error.message}`);
  if (status !== 0) throw new Error(`objdump ${flag} ${file}: ${stderr.trim()}`);
  return stdout;
}

/** The newest version of each library's symbols that the file asks for: `{ GLIBC: '2.14', GLIBCXX: '3.4.21' }`. */
export function symbolVersions(file) {
  const newest = {};
  for (const line of objdump('-T', file).split('\n')) {
    if (!line.includes('*UND*')) continue;
    const [, library, version] = /\b(GLIBC|GLIBCXX|CXXABI|GCC)_(\d[\d.]*)/.exec(line) ?? [];
    if (library && (newest[library] === undefined || compareVersions(version, newest[library]) > 0))
      newest[library] = version;
  }
  return newest;
}

/** The libraries that the file names: `['libc.so.6']`. */
export function neededLibraries(file) {
  return [...objdump('-p', file).matchAll(/^\s*NEEDED\s+(\S+)/gm)].map(([, name]) => name);
}

/** Throws an Error naming each symbol version of the file that manylinux_2_28 does not have. */
export function checkSymbolVersions(file) {
  const versions = symbolVersions(file);
  const tooNew = Object.entries(versions).filter(([library, v]) => compareVersions(v, newestAllowed[library]) > 0);
  if (tooNew.length > 0)
    throw new Error(
      `${file} asks for ${tooNew.map(([library, v]) => `${library}_${v}`).join(', ')}; allowed are at most ` +
        tooNew.map(([library]) => `${library}_${newestAllowed[library]}`).join(', '),
    );
  return versions;
}
