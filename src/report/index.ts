import { invalidArgument } from '../core/errors.js';
import { checkNames, settingsOf } from '../core/options/table.js';
import type { Rows } from '../data/readers/rows.js';
import { TextClassifier } from '../models/classifier/classifier.js';
import { packageVersion } from '../native/addon.js';
import { classifierReport } from './classifier.js';
import type { ClassifierReport } from './format.js';
import { REPORT, type ReportOptions } from './options.js';

export { type CardModel, type CardOptions, modelCard } from './card.js';
export { withColumn } from './column.js';
export type {
  ClassifierReport,
  CommonReport,
  CurvePoint,
  DoubtfulLabel,
  ExplainedMistake,
  Fact,
  Group,
  Grouping,
  LabelShown,
  ShownText,
  TrainingShown,
} from './format.js';
export type { ReportOptions, ReportProgress } from './options.js';
export { reportPage } from './page.js';

/** What a report holds, by the kind of the model. */
export type ModelReport = ClassifierReport;

/**
 * Measures a model on rows and gathers what shows what it does: measures with intervals, what it takes for what, how far its probabilities can
 * be believed, its most confident mistakes with what each token contributed, rows whose label is probably wrong, and how it was trained.
 * {@link reportPage} makes a page of it. Rows are read as they are needed, so there may be more of them than fit into memory.
 *
 * @param model - The model.
 * @param rows - Rows with labels, which the model has not seen.
 * @param options - See {@link ReportOptions}.
 * @throws {@link ArgumentError} for an option that does not fit; what `evaluate` throws; `ABORTED` if the signal is aborted.
 *
 * @example
 * ```ts
 * const report = await reportModel(model, readCsv('test.csv', { text: 'body', label: 'queue' }));
 * console.log(report.accuracy.value, report.coverage?.at[0]);
 * const page = reportPage(report, { title: 'Tickets' });
 * ```
 */
export async function reportModel(
  model: TextClassifier,
  rows: Rows,
  options: ReportOptions = {},
): Promise<ClassifierReport> {
  if (!(model instanceof TextClassifier)) throw invalidArgument('model', 'a TextClassifier', model);
  checkNames('reportModel', options, REPORT);
  return classifierReport(model, rows, settingsOf(REPORT, options), packageVersion());
}
