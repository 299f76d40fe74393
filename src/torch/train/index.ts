export { type EpochResult, type TrainEpochOptions, trainEpoch } from './epoch.js';
export { type EvaluateOptions, type EvaluateResult, evaluate } from './evaluate.js';
export { DataLoader, type DataLoaderOptions, type Dataset, type RowSource } from './loader.js';
export type { Batch, BatchInput, BatchSource, Classifier, LossFunction, LossModule, TrainProgress } from './step.js';
