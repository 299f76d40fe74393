export {
  type EpochResult,
  type TrainEpochEmbOptions,
  type TrainEpochOptions,
  trainEpoch,
  trainEpochEmb,
} from './epoch.js';
export { type EvaluateOptions, type EvaluateResult, evaluate } from './evaluate.js';
export type { Batch, BatchInput, BatchSource, Classifier, LossFunction, LossModule, TrainProgress } from './step.js';
