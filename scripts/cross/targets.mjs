// The platforms that the light addon is built for besides the current one: what Rust and the linkers call each, and
// what its npm package says of where it fits.

/**
 * `triple` is Rust's name on a machine of that platform or on a public CI; `crossTriple` the one that another machine compiles for, where
 * they differ. `needs` is what the file may link; anything else is a fault of the build.
 */
export const targets = {
  'linux-arm64-gnu': {
    triple: 'aarch64-unknown-linux-gnu',
    linker: 'zig',
    glibc: '2.17',
    os: 'linux',
    cpu: 'arm64',
    libc: 'glibc',
    title: 'Linux on arm64 with glibc 2.17 or newer',
    needs: /^(libc|libm|libpthread|libdl|ld-linux-aarch64)\.so\.\d+$/,
  },
  'linux-arm64-musl': {
    triple: 'aarch64-unknown-linux-musl',
    linker: 'zig',
    os: 'linux',
    cpu: 'arm64',
    libc: 'musl',
    title: 'Linux on arm64 with musl (Alpine)',
    needs: /^libc\.so$/,
  },
  'linux-x64-musl': {
    triple: 'x86_64-unknown-linux-musl',
    linker: 'zig',
    os: 'linux',
    cpu: 'x64',
    libc: 'musl',
    title: 'Linux on x86-64 with musl (Alpine)',
    needs: /^libc\.so$/,
  },
  'win32-x64-msvc': {
    triple: 'x86_64-pc-windows-msvc',
    // Microsoft's libraries are there on Windows only. The addon has a C interface, so that a Node built with MSVC loads one
    // that mingw linked.
    crossTriple: 'x86_64-pc-windows-gnu',
    linker: 'mingw',
    os: 'win32',
    cpu: 'x64',
    title: 'Windows on x86-64',
    needs: /^(KERNEL32|msvcrt|ntdll|bcryptprimitives|ADVAPI32|USERENV|WS2_32|api-ms-win-[\w-]+)\.dll$/i,
  },
  'darwin-arm64': {
    triple: 'aarch64-apple-darwin',
    linker: 'lld',
    macos: '11.0',
    os: 'darwin',
    cpu: 'arm64',
    title: 'macOS 11 or newer on Apple silicon',
    needs: /^(\/usr\/lib\/(libSystem\.B|libiconv\.2|libcharset\.1)\.dylib|@rpath\/recurra\..*\.node)$/,
  },
  'darwin-x64': {
    triple: 'x86_64-apple-darwin',
    linker: 'lld',
    macos: '11.0',
    os: 'darwin',
    cpu: 'x64',
    title: 'macOS 11 or newer on Intel',
    needs: /^(\/usr\/lib\/(libSystem\.B|libiconv\.2|libcharset\.1)\.dylib|@rpath\/recurra\..*\.node)$/,
  },
};

/** The target of a name; throws an Error with the known ones. */
export function targetOf(name) {
  const target = targets[name];
  if (!target) throw new Error(`there is no target ${name}; there are ${Object.keys(targets).join(', ')}`);
  return { name, ...target };
}
