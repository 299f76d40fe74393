import { checkObject } from '../core/checks.js';
import { constraint, invalidArgument } from '../core/errors.js';
import { shownLabels } from '../core/printable.js';
import type { LabelMeasures, PrecisionRecall } from './counts.js';
import type { EntityReport } from './entities.js';
import type { MultiLabelReport } from './multiLabel.js';
import { type ClassificationReport, type Confusion, type ConfusionMatrix, sortedConfusions } from './report.js';

/** Maximum width of the column of names; longer names overflow their line. */
const WIDEST_NAME = 60;

/**
 * Formats a confusion matrix as a table: true labels down, predicted labels across, numbered if a name is long.
 *
 * @example
 * ```ts
 * console.log(formatConfusionMatrix(confusionMatrix(['a', 'b', 'b'], ['a', 'a', 'b'])));
 * ```
 */
export function formatConfusionMatrix(
  matrix: ConfusionMatrix | Pick<ClassificationReport, 'labels' | 'confusionMatrix'>,
): string {
  checkReport('matrix', matrix, ['labels']);
  const { confusionMatrix } = matrix;
  if (confusionMatrix === undefined) checkReport('matrix', matrix, ['confusionMatrix']);
  if (!confusionMatrix)
    throw constraint('confusionMatrix', `with ${matrix.labels.length} labels there is no matrix; use formatConfusions`);
  const labels = shownLabels(matrix.labels);
  const nameWidth = widest(labels, 4);
  const numbered = labels.some((label) => label.length > 8);
  const heads = numbered ? labels.map((_, index) => `#${index + 1}`) : labels;
  const widths = heads.map((head, index) =>
    confusionMatrix.reduce((width, row) => Math.max(width, String(row[index]).length), head.length),
  );
  const name = (label: string, index: number) =>
    `${numbered ? `#${index + 1} `.padStart(5) : ''}${label.padEnd(nameWidth)}`;
  const head =
    ' '.repeat(name('', 0).length) + heads.map((text, index) => ` ${text.padStart(widths[index]!)}`).join('');
  const rows = labels.map((label, index) => {
    const counts = confusionMatrix[index]!;
    const recall =
      counts[index]! /
      Math.max(
        1,
        counts.reduce((sum, count) => sum + count, 0),
      );
    const cells = counts.map((count, column) => ` ${String(count).padStart(widths[column]!)}`).join('');
    return `${name(label, index)}${cells}   ${(100 * recall).toFixed(1)} % found`;
  });
  return [`truth down, prediction across`, head, ...rows].join('\n');
}

/** Refuses values that are not reports of this library. */
function checkReport(name: string, value: unknown, lists: readonly string[]): void {
  const expected = 'a report of classificationReport, confusionMatrix, multiLabelReport or evaluate';
  checkObject(name, value, expected);
  if (!lists.every((list) => Array.isArray((value as Record<string, unknown>)[list])))
    throw invalidArgument(name, expected, value);
}

/** Width of a column of names. */
function widest(names: readonly string[], least = 0): number {
  return names.reduce((width, { length }) => Math.max(width, Math.min(length, WIDEST_NAME)), least);
}

const COLUMNS = ['precision', 'recall', 'f1', 'support'] as const;

/**
 * Formats the measures of the labels as a table, the label with the lowest F1 first, averages at the end. `-` marks a
 * division by zero, which the averages count as 0.
 *
 * @param report - Of {@link classificationReport}, {@link multiLabelReport}, {@link entityReport}, or `model.evaluate`.
 *
 * @example
 * ```ts
 * console.log(formatClassificationReport(classificationReport(['spam', 'ham'], ['spam', 'spam'])));
 * ```
 */
export function formatClassificationReport(report: ClassificationReport | MultiLabelReport | EntityReport): string {
  checkReport('report', report, ['perLabel']);
  // A label that never occurs has no F1 and comes last.
  const rank = ({ f1, support, predicted }: LabelMeasures) => (support + predicted === 0 ? 2 : f1);
  const perLabel = [...report.perLabel].sort((a, b) => rank(a) - rank(b) || b.support - a.support);
  const averages: [string, PrecisionRecall][] = [
    ...('microAverage' in report ? ([['micro average', report.microAverage]] as const) : []),
    ['macro average', report.macroAverage],
    ['weighted average', report.weightedAverage],
    ...('samplesAverage' in report ? ([['samples average', report.samplesAverage]] as const) : []),
  ].map(([name, measures]) => [name, measures] as [string, PrecisionRecall]);
  const names = shownLabels(perLabel.map(({ label }) => label));
  const width = widest([...names, ...averages.map(([name]) => name)]);
  const line = (name: string, cells: readonly string[]) =>
    `${name.padEnd(width)}${cells.map((cell) => `  ${cell.padStart(9)}`).join('')}`;
  const share = (value: number) => value.toFixed(4);
  const ofLabel = ({ precision, recall, f1, support, predicted }: LabelMeasures) => [
    predicted === 0 ? '-' : share(precision),
    support === 0 ? '-' : share(recall),
    support + predicted === 0 ? '-' : share(f1),
    String(support),
  ];
  const ofAverage = ({ precision, recall, f1 }: PrecisionRecall) => [share(precision), share(recall), share(f1), ''];
  return [
    line('', COLUMNS),
    ...perLabel.map((measures, index) => line(names[index]!, ofLabel(measures))),
    '',
    ...averages.map(([name, measures]) => line(name, ofAverage(measures)).trimEnd()),
  ].join('\n');
}

/**
 * The most frequently confused labels, the most frequent first.
 *
 * @example
 * ```ts
 * worstConfusions(confusionMatrix(['a', 'b', 'b'], ['a', 'a', 'b'])).length; // 1
 * ```
 */
export function worstConfusions(of: ConfusionMatrix | ClassificationReport, most = 10): Confusion[] {
  checkReport('of', of, ['labels']);
  if ('confusions' in of) return of.confusions.slice(0, most);
  checkReport('of', of, ['confusionMatrix']);
  const { labels, confusionMatrix } = of;
  const support = confusionMatrix.map((row) => row.reduce((sum, count) => sum + count, 0));
  const cells = function* () {
    for (const [truth, row] of confusionMatrix.entries())
      for (const [predicted, rows] of row.entries()) if (rows > 0) yield { truth, predicted, rows };
  };
  return sortedConfusions(labels, cells(), support, most);
}

/**
 * Formats {@link worstConfusions}, one per line; empty if every row is correct.
 *
 * @example
 * ```ts
 * console.log(formatConfusions(confusionMatrix(['a', 'b', 'b'], ['a', 'a', 'b'])));
 * ```
 */
export function formatConfusions(of: ConfusionMatrix | ClassificationReport, most = 10): string {
  const worst = worstConfusions(of, most);
  const width = widest(worst.map(({ rows }) => String(rows)));
  const shown = shownLabels(of.labels);
  const names = new Map(of.labels.map((label, index) => [label, shown[index]!]));
  return worst
    .map(({ truth, predicted, rows, share }) => {
      const [right, given] = [names.get(truth), names.get(predicted)];
      return `${String(rows).padStart(width)}  ${right} taken for ${given} (${(100 * share).toFixed(1)} % of ${right})`;
    })
    .join('\n');
}
