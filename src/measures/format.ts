import type { LabelMeasures, PrecisionRecall } from './counts.js';
import type { EntityReport } from './entities.js';
import type { MultiLabelReport } from './multiLabel.js';
import type { ClassificationReport, ConfusionMatrix } from './report.js';

/**
 * Lays a confusion matrix out as a table: true labels down, predicted labels across, numbered where names are long.
 *
 * @example
 * ```ts
 * console.log(formatConfusionMatrix(confusionMatrix(['a', 'b', 'b'], ['a', 'a', 'b'])));
 * ```
 */
export function formatConfusionMatrix(matrix: ConfusionMatrix): string {
  const { labels, confusionMatrix } = matrix;
  const nameWidth = Math.max(...labels.map((label) => label.length), 4);
  const heads = labels.map((label, index) => (label.length <= 8 ? label : `#${index + 1}`));
  const widths = heads.map((head, index) =>
    Math.max(head.length, ...confusionMatrix.map((row) => String(row[index]).length)),
  );
  const numbered = heads.some((head, index) => head !== labels[index]);
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

const COLUMNS = ['precision', 'recall', 'f1', 'support'] as const;

/**
 * Lays the measures of the labels out as a table, the label with the lowest F1 first, and the averages below. `-` stands
 * for a division by zero, which the averages count as 0.
 *
 * @param report - of {@link classificationReport}, {@link multiLabelReport}, {@link entityReport}, or `model.evaluate`.
 *
 * @example
 * ```ts
 * console.log(formatClassificationReport(classificationReport(['spam', 'ham'], ['spam', 'spam'])));
 * ```
 */
export function formatClassificationReport(report: ClassificationReport | MultiLabelReport | EntityReport): string {
  // A label that occurs nowhere has no F1 and stands last.
  const rank = ({ f1, support, predicted }: LabelMeasures) => (support + predicted === 0 ? 2 : f1);
  const perLabel = [...report.perLabel].sort((a, b) => rank(a) - rank(b) || b.support - a.support);
  const averages: [string, PrecisionRecall][] = [
    ...('microAverage' in report ? ([['micro average', report.microAverage]] as const) : []),
    ['macro average', report.macroAverage],
    ['weighted average', report.weightedAverage],
    ...('samplesAverage' in report ? ([['samples average', report.samplesAverage]] as const) : []),
  ].map(([name, measures]) => [name, measures] as [string, PrecisionRecall]);
  const names = [...perLabel.map(({ label }) => label), ...averages.map(([name]) => name)];
  const width = Math.max(...names.map((name) => name.length));
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
    ...perLabel.map((measures) => line(measures.label, ofLabel(measures))),
    '',
    ...averages.map(([name, measures]) => line(name, ofAverage(measures)).trimEnd()),
  ].join('\n');
}

/** A label that was taken for another. */
export interface Confusion {
  /** The right label. */
  truth: string;
  /** The label that was given. */
  predicted: string;
  /** Rows. */
  rows: number;
  /** Share of the rows with the right label. */
  share: number;
}

/**
 * The labels most often taken for one another, the most frequent first.
 *
 * @example
 * ```ts
 * worstConfusions(confusionMatrix(['a', 'b', 'b'], ['a', 'a', 'b'])).length; // 1
 * ```
 */
export function worstConfusions({ labels, confusionMatrix }: ConfusionMatrix, most = 10): Confusion[] {
  const all = confusionMatrix.flatMap((row, truth) => {
    const support = row.reduce((sum, count) => sum + count, 0);
    return row.flatMap((rows, predicted) =>
      rows === 0 || predicted === truth
        ? []
        : [{ truth: labels[truth]!, predicted: labels[predicted]!, rows, share: rows / support }],
    );
  });
  return all.sort((a, b) => b.rows - a.rows || b.share - a.share).slice(0, most);
}

/**
 * Lays {@link worstConfusions} out, one line each; nothing where every row is right.
 *
 * @example
 * ```ts
 * console.log(formatConfusions(confusionMatrix(['a', 'b', 'b'], ['a', 'a', 'b'])));
 * ```
 */
export function formatConfusions(matrix: ConfusionMatrix, most = 10): string {
  const worst = worstConfusions(matrix, most);
  const width = Math.max(0, ...worst.map(({ rows }) => String(rows).length));
  return worst
    .map(
      ({ truth, predicted, rows, share }) =>
        `${String(rows).padStart(width)}  ${truth} taken for ${predicted} (${(100 * share).toFixed(1)} % of ${truth})`,
    )
    .join('\n');
}
