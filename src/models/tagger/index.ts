export type { Decoder } from '../../engine/network.js';
export type { SubwordOptions, SubwordSettings } from '../subwords.js';
export type { EvaluatedTags, TagEvaluationOptions } from './evaluate.js';
export type {
  TaggerHeadOptions,
  TaggerInputOptions,
  TaggerModelOptions,
  TaggerModelSettings,
} from './network.js';
export type { TaggerStartEvent, TaggerTextOptions, TaggerTrainingEvent, TaggerTrainOptions } from './options.js';
export type { TaggedSpan, Tagging, TextTagging } from './prediction.js';
export type { TagRow, TagRows, TagsNoted } from './rows.js';
export { type TaggerLoadOptions, type TagPredictOptions, TextTagger } from './tagger.js';
export type { TaggerTokenizer } from './tokenizer.js';
export type { TaggerTuneOptions } from './tuning/options.js';
export type { TagValidation } from './validation.js';
