import type { LabelOptions } from './labels.js';
import { argmaxOf, type LabelledScores, labelledProbabilities, type Scores } from './probabilities.js';

/** A row whose label is probably wrong. */
export interface LabelIssue {
  /** Index of the row, from 0. */
  row: number;
  /** The label that it has. */
  label: string;
  /** The label that it probably should have. */
  suggested: string;
  /** Probability of its label, from 0 to 1: cleanlab's `self_confidence`, by which rows are ranked. */
  selfConfidence: number;
  /** Probability of the suggested label, from 0 to 1. */
  suggestedProbability: number;
}

/** What cleanlab adds and subtracts so that rounding decides nothing. */
const SLACK = 1e-6;

/**
 * For each label the mean probability that the rows with it give it: above that a row is confidently of the label (Northcutt et al. 2021,
 * equation 2).
 */
function thresholdsOf(rows: LabelledScores): Float64Array {
  const sums = new Float64Array(rows.labels.length);
  const counts = new Float64Array(rows.labels.length);
  for (const [row, label] of rows.truth.entries()) {
    sums[label]! += rows.row(row)[label]!;
    counts[label]!++;
  }
  // Of a label that no row has none is sure.
  return sums.map((sum, label) =>
    counts[label] === 0 ? Number.POSITIVE_INFINITY : Math.max(sum / counts[label]!, 2 * SLACK),
  );
}

/** The label that a row is confidently of: the most probable one where it is sure of several; -1 for none. */
function confidentLabel(row: ArrayLike<number>, thresholds: Float64Array): number {
  let found = -1;
  for (let label = 0; label < row.length; label++) {
    if (row[label]! < thresholds[label]! - SLACK) continue;
    if (found >= 0) return argmaxOf(row);
    found = label;
  }
  return found;
}

/** Whether a row's own label is the most probable one, or as good as that. */
function isPredicted(row: ArrayLike<number>, own: number): boolean {
  const probability = row[own]! + SLACK;
  for (let label = 0; label < row.length; label++) {
    if (label !== own && (row[label]! > probability || (row[label] === probability && label < own))) return false;
  }
  return true;
}

/**
 * Finds rows whose label is probably wrong, by confident learning (Northcutt, Jiang, Chuang 2021): those that are confidently of another label. Equals
 * cleanlab's `find_label_issues(filter_by='confident_learning', return_indices_ranked_by='self_confidence')`.
 *
 * @param labels - The label that each row has.
 * @param probabilities - Probabilities of the labels, `[rows, labels]`, by a model that was not trained on the row; see {@link Scores}. Those of a model
 *   that has seen the row hide its mistakes.
 * @param options - `labels`: all labels, in the order of the columns. Default: the labels that occur, in order of code points.
 * @returns the rows, the most doubtful first.
 * @throws {@link ArgumentError} for rows that do not fit the labels, or numbers that are no probabilities.
 *
 * @example
 * ```ts
 * const [worst] = findLabelIssues(['a', 'b', 'b'], [[0.9, 0.1], [0.2, 0.8], [0.95, 0.05]]);
 * // { row: 2, label: 'b', suggested: 'a', selfConfidence: 0.05, suggestedProbability: 0.95 }
 * ```
 */
export function findLabelIssues(
  labels: readonly string[],
  probabilities: Scores,
  options: LabelOptions = {},
): LabelIssue[] {
  const rows = labelledProbabilities(labels, probabilities, options);
  const thresholds = thresholdsOf(rows);
  const issues: LabelIssue[] = [];
  for (const [row, own] of rows.truth.entries()) {
    const given = rows.row(row);
    const confident = confidentLabel(given, thresholds);
    if (confident < 0 || confident === own || isPredicted(given, own)) continue;
    issues.push({
      row,
      label: rows.labels[own]!,
      suggested: rows.labels[confident]!,
      selfConfidence: given[own]!,
      suggestedProbability: given[confident]!,
    });
  }
  return issues.sort((a, b) => a.selfConfidence - b.selfConfidence || a.row - b.row);
}
