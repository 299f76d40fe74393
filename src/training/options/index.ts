export { type Cell, type ModelOptions, type ModelSettings, modelSettings, type Pooling } from '../../engine/network.js';
export {
  type TextOptions,
  type TextSettings,
  type TokenSettings,
  type Truncation,
  textSettings,
  tokenSettings,
} from '../../text/options.js';
export type { ClassWeights, LearningOptions, LearningSettings, OptimizerName, Schedule } from './learning.js';
export { type TrainOptions, type TrainSettings, trainSettings } from './train.js';
