export type { CheckpointOptions } from './checkpoints/options.js';
export { type LoadOptions, type PredictOptions, TextClassifier } from './classifier.js';
export { TrainingError } from './errors.js';
export type { EvaluatedRow, EvaluationOptions } from './evaluate.js';
export type {
  CheckpointEvent,
  EndEvent,
  EpochEvent,
  StartEvent,
  StepEvent,
  TrainingEvent,
  TrainingPlace,
  ValidationEvent,
  WarningEvent,
} from './events/events.js';
export type { ExplainedToken, ExplainMethod, ExplainOptions, Explanation } from './explain.js';
export type {
  Cell,
  ClassWeights,
  LearningOptions,
  ModelOptions,
  ModelSettings,
  OptimizerName,
  Pooling,
  Schedule,
  TextOptions,
  TrainOptions,
  Truncation,
} from './options/index.js';
export { type LabelProbability, Prediction } from './prediction.js';
export type { Progress, ValidationResult } from './progress.js';
export { TrainingRun } from './run.js';
export type { ServingOptions, ServingState } from './serving/options.js';
