/**
 * Recurrent text models for Node.js: train, evaluate, save and serve a model on your own texts. Nothing here needs
 * libtorch unless a model is asked to compute on a GPU. Tensors and layers are in `recurra/torch`, the HTTP server in
 * `recurra/serve`.
 *
 * @module recurra
 */

export type { Device } from './core/device.js';
export {
  ArgumentError,
  type ArgumentErrorOptions,
  CudaError,
  DataError,
  DistributedError,
  type DistributedErrorOptions,
  type ErrorCode,
  type FilePosition,
  LibtorchError,
  ModelFileError,
  RecurraError,
  type RecurraErrorOptions,
} from './core/errors.js';
export type { Precision, RecurrentWeights } from './core/precision.js';
export { Random, type RandomState, type Shuffleable } from './core/random.js';
export * from './data/index.js';
export {
  type ExportableModel,
  type ExportedFiles,
  type ExportName,
  type ExportOptions,
  exportModel,
} from './export/index.js';
export { type ImportedModel, type ImportedPooling, type ImportOptions, importModel } from './import/index.js';
export * from './inspection/index.js';
export * from './measures/index.js';
export * from './models/classifier/index.js';
export type { CompressionFacts, CompressOptions, WordBits } from './models/compression/index.js';
export * from './models/language/index.js';
export * from './models/seq2seq/index.js';
export * from './models/tagger/index.js';
export type { CudaDevice, CudaStatus } from './native/cuda.js';
export {
  type AddonStatus,
  type Diagnosis,
  diagnose,
  type LibtorchStatus,
  type Processor,
  type Versions,
} from './native/doctor.js';
export * from './report/index.js';
export * from './tensorboard/index.js';
export * from './text/index.js';
export { type ProgressDisplay, type ProgressDisplayOptions, progressDisplay } from './training/display.js';
export * from './tuning/index.js';
