export type { Attention } from '../../engine/network.js';
export type { SequenceUnitName } from '../../text/units/names.js';
export type { Seq2SeqEvaluationOptions } from './evaluate.js';
export type { DecoderOptions, Seq2SeqModelSettings, Seq2SeqNetworkOptions } from './network.js';
export type {
  PairUnitOptions,
  Seq2SeqEvent,
  Seq2SeqOptions,
  Seq2SeqStart,
  SequenceUnits,
  WritingOptions,
} from './options.js';
export type { Candidate, SearchOptions, Seq2SeqPredictOptions, Translation } from './prediction.js';
export type { Seq2SeqEvaluation, Seq2SeqMeasured, Seq2SeqResult } from './result.js';
export { type PairUnitNames, Seq2Seq } from './seq2seq.js';
