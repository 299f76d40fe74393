import type { LabelOptions } from './labels.js';
import { argmaxOf, labelledProbabilities, type Scores } from './probabilities.js';

/** A row whose label is probably wrong. */
export interface LabelIssue {
  /** Index of the row, from 0. */
  row: number;
  /** The label that it has. */
  label: string;
  /** The label that it probably should have. */
  suggested: string;
  /** Probability of its label, from 0 to 1: cleanlab's `self_confidence`, which rows are ranked by. */
  selfConfidence: number;
  /** Probability of the suggested label, from 0 to 1. */
  suggestedProbability: number;
}

/** cleanlab's tolerance for rounding. */
const SLACK = 1e-6;

/** The label that a row confidently belongs to (the most probable one of several); -1 for none. */
function confidentLabel(row: ArrayLike<number>, thresholds: Float64Array): number {
  let found = -1;
  for (let label = 0; label < row.length; label++) {
    if (row[label]! < thresholds[label]! - SLACK) continue;
    if (found >= 0) return argmaxOf(row);
    found = label;
  }
  return found;
}

/** Whether a row's own label is the most probable one, up to rounding. */
function isPredicted(row: ArrayLike<number>, own: number): boolean {
  const probability = row[own]! + SLACK;
  for (let label = 0; label < row.length; label++) {
    if (label !== own && (row[label]! > probability || (row[label] === probability && label < own))) return false;
  }
  return true;
}

/** A row whose own label is not the most probable one. */
interface Suspect {
  row: number;
  own: number;
  probabilities: ArrayLike<number>;
}

/**
 * Finds rows whose label is probably wrong, row by row. Nothing is kept for rows whose label is the most probable one.
 *
 * @internal
 */
export class LabelIssueFinder {
  readonly #sums: Float64Array;
  readonly #counts: Float64Array;
  readonly #suspects: Suspect[] = [];
  readonly #most: number;

  /**
   * @param labels - Number of labels.
   * @param most - Maximum rows kept; others are not found.
   */
  constructor(labels: number, most: number = Number.POSITIVE_INFINITY) {
    this.#sums = new Float64Array(labels);
    this.#counts = new Float64Array(labels);
    this.#most = most;
  }

  /**
   * Examines a row.
   *
   * @param row - Index of the row for the issue.
   * @param own - Index of its label.
   * @param probabilities - One for each label; copied if the row is suspect.
   */
  add(row: number, own: number, probabilities: ArrayLike<number>): void {
    this.#sums[own]! += probabilities[own]!;
    this.#counts[own]!++;
    if (this.#suspects.length < this.#most && !isPredicted(probabilities, own))
      this.#suspects.push({ row, own, probabilities: Float64Array.from(probabilities) });
  }

  /**
   * For each label, its mean probability over the rows that have it: above that, a row confidently belongs to the label
   * (Northcutt et al. 2021, equation 2).
   */
  #thresholds(): Float64Array {
    // No row is confident of a label without rows.
    return this.#sums.map((sum, label) =>
      this.#counts[label] === 0 ? Number.POSITIVE_INFINITY : Math.max(sum / this.#counts[label]!, 2 * SLACK),
    );
  }

  /** The rows that confidently belong to another label, the most doubtful first. */
  finish(labels: readonly string[]): LabelIssue[] {
    const thresholds = this.#thresholds();
    const issues: LabelIssue[] = [];
    for (const { row, own, probabilities } of this.#suspects) {
      const confident = confidentLabel(probabilities, thresholds);
      if (confident < 0 || confident === own) continue;
      issues.push({
        row,
        label: labels[own]!,
        suggested: labels[confident]!,
        selfConfidence: probabilities[own]!,
        suggestedProbability: probabilities[confident]!,
      });
    }
    return issues.sort((a, b) => a.selfConfidence - b.selfConfidence || a.row - b.row);
  }
}

/**
 * Finds rows whose label is probably wrong, by confident learning (Northcutt, Jiang, Chuang 2021): those that
 * confidently belong to another label. Equals cleanlab's
 * `find_label_issues(filter_by='confident_learning', return_indices_ranked_by='self_confidence')`.
 *
 * @param labels - The label that each row has.
 * @param probabilities - Probabilities of the labels, `[rows, labels]`, by a model that was not trained on the row; see
 * {@link Scores}. A model that has seen the row would hide its mistakes.
 * @param options - `labels`: all labels, in the order of the columns. Default: the labels that occur, in code point order.
 * @returns the rows, the most doubtful first.
 * @throws {@link ArgumentError} for invalid rows the labels, or numbers that are not probabilities.
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
  const finder = new LabelIssueFinder(rows.labels.length);
  for (const [row, own] of rows.truth.entries()) finder.add(row, own, rows.row(row));
  return finder.finish(rows.labels);
}
