/**
 * The classifier in browsers, workers and edge runtimes: model files of `recurra`, computed in WebAssembly on the thread that asks.
 *
 * @packageDocumentation
 */
export { ArgumentError, type ErrorCode, ModelFileError, RecurraError } from '../core/errors.js';
export { type LabelProbability, Prediction } from '../models/classifier/prediction.js';
export { type LoadOptions, load, type PredictOptions, WebClassifier } from './classifier.js';
export type { ModuleSource } from './module.js';
export type { ByteSource } from './source.js';
