export {
  LEARNING,
  type LearningOptions,
  type LearningSettings,
  type Schedule,
} from './learning.js';
export {
  COMPUTE,
  RUN,
  type RunOptions,
  type TrainingOptions,
  type TrainingSettings,
  trainingSettings,
} from './train.js';
