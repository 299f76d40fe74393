/**
 * Tensors, layers, optimizers and training loops with PyTorch's names and numbers, over libtorch. For models of the
 * standard kinds use `recurra`, which needs no libtorch.
 *
 * @module recurra/torch
 */
export type { Device } from '../core/device.js';
export type { Precision } from '../core/precision.js';
export type { CudaDevice, CudaStatus } from '../native/cuda.js';
export * from './amp/index.js';
export * from './cuda/index.js';
/** Distributed computation, as `torch.distributed`. */
export * as distributed from './distributed/index.js';
export * as nn from './nn/index.js';
export * as optim from './optim/index.js';
export {
  type LoadedFile,
  load,
  loadFile,
  type NamedTensors,
  type SaveFileOptions,
  save,
  saveFile,
} from './safetensors/index.js';
export * from './tensor/index.js';
export * from './train/index.js';
export * from './utils/index.js';
