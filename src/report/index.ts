import { constraint, invalidArgument } from '../core/errors.js';
import { checkNames, settingsOf } from '../core/options/table.js';
import type { Pairs, Rows } from '../data/readers/rows.js';
import { TextClassifier } from '../models/classifier/classifier.js';
import { LanguageModel } from '../models/language/language.js';
import type { LanguageTexts } from '../models/language/options.js';
import { Seq2Seq } from '../models/seq2seq/seq2seq.js';
import type { TagRows } from '../models/tagger/rows.js';
import { TextTagger } from '../models/tagger/tagger.js';
import { packageVersion } from '../native/addon.js';
import { classifierReport } from './classifier.js';
import type { ClassifierReport, LanguageReport, SequenceReport, TaggerReport } from './format.js';
import { languageReport } from './language.js';
import { REPORT, type ReportOptions } from './options.js';
import { sequenceReport } from './sequence.js';
import { taggerReport } from './tagger.js';

export { type CardModel, type CardOptions, modelCard } from './card.js';
export { type AnyRows, withColumn } from './column.js';
export type {
  ClassifierReport,
  CommonReport,
  ConfusionCell,
  ContributingPart,
  CurvePoint,
  DoubtfulLabel,
  ExplainedMistake,
  Fact,
  Group,
  Grouping,
  LabelShown,
  LanguageReport,
  MarkedPart,
  PositionShown,
  SampleShown,
  ScoredText,
  SequenceReport,
  ShownPair,
  ShownSentence,
  ShownText,
  SpanErrors,
  TaggerReport,
  TrainingShown,
} from './format.js';
export type { ReportOptions, ReportProgress } from './options.js';
export { type ReportPageOptions, reportPage } from './page.js';

/** A report; `kind` tells of which kind of model. */
export type ModelReport = ClassifierReport | TaggerReport | LanguageReport | SequenceReport;

/**
 * Measures a model on rows and makes a report: measures with intervals, confusions, calibration, the most confident
 * mistakes with each token's contribution, rows whose label is probably wrong, and how the model was trained.
 * {@link reportPage} turns it into a page. Rows are read as needed, so they need not fit into memory.
 *
 * @param model - A model of any kind.
 * @param rows - Rows that the model has not seen, as for its `evaluate`: rows with labels, sentences with tags, texts,
 * or pairs.
 * @param options - See {@link ReportOptions}.
 * @throws {@link ArgumentError} for an invalid option; what `evaluate` throws; `ABORTED` if the signal is aborted.
 *
 * @example
 * ```ts
 * const report = await reportModel(model, readCsv('test.csv', { text: 'body', label: 'queue' }));
 * console.log(report.accuracy.value, report.coverage?.at[0]);
 * const page = reportPage(report, { title: 'Tickets' });
 * ```
 */
export function reportModel(model: TextClassifier, rows: Rows, options?: ReportOptions): Promise<ClassifierReport>;
export function reportModel(model: TextTagger, rows: TagRows, options?: ReportOptions): Promise<TaggerReport>;
export function reportModel(
  model: LanguageModel,
  rows: LanguageTexts,
  options?: ReportOptions,
): Promise<LanguageReport>;
export function reportModel(model: Seq2Seq, rows: Pairs, options?: ReportOptions): Promise<SequenceReport>;
export async function reportModel(
  model: TextClassifier | TextTagger | LanguageModel | Seq2Seq,
  rows: Rows | TagRows | LanguageTexts | Pairs,
  options: ReportOptions = {},
): Promise<ModelReport> {
  checkNames('reportModel', options, REPORT);
  const settings = settingsOf(REPORT, options);
  const version = packageVersion();
  if (model instanceof TextClassifier) return classifierReport(model, rows as Rows, settings, version);
  for (const name of ['by', 'labels'] as const)
    if (settings[name])
      throw constraint(name, `${name} applies to classifiers only; the model is a ${model?.constructor?.name}`);
  if (model instanceof TextTagger) return taggerReport(model, rows as TagRows, settings, version);
  if (model instanceof LanguageModel) return languageReport(model, rows as LanguageTexts, settings, version);
  if (model instanceof Seq2Seq) return sequenceReport(model, rows as Pairs, settings, version);
  throw invalidArgument('model', 'a model', model);
}
