import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { LocatedLibtorch } from './libtorch.js';
import { light } from './light.js';

/** Whether CUDA can be used, and why not. */
export interface CudaStatus {
  /** `true` if tensors can be moved to a GPU. */
  available: boolean;
  /** Why it is not available; absent if it is. */
  reason?: string;
}

/** Finds out about CUDA without using it: the driver first, then the libraries. */
export function cudaStatus(located: LocatedLibtorch | undefined): CudaStatus {
  if (process.platform !== 'linux') return { available: false, reason: `not supported on ${process.platform}` };
  const driver = light().whyNotLoadable('libcuda.so.1');
  if (driver !== null) return { available: false, reason: `no NVIDIA driver (${driver})` };
  if (!located) return { available: false, reason: 'libtorch was not found' };
  if (!existsSync(join(located.folder, 'libtorch_cuda.so'))) {
    return { available: false, reason: `the libtorch in ${located.folder} is the CPU build (no libtorch_cuda.so)` };
  }
  return { available: false, reason: 'this version of recurra computes on the CPU only' };
}
