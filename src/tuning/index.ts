export type {
  Trial,
  Tuning,
  TuningEvent,
  TuningFailure,
  TuningPlace,
  TuningRetraining,
  TuningStart,
  TuningTrial,
} from './events.js';
export type { TuningOptions } from './options.js';
export type { TuningMetric } from './score.js';
