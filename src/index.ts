/**
 * Recurrent text models for Node.js: tensors and recurrent networks with PyTorch's numbers, and a text classifier for
 * those who only want the result.
 *
 * @packageDocumentation
 */
export * from './amp/index.js';
export * from './classifier/index.js';
export { type ProgressDisplay, type ProgressDisplayOptions, progressDisplay } from './cli/progress.js';
export * from './cuda/index.js';
export * from './data/index.js';
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
} from './errors.js';
export * from './measures/index.js';
export type { CudaDevice, CudaStatus } from './native/cuda.js';
export {
  type AddonStatus,
  type Diagnosis,
  diagnose,
  type LibtorchStatus,
  type Processor,
  type Versions,
} from './native/doctor.js';
export * as nn from './nn/index.js';
export * as optim from './optim/index.js';
export { type LoadedFile, loadFile, type NamedTensors, type SaveFileOptions, saveFile } from './safetensors/index.js';
export * from './tensor/index.js';
export * from './tensorboard/index.js';
export * from './text/index.js';
export * from './train/index.js';
