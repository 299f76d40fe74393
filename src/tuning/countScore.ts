import { precisionRecall } from '../measures/counts.js';
import { type AnswerScorer, differenceOf } from './score.js';

/** The answers of a model to rows that each have several parts, such as the spans of a sentence. */
export interface Counts {
  /** Which rows they are. */
  rows: Int32Array;
  /** The correct parts found in each row. */
  hits: Int32Array;
  /** The parts found. */
  predicted: Int32Array;
  /** The correct parts. */
  support: Int32Array;
}

/** Scores answers by the F1 of all parts together. With exactly one part found for each correct one, it is the accuracy. */
export class CountScorer implements AnswerScorer<Counts> {
  /** @param weights - How often each row counts, by its number; once if left out. */
  score(answers: readonly Counts[], weights?: Uint8Array): number {
    let [hits, predicted, support] = [0, 0, 0];
    for (const counts of answers) {
      for (const [at, row] of counts.rows.entries()) {
        const weight = weights ? weights[row]! : 1;
        hits += weight * counts.hits[at]!;
        predicted += weight * counts.predicted[at]!;
        support += weight * counts.support[at]!;
      }
    }
    return precisionRecall(hits, predicted, support).f1;
  }

  difference(answers: readonly Counts[], others: readonly Counts[], rows: number) {
    return differenceOf(rows, (weights) => this.score(answers, weights) - this.score(others, weights));
  }
}
