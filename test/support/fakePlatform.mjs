// Makes a Node believe that it runs on another platform: `node --import ./test/support/fakePlatform.mjs ...` with RECURRA_FAKE_PLATFORM
// such as `linux arm64 musl`, or `fakePlatform` in a test.

/** Pretends to be a platform, with glibc unless `libc` is another; returns what takes it back. */
export function fakePlatform(platform, arch, libc = 'glibc') {
  const before = { platform: process.platform, arch: process.arch };
  const { getReport } = process.report;
  const set = (values) => {
    for (const [name, value] of Object.entries(values)) Object.defineProperty(process, name, { value });
  };
  set({ platform, arch });
  process.report.getReport = () => ({ header: libc === 'glibc' ? { glibcVersionRuntime: '2.36' } : {} });
  return () => {
    set(before);
    process.report.getReport = getReport;
  };
}

const { RECURRA_FAKE_PLATFORM } = process.env;
if (RECURRA_FAKE_PLATFORM) fakePlatform(...RECURRA_FAKE_PLATFORM.split(' '));
