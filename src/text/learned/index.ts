export { LearnedVectors } from './learnedVectors.js';
export { learnVectors } from './learnVectors.js';
export type { LearnVectorsOptions, VectorLearningProgress, VectorModel } from './options.js';
