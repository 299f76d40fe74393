export { type LoadOptions, type PredictOptions, TextClassifier } from './classifier.js';
export { formatConfusionMatrix } from './confusion.js';
export { TrainingError } from './errors.js';
export type { Evaluation } from './metrics.js';
export type { Cell, ModelOptions, ModelSettings, Pooling, Schedule, TextOptions, TrainOptions } from './options.js';
export { type LabelProbability, Prediction } from './prediction.js';
export type { Progress, ValidationResult } from './progress.js';
