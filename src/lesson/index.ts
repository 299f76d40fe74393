/**
 * The helpers of PyTorch's lesson on recurrent networks, under the names that the lesson gives them: AG News, collate
 * functions and the training loop for bags of words. A port of the lesson imports them along with `recurra/torch`.
 *
 * @module recurra/lesson
 */
export {
  AG_NEWS_CLASSES,
  type AgNews,
  type AgNewsOptions,
  type AgNewsPart,
  agNews,
  encode,
  loadDataset,
  type TextEncodeOptions,
} from './agNews.js';
export { offsetify, type PadOptions, padify, padLength, type TokenRow } from './collate.js';
export { type TrainEpochEmbOptions, trainEpochEmb } from './epoch.js';
