import { checkInteger } from '../../core/checks.js';
import { invalidArgument } from '../../core/errors.js';
import { type CudaStatus, cudaStatus, openCuda } from '../../native/cuda.js';
import { torch } from '../../native/torch.js';

/** How exactly float32 is computed: see {@link setFloat32MatmulPrecision}. */
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
   * Waits until everything that was started on a GPU is done; only measurements need it, since reading a tensor waits by itself.
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
 * Sets how exactly products of float32 matrices are computed, as `torch.set_float32_matmul_precision`, for the process:
 * `highest` exactly, `high` may round the factors to TF32 (10 bits behind the point) on a GPU, `medium` to bfloat16. cuDNN's
 * recurrent layers go with it: unlike PyTorch, which lets them round to TF32, they are exact by default. Default `highest`.
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
