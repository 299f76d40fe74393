// What happens where CUDA is asked for and something is missing. The drivers are made up (a library that answers as a driver
// does), so these tests run where there is none; `LD_LIBRARY_PATH` must be there before a process begins, so each is one.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Diagnosis, diagnose } from '../../../src/index.js';
import { type FakeDriver, fakeDriver, fakeLibtorch } from '../../support/fakeCuda.js';
import { temporaryFolder } from '../../support/folder.js';

const folder = temporaryFolder();
const { libtorch, cuda: found } = diagnose();
// A driver of this machine is found wherever the made-up one is looked for.
const hasDriver = found.code !== 'CUDA_NO_DRIVER';
if (hasDriver) console.warn('skipped: a machine without driver, and one with the CPU libraries; this one has a driver');
const isLinux = process.platform === 'linux' && process.arch === 'x64';

let names = 0;
const driver = (what: FakeDriver = {}) => fakeDriver(join(folder, `driver-${names++}`), what);

/** Runs a program in a process of its own; `driver` is the folder of a driver, by default one without any. */
function run(code: string, driver = folder, env: NodeJS.ProcessEnv = {}) {
  const { LD_LIBRARY_PATH: _, ...rest } = process.env;
  const result = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
    env: { ...rest, LD_LIBRARY_PATH: driver, ...env },
  });
  return { ...result, lines: result.stdout.trim().split('\n') };
}

/** Asks for CUDA, then computes on the CPU, and ends. */
const ASK = `import { CudaError } from './dist/index.js';
import { cuda, zeros, nn, ones } from './dist/torch/index.js';
  const { available, code, reason, driver, devices } = cuda.status();
  console.log(JSON.stringify({ available, code, reason, driver, devices }));
  for (const ask of [() => zeros([2], { device: 'cuda' }), () => ones([1]).to({ device: 'cuda:1' }), () => new nn.LSTM(2, 3, { device: 'cuda' }), () => new nn.Linear(2, 2).to({ device: 'cuda' }), () => cuda.synchronize()])
    try { ask(); console.log('no error'); } catch (error) { console.log(error instanceof CudaError, error.code); }
  const x = ones([3], { requiresGrad: true });
  x.mul(2).sum().backward();
  const maps = (await import('node:fs')).readFileSync('/proc/self/maps', 'utf8');
  console.log(x.grad.sum().item(), cuda.deviceCount(), maps.includes('libtorch_cuda'));`;

/** What {@link ASK} says where CUDA cannot be used; everything else must work, and the process end as it should. */
function failure(driver?: string, env: NodeJS.ProcessEnv = {}) {
  const { lines, status, stderr } = run(ASK, driver, env);
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  const found = JSON.parse(lines[0]!);
  expect(found.available).toBe(false);
  expect(lines.slice(1)).toEqual([...Array(5).fill(`true ${found.code}`), '6 0 false']);
  return found;
}

describe.runIf(isLinux)('CUDA where something is missing', () => {
  let links: string;
  beforeAll(() => {
    links = dirname(libtorch.folder!);
  });

  it.skipIf(hasDriver)('has no driver', () => {
    const found = failure();
    expect(found).toMatchObject({ code: 'CUDA_NO_DRIVER', devices: [] });
    expect(found.reason).toMatch(/^no NVIDIA driver \(libcuda\.so\.1: cannot open shared object file/);
  });

  it('has a library that is no driver', () => {
    const { code, reason } = failure(fakeLibrary());
    expect(code).toBe('CUDA_NO_DRIVER');
    expect(reason).toMatch(/libcuda\.so\.1 has no cuDriverGetVersion/);
  });

  it('has a driver that is too old', () => {
    const found = failure(driver({ version: 12_040 }));
    expect(found).toMatchObject({ code: 'CUDA_WRONG_VERSION', driver: '12.4' });
    expect(found.reason).toBe(
      'the NVIDIA driver is for CUDA 12.4, but libtorch needs 13.0: install driver 580 or newer',
    );
  });

  it('has a driver whose kernel module is of another version', () => {
    expect(failure(driver({ init: 803 }))).toMatchObject({ code: 'CUDA_WRONG_VERSION' });
  });

  it('has a driver but no GPU', () => {
    const none = failure(driver({ init: 100 }));
    expect(none).toMatchObject({ code: 'CUDA_NO_DEVICE', reason: 'the NVIDIA driver finds no GPU' });
    const hidden = failure(driver({ devices: 0 }), { CUDA_VISIBLE_DEVICES: '' });
    expect(hidden.reason).toBe('the NVIDIA driver finds no GPU; CUDA_VISIBLE_DEVICES is ""');
    expect(failure(driver({ init: 999 })).reason).toMatch(/does not start: error 999/);
  });

  it('has a GPU that is too old', () => {
    const { code, reason, devices } = failure(driver({ capability: [7, 0] }));
    expect(code).toBe('CUDA_NO_DEVICE');
    expect(reason).toBe('Paper GPU has compute capability 7.0, but libtorch for CUDA 13 needs 7.5');
    expect(devices).toEqual([{ name: 'Paper GPU', computeCapability: '7.0', memory: 8 * 2 ** 30 }]);
  });

  it.skipIf(hasDriver)('has the libtorch for CPUs', () => {
    const { code, reason } = failure(driver());
    expect(code).toBe('CUDA_LIBRARIES_MISSING');
    expect(reason).toMatch(/is the CPU build \(no libtorch_cuda\.so\): run npx recurra libtorch install --cuda$/);
  });

  it('lacks one of the libraries, and says which', () => {
    const fake = fakeLibtorch(join(folder, 'without-cudnn'), links, { library: 'libcudnn.so.9' });
    const { code, reason } = failure(driver(), { RECURRA_LIBTORCH: fake });
    expect(code).toBe('CUDA_LIBRARIES_MISSING');
    expect(reason).toMatch(/libtorch_cuda\.so needs libcudnn\.so\.9, which was not found: run npx recurra libtorch/);
  });

  it('has a CUDA library of another libtorch', () => {
    const fake = fakeLibtorch(join(folder, 'other'), links, { symbol: 'at_that_never_was' });
    const { code, reason } = failure(driver(), { RECURRA_LIBTORCH: fake });
    expect(code).toBe('CUDA_WRONG_VERSION');
    expect(reason).toMatch(/undefined symbol: at_that_never_was/);
  });

  it('is in what recurra doctor says, also as JSON', () => {
    const old = driver({ version: 12_080 });
    const doctor = (...args: string[]) =>
      spawnSync(process.execPath, ['dist/cli/main.js', 'doctor', ...args], {
        encoding: 'utf8',
        env: { ...process.env, LD_LIBRARY_PATH: old },
      });
    const json = doctor('--json');
    expect(json.status).toBe(0);
    const { cuda } = JSON.parse(json.stdout) as Diagnosis;
    expect(cuda).toMatchObject({ available: false, code: 'CUDA_WRONG_VERSION', driver: '12.8' });
    expect(cuda.reason).toMatch(/is for CUDA 12\.8/);
    expect(doctor().stdout).toMatch(
      /CUDA {6}not available: the NVIDIA driver is for CUDA 12\.8.*\n {10}cuda:0 Paper GPU, 8\.0 GiB/,
    );
  });

  // The real libraries are 3.7 GB, so nobody has them by chance.
  const cudaLibtorch = process.env.RECURRA_TEST_CUDA_LIBTORCH;
  if (!cudaLibtorch) console.warn('skipped: the real CUDA libraries; RECURRA_TEST_CUDA_LIBTORCH names no libtorch');
  it.skipIf(!cudaLibtorch)('opens the real CUDA libraries where the driver is no real one, and goes on', () => {
    const { lines, status, stderr } = run(ASK, driver(), { RECURRA_LIBTORCH: cudaLibtorch });
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    const { code, reason } = JSON.parse(lines[0]!);
    expect(code).toBe('CUDA_NO_DEVICE');
    expect(reason).toMatch(/^libtorch cannot use the GPU: CUDA initialization/);
    expect(lines.at(-1)).toBe('6 0 true');
  });
});

function fakeLibrary(): string {
  return fakeDriver(join(folder, 'no-driver'), 'empty');
}
