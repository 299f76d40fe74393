import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a driver that does not exist says. */
export interface FakeDriver {
  /** Newest CUDA that it is for; default 13000. */
  version?: number;
  /** What its initialisation returns; default 0. */
  init?: number;
  /** Number of GPUs; default 1. */
  devices?: number;
  /** Compute capability of all; default `[9, 0]`. */
  capability?: [number, number];
}

function compile(source: string, to: string, args: readonly string[] = []): void {
  const file = `${to}.c`;
  writeFileSync(file, source);
  execFileSync('cc', ['-shared', '-fPIC', '-o', to, file, ...args]);
}

/** Makes a folder with a `libcuda.so.1` that answers as it is told; with it in `LD_LIBRARY_PATH` there is a driver, but no GPU. */
export function fakeDriver(folder: string, driver: FakeDriver | 'empty' = {}): string {
  mkdirSync(folder, { recursive: true });
  const to = join(folder, 'libcuda.so.1');
  if (driver === 'empty') {
    compile('int nothing(void) { return 0; }', to);
    return folder;
  }
  const { version = 13_000, init = 0, devices = 1, capability = [9, 0] } = driver;
  compile(
    `#include <stddef.h>
     #include <string.h>
     int cuDriverGetVersion(int *v) { *v = ${version}; return 0; }
     int cuInit(unsigned flags) { return ${init}; }
     int cuDeviceGetCount(int *n) { *n = ${devices}; return 0; }
     int cuDeviceGet(int *d, int i) { *d = i; return 0; }
     int cuDeviceGetName(char *s, int n, int d) { strncpy(s, "Paper GPU", n); return 0; }
     int cuDeviceGetAttribute(int *v, int a, int d) { *v = a == 75 ? ${capability[0]} : ${capability[1]}; return 0; }
     int cuDeviceTotalMem_v2(size_t *b, int d) { *b = 8ul << 30; return 0; }`,
    to,
  );
  return folder;
}

/**
 * Makes a copy of a libtorch, by links, with a `libtorch_cuda.so` of its own, which needs a library that is nowhere, or a function
 * that libtorch has not.
 */
export function fakeLibtorch(folder: string, from: string, needs: { library: string } | { symbol: string }): string {
  const lib = join(folder, 'lib');
  mkdirSync(lib, { recursive: true });
  for (const name of readdirSync(join(from, 'lib'))) symlinkSync(join(from, 'lib', name), join(lib, name));
  const to = join(lib, 'libtorch_cuda.so');
  rmSync(to, { force: true });
  writeFileSync(join(folder, 'build-version'), '2.11.0\n');
  if ('symbol' in needs) {
    compile(`extern int ${needs.symbol}(void); int use(void) { return ${needs.symbol}(); }`, to);
  } else {
    const missing = join(folder, needs.library);
    compile('int used(void) { return 0; }', missing, [`-Wl,-soname,${needs.library}`]);
    compile('extern int used(void); int use(void) { return used(); }', to, [missing]);
    rmSync(missing);
  }
  return folder;
}
