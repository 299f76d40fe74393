/**
 * Recurrent text models for Node.js: tensors and recurrent networks with PyTorch's numbers, and a text classifier for
 * those who only want the result.
 *
 * @packageDocumentation
 */

export {
  ArgumentError,
  CudaError,
  DataError,
  type ErrorCode,
  type FilePosition,
  LibtorchError,
  ModelFileError,
  RecurraError,
  type RecurraErrorOptions,
} from './core/errors.js';
export * from './data/index.js';
export * from './measures/index.js';
export * from './models/classifier/index.js';
export type { CudaDevice, CudaStatus } from './native/cuda.js';
export {
  type AddonStatus,
  type Diagnosis,
  diagnose,
  type LibtorchStatus,
  type Processor,
  type Versions,
} from './native/doctor.js';
export * from './tensorboard/index.js';
export * from './text/index.js';
export * from './torch/amp/index.js';
export * from './torch/cuda/index.js';
export * as nn from './torch/nn/index.js';
export * as optim from './torch/optim/index.js';
export {
  type LoadedFile,
  loadFile,
  type NamedTensors,
  type SaveFileOptions,
  saveFile,
} from './torch/safetensors/index.js';
export * from './torch/tensor/index.js';
export * from './torch/train/index.js';
export { type ProgressDisplay, type ProgressDisplayOptions, progressDisplay } from './training/display.js';
