/** `true` if the C library is musl (such as on Alpine), which libtorch has no build for. */
export function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const report = process.report as unknown as {
    excludeNetwork?: boolean;
    getReport(): { header?: { glibcVersionRuntime?: string } };
  };
  // Otherwise the report resolves the names of open connections, which can take seconds.
  const before = report.excludeNetwork;
  report.excludeNetwork = true;
  try {
    return !report.getReport().header?.glibcVersionRuntime;
  } finally {
    report.excludeNetwork = before ?? false;
  }
}

let cached: string | undefined;

/** This platform as napi-rs names it, such as `linux-x64-gnu`. */
export function platformName(): string {
  if (cached) return cached;
  const { platform, arch } = process;
  const suffix = platform === 'linux' ? (isMusl() ? '-musl' : '-gnu') : platform === 'win32' ? '-msvc' : '';
  cached = `${platform}-${arch}${suffix}`;
  return cached;
}
