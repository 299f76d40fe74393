export {
  type BleuOptions,
  type BleuScore,
  type BleuSmoothing,
  type BleuTokenizer,
  corpusBleu,
  sentenceBleu,
} from './bleu.js';
export type { CalibrationBin, CalibrationResult } from './calibration.js';
export { type Comparison, comparePredictions } from './comparison.js';
export type { LabelMeasures, PrecisionRecall, UndefinedMeasure } from './counts.js';
export type { CoverageAt, CoverageCurve, CoveragePoint } from './coverage.js';
export { editDistance } from './editDistance.js';
export { type EntityReport, type EntityReportOptions, entityReport } from './entities.js';
export type { Evaluation, ExclusiveEvaluation, SureRows, TopK } from './evaluation.js';
export {
  formatClassificationReport,
  formatConfusionMatrix,
  formatConfusions,
  worstConfusions,
} from './format.js';
export { findLabelIssues, type LabelIssue } from './labelIssues.js';
export type { LabelOptions } from './labels.js';
export { type MultiLabelReport, multiLabelReport, type RowsWithoutLabel } from './multiLabel.js';
export type { MultiLabelEvaluation, MultiLabelMeasures } from './multiLabelEvaluation.js';
export {
  type CalibrationOptions,
  calibration,
  logLoss,
  type Scores,
  type TopKOptions,
  topKAccuracy,
} from './probabilities.js';
export { averagePrecision, type RankingMeasures, rocAuc } from './ranking.js';
export {
  type ClassificationReport,
  type Confusion,
  type ConfusionMatrix,
  classificationReport,
  confusionMatrix,
} from './report.js';
export type { EntityEvaluation, TagEvaluation, TaggingEvaluation, TagMistake } from './tagging.js';
export type { Estimate } from './wilson.js';
