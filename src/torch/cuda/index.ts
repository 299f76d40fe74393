import { checkInteger } from '../../core/checks.js';
import { invalidArgument } from '../../core/errors.js';
import { type CudaStatus, cudaStatus, openCuda } from '../../native/cuda.js';
import { torch } from '../../native/torch.js';

/** Precision of float32 products: see {@link setFloat32MatmulPrecision}. */
export type Float32MatmulPrecision = 'highest' | 'high' | 'medium';

/** NVIDIA GPUs, as `torch.cuda`. */
export const cuda = {
  /** Whether there is a GPU that tensors can be moved to. Opens libtorch's CUDA library if there is a driver and a GPU. */
  isAvailable(): boolean {
    return cudaStatus().available;
  },

  /** The number of GPUs that can be used; 0 where {@link cuda.isAvailable} is false. */
  deviceCount(): number {
    return cudaStatus().available ? torch().cudaDeviceCount() : 0;
  },

  /** Whether GPUs can be used, why not, and which there are. */
  status(): CudaStatus {
    return structuredClone(cudaStatus());
  },

  /**
   * Waits until all work on a GPU is done; only needed for measurements, since reading a tensor waits by itself.
   *
   * @param device - Its number. Default 0.
   * @throws `CudaError` if CUDA cannot be used; `INVALID_DEVICE` if there is no such GPU.
   */
  synchronize(device = 0): void {
    checkInteger('device of synchronize', device, 0);
    openCuda();
    torch().cudaSynchronize(device);
  },
} as const;

/**
 * Sets the precision of float32 matrix products for the process, as `torch.set_float32_matmul_precision`: `highest` is
 * exact, `high` may round the factors to TF32 (10 mantissa bits) on a GPU, `medium` to bfloat16. It also applies to
 * cuDNN's recurrent layers: unlike in PyTorch, where they may round to TF32, they are exact by default. Default
 * `highest`.
 *
 * @throws `ArgumentError` for another name.
 */
export function setFloat32MatmulPrecision(precision: Float32MatmulPrecision): void {
  if (!['highest', 'high', 'medium'].includes(precision)) {
    throw invalidArgument('precision', "'highest', 'high' or 'medium'", precision);
  }
  torch().setFloat32MatmulPrecision(precision);
}

/** What {@link setFloat32MatmulPrecision} set. */
export function getFloat32MatmulPrecision(): Float32MatmulPrecision {
  return torch().float32Precision().matmul as Float32MatmulPrecision;
}
