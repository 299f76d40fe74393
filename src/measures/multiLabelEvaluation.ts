import { RecurraError } from '../core/errors.js';
import { ExactSum, type LabelMeasures } from './counts.js';
import { binaryCrossEntropy } from './crossEntropy.js';
import { MultiLabelCounter, type MultiLabelReport } from './multiLabel.js';
import { Numbers } from './numbers.js';
import { type RankingMeasures, rankingOf } from './ranking.js';

/** Measures of one label of a `multiLabel` model. */
export interface MultiLabelMeasures extends LabelMeasures, RankingMeasures {
  /** Minimum probability to assign the label. */
  threshold: number;
}

/** How well a `multiLabel` model does on labelled rows; the definitions are scikit-learn's. */
export interface MultiLabelEvaluation extends MultiLabelReport {
  /** Discriminant, distinguishes it from an {@link ExclusiveEvaluation}. */
  multiLabel: true;
  /** Mean binary cross entropy over the rows and labels, in nats, as in training. */
  loss: number;
  /** Measures of each label, in the order of `labels`. */
  perLabel: MultiLabelMeasures[];
}

/** Measures predicted probabilities of independent labels, in blocks of rows. */
export class MultiLabelMeasurer {
  readonly #labels: string[];
  readonly #thresholds: number[];
  readonly #counter: MultiLabelCounter;
  readonly #loss = new ExactSum();
  /** For each label, the probabilities of the rows that have it, and of those that do not. */
  readonly #having: Numbers[];
  readonly #lacking: Numbers[];
  #rows = 0;

  constructor(labels: readonly string[], thresholds: readonly number[]) {
    this.#labels = [...labels];
    this.#thresholds = [...thresholds];
    this.#counter = new MultiLabelCounter(this.#labels);
    this.#having = labels.map(() => new Numbers());
    this.#lacking = labels.map(() => new Numbers());
  }

  /**
   * Adds a label that the predictor does not have: its probability is 0, and it is never assigned.
   *
   * @returns its index.
   */
  extend(label: string): number {
    this.#thresholds.push(1);
    this.#having.push(new Numbers());
    this.#lacking.push(new Numbers());
    this.#counter.extend();
    return this.#labels.push(label) - 1;
  }

  /**
   * Counts a row.
   *
   * @param probabilities - One for each label of the predictor.
   * @param truth - Indices of its labels, ascending.
   * @returns the indices of its assigned labels, ascending.
   */
  add(probabilities: Float32Array, truth: Int32Array): number[] {
    const given: number[] = [];
    let next = 0;
    this.#rows++;
    for (let label = 0; label < probabilities.length; label++) {
      const probability = probabilities[label]!;
      if (Number.isNaN(probability)) {
        throw new RecurraError(
          'NON_FINITE_LOSS',
          `the probabilities of row ${this.#rows} are not numbers: the model's weights contain NaN or infinite values`,
        );
      }
      const present = truth[next] === label;
      if (present) next++;
      (present ? this.#having : this.#lacking)[label]!.push(probability);
      this.#loss.add(binaryCrossEntropy(probability, present));
      if (probability >= this.#thresholds[label]!) given.push(label);
    }
    for (; next < truth.length; next++) {
      this.#having[truth[next]!]!.push(0);
      this.#loss.add(binaryCrossEntropy(0, true));
    }
    this.#counter.add(truth, given);
    return given;
  }

  /** @returns a generator that pauses often. */
  *finish(): Generator<void, MultiLabelEvaluation, undefined> {
    const { rows, accuracy, perLabel, ...report } = this.#counter.finish();
    const measures: MultiLabelMeasures[] = [];
    for (const [index, own] of perLabel.entries()) {
      const having = this.#having[index]!.take();
      const lacking = this.#lacking[index]!.take();
      // A label that the predictor does not have has the probability 0 in all rows.
      const all = having.length + lacking.length < rows ? new Float64Array(rows - having.length) : lacking;
      const ranking = yield* rankingOf(having, all);
      measures.push({ ...own, threshold: this.#thresholds[index]!, ...ranking });
    }
    return {
      multiLabel: true,
      rows,
      loss: this.#loss.value / (rows * this.#labels.length),
      accuracy,
      ...report,
      perLabel: measures,
    };
  }
}
