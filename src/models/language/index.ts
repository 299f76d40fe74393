export type { NamedArray } from '../../../index.d.js';
export type { UnitName } from '../../text/units/names.js';
export { LanguageModel, type ScoreOptions, type TextScore } from './language.js';
export type { LanguageNetworkOptions } from './network.js';
export type {
  LanguageEvent,
  LanguageOptions,
  LanguageStart,
  LanguageTexts,
  StreamOptions,
  UnitOptions,
} from './options.js';
export type { GeneratedText, GenerateOptions } from './sampling.js';
export type { LanguageResult } from './validation.js';
