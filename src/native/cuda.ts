import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CudaError, type ErrorCode, RecurraError } from '../core/errors.js';
import { locateLibtorch } from './libtorch.js';
import { light } from './light.js';
import { openedFolder, torch } from './torch.js';

/** A GPU as reported by NVIDIA's driver. */
export interface CudaDevice {
  /** Such as `NVIDIA H100 80GB HBM3`. */
  name: string;
  /** Compute capability, such as `9.0`. */
  computeCapability: string;
  /** Memory in bytes. */
  memory: number;
}

/** Whether CUDA can be used, and why not. */
export interface CudaStatus {
  /** `true` if tensors can be moved to a GPU. */
  available: boolean;
  /** Why it is not available, as the `code` of the error that requesting it throws; absent if it is available. */
  code?: ErrorCode;
  /** Why it is not available, in words; absent if it is available. */
  reason?: string;
  /** Latest CUDA version that the driver supports, such as `13.0`; absent without a driver. */
  driver?: string;
  /** The GPUs listed by the driver, in order: the first is `cuda:0`. */
  devices: CudaDevice[];
}

/** The CUDA version that libtorch 2.11.0 was compiled for, and its minimum driver. */
const NEEDED = { cuda: 13_000, driver: 580 };
/** Minimum compute capability of libtorch's kernels for CUDA 13: Turing. */
const LEAST_CAPABILITY = 7.5;
/** The driver's results without a GPU, and with different versions of driver and kernel module. */
const NO_DEVICE = 100;
const DRIVER_MISMATCH = 803;

const LIBRARY = 'libtorch_cuda.so';
const INSTALL = 'npx recurra libtorch install --cuda';

/** `13000` as `13.0`. */
function cudaVersion(number: number): string {
  return `${Math.floor(number / 1000)}.${Math.floor((number % 1000) / 10)}`;
}

/** Asks the driver and writes the answers into `status`, even if they are insufficient. */
function checkDriver(status: CudaStatus): void {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new CudaError('CUDA_NO_DRIVER', `CUDA is not supported on ${process.platform}-${process.arch}`);
  }
  const { missing, version, status: result, devices } = light().cudaDriver();
  if (missing !== undefined && missing !== null) throw new CudaError('CUDA_NO_DRIVER', `no NVIDIA driver (${missing})`);
  status.driver = cudaVersion(version);
  status.devices = devices.map(({ name, major, minor, memory }) => ({
    name,
    computeCapability: `${major}.${minor}`,
    memory,
  }));
  const update = `install driver ${NEEDED.driver} or newer`;
  if (version < NEEDED.cuda) {
    throw new CudaError(
      'CUDA_WRONG_VERSION',
      `the NVIDIA driver is for CUDA ${status.driver}, but libtorch needs ${cudaVersion(NEEDED.cuda)}: ${update}`,
    );
  }
  if (result === DRIVER_MISMATCH) {
    throw new CudaError(
      'CUDA_WRONG_VERSION',
      "the NVIDIA driver's library and kernel module have different versions: restart the machine after a driver update",
    );
  }
  const hidden = process.env.CUDA_VISIBLE_DEVICES;
  const why = hidden === undefined ? '' : `; CUDA_VISIBLE_DEVICES is ${JSON.stringify(hidden)}`;
  if (result === NO_DEVICE || (result === 0 && devices.length === 0)) {
    throw new CudaError('CUDA_NO_DEVICE', `the NVIDIA driver finds no GPU${why}`);
  }
  if (result !== 0) throw new CudaError('CUDA_NO_DEVICE', `the NVIDIA driver does not start: error ${result}${why}`);
  if (status.devices.every(({ computeCapability }) => Number(computeCapability) < LEAST_CAPABILITY)) {
    const { name, computeCapability } = status.devices[0]!;
    throw new CudaError(
      'CUDA_NO_DEVICE',
      `${name} has compute capability ${computeCapability}, but libtorch for CUDA 13 needs ${LEAST_CAPABILITY}`,
    );
  }
}

/** Path of libtorch's CUDA library. */
function cudaLibrary(): string {
  const folder = openedFolder() ?? locateLibtorch().folder;
  const path = join(folder, LIBRARY);
  if (existsSync(path)) return path;
  throw new CudaError(
    'CUDA_LIBRARIES_MISSING',
    `the libtorch in ${folder} is the CPU build (no ${LIBRARY}): run ${INSTALL}`,
  );
}

/** Opens libtorch's CUDA library, whose initialisers register it with the already loaded libtorch. */
function openLibrary(path: string): void {
  try {
    light().openLibtorch(path);
  } catch (error) {
    if (!(error instanceof RecurraError)) throw error;
    const missing = /(\S+): cannot open shared object file/.exec(error.message)?.[1];
    if (missing !== undefined) {
      throw new CudaError('CUDA_LIBRARIES_MISSING', `${path} needs ${missing}, which was not found: run ${INSTALL}`);
    }
    const code = /undefined symbol|version `/.test(error.message) ? 'CUDA_WRONG_VERSION' : 'CUDA_LIBRARIES_MISSING';
    throw new CudaError(code, `${path} cannot be opened: ${error.message}`);
  }
}

let opened: CudaStatus | undefined;

/** Opens CUDA and looks for a device; stops at the first missing part. */
function begin(status: CudaStatus): void {
  checkDriver(status);
  const path = cudaLibrary();
  const binding = torch();
  openLibrary(path);
  try {
    binding.beginCuda();
  } catch (error) {
    if (error instanceof RecurraError && error.code === 'INVALID_DEVICE') {
      throw new CudaError('CUDA_NO_DEVICE', error.message);
    }
    throw error;
  }
}

/** Whether CUDA can be used, determined by opening what it needs; nothing is opened without a driver or a GPU. */
export function cudaStatus(): CudaStatus {
  if (opened) return opened;
  const status: CudaStatus = { available: false, devices: [] };
  try {
    begin(status);
    status.available = true;
    opened = status;
  } catch (error) {
    if (!(error instanceof RecurraError)) throw error;
    status.code = error.code;
    // The list of searched places belongs to libtorch's own error; here, one line is enough.
    status.reason =
      error.code === 'LIBTORCH_NOT_FOUND' ? `libtorch was not found: run ${INSTALL}` : error.message.split('\n')[0]!;
  }
  return status;
}

/**
 * Opens CUDA, at the first call.
 *
 * @throws {@link CudaError} with the reason why it cannot be used.
 */
export function openCuda(): void {
  const { available, code = 'CUDA_NO_DEVICE', reason } = cudaStatus();
  if (!available) throw new CudaError(code, `CUDA cannot be used: ${reason}`);
}

let asked = false;

/**
 * Call this before a backward pass: libtorch caches CUDA availability at the first one. So if its CUDA library is
 * installed and there is a driver with a GPU, CUDA must be opened now.
 */
export function beforeBackward(): void {
  if (asked) return;
  asked = true;
  const folder = openedFolder();
  if (folder !== undefined && existsSync(join(folder, LIBRARY))) cudaStatus();
}
