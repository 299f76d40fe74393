export type { ClassWeights, LearningOptions, LearningSettings, OptimizerName, Schedule } from './learning.js';
export { type Cell, type ModelOptions, type ModelSettings, modelSettings, type Pooling } from './model.js';
export {
  type TextOptions,
  type TextSettings,
  type TokenSettings,
  type Truncation,
  textSettings,
  tokenSettings,
} from './text.js';
export { type TrainOptions, type TrainSettings, trainSettings } from './train.js';
