/**
 * Models in browsers, workers and edge runtimes: model files of `recurra`, computed in WebAssembly on the thread that asks.
 *
 * @module recurra-web
 */
export { ArgumentError, type ErrorCode, ModelFileError, RecurraError } from '../core/errors.js';
export type { PrecisionThreshold } from '../models/classifier/certainty.js';
export { type LabelProbability, Prediction } from '../models/classifier/prediction.js';
export type { DrawOptions as GenerateOptions, GeneratedText } from '../models/language/sampling.js';
export type { TaggedSpan, Tagging, TextTagging } from '../models/tagger/prediction.js';
export type { TagScheme } from '../text/tags/scheme.js';
export { type Caution, type CautiousOptions, type PredictOptions, WebClassifier } from './classifier.js';
export { WebLanguageModel } from './language.js';
export { type LoadOptions, load, type WebModel, type WebModels } from './load.js';
export type { ModuleSource } from './module.js';
export type { ByteSource } from './source.js';
export { WebTagger } from './tagger.js';
