// Which machines there is a libtorch for.

import { systemName, systemOf, systemTitles } from './systems.mjs';

/** The oldest glibc that torch's wheels for Linux are made for (manylinux_2_28). */
const oldestGlibc = '2.28';

const isOlder = (version, than) => {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number));
  return a[0] < b[0] || (a[0] === b[0] && (a[1] ?? 0) < (b[1] ?? 0));
};

/** Why libtorch cannot be fetched for this machine, as a sentence; undefined when it can. `glibc` as in `2.35`, absent but on Linux. */
export function platformProblem({ platform, arch, glibc }) {
  const own = 'Set RECURRA_LIBTORCH to a libtorch 2.11.0 (folder with lib and include) built for this machine.';
  if (!systemOf(systemName({ platform, arch })))
    return `libtorch 2.11.0 is available for ${systemTitles()}; this is ${platform} on ${arch}. ${own}`;
  if (platform !== 'linux') return undefined;
  if (glibc === undefined) return `libtorch is made for glibc; this system has another C library (musl). ${own}`;
  if (isOlder(glibc, oldestGlibc))
    return `libtorch 2.11.0 needs glibc ${oldestGlibc} or newer; this system has ${glibc}. ${own}`;
  return undefined;
}

/** The machine as platformProblem wants it. */
export function thisPlatform() {
  const { platform, arch } = process;
  if (platform !== 'linux') return { platform, arch, glibc: undefined };
  // Otherwise the report resolves the names of open connections, which can take seconds.
  process.report.excludeNetwork = true;
  return { platform, arch, glibc: process.report.getReport().header.glibcVersionRuntime };
}
