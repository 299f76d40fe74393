export type { Plain } from '../../core/plain.js';
export type { Mix } from '../../engine/linear.js';
export type { Cell, NetworkOptions, NetworkSettings, OptimizerName, Pooling } from '../../engine/network.js';
export type { Truncation } from '../../text/extent.js';
export type { TextOptions } from '../../text/options.js';
export type { CheckpointOptions } from '../../training/checkpoints/options.js';
export type { DistributedOptions } from '../../training/distributed/options.js';
export { TrainingError } from '../../training/errors.js';
export type {
  BestResult,
  CheckpointEvent,
  Choice,
  EndEvent,
  EpochEvent,
  PrepareEvent,
  StepEvent,
  TaskEvent,
  TrainingPlace,
  TrainingStart,
  ValidationEvent,
  WarningEvent,
} from '../../training/events/events.js';
export type { EncoderOptions, PretrainedEncoder } from '../../training/options/encoder.js';
export type { LearningOptions, Schedule } from '../../training/options/learning.js';
export type { RunOptions, TrainingOptions, Unlabelled } from '../../training/options/train.js';
export type { Progress, Validation, ValidationResult } from '../../training/progress.js';
export type { RecordedData, RecordedEpoch, TrainingRecord } from '../../training/record.js';
export { TrainingRun } from '../../training/run.js';
export type { TrainedModel } from '../../training/task.js';
export type { LoadOptions } from '../load.js';
export { TextModel } from '../model.js';
export type { ServingOptions, ServingState } from '../serving/options.js';
export type { OnUnknownLabel } from '../unknownLabels.js';
export type { PrecisionThreshold } from './certainty.js';
export { TextClassifier } from './classifier.js';
export type { EvaluatedRow, EvaluationOptions } from './evaluate.js';
export type { ExplainedToken, ExplainMethod, ExplainOptions, Explanation } from './explain.js';
export type { ClassifierHeadOptions, ClassifierInputOptions, ModelOptions, ModelSettings } from './network.js';
export type {
  ClassifierLossOptions,
  ClassWeights,
  EnsembleOptions,
  LinearOptions,
  StartEvent,
  TrainingEvent,
  TrainOptions,
} from './options.js';
export { type LabelProbability, Prediction } from './prediction.js';
export type { Caution, CautiousOptions, PredictOptions } from './predictOptions.js';
export type { TuneOptions } from './tuning/options.js';
