// Which machines there is a libtorch for.

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
