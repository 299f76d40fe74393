import type { Evaluation } from './metrics.js';

/** Lays a confusion matrix out as a table: true labels down, predicted labels across, numbered where names are long. */
export function formatConfusionMatrix(evaluation: Pick<Evaluation, 'labels' | 'confusionMatrix'>): string {
  const { labels, confusionMatrix } = evaluation;
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
