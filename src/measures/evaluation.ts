import { RecurraError } from '../core/errors.js';
import { Calibration, type CalibrationResult } from './calibration.js';
import { ExactSum } from './counts.js';
import { crossEntropy } from './crossEntropy.js';
import type { MultiLabelEvaluation } from './multiLabelEvaluation.js';
import { argmaxOf, clippedCrossEntropy, rankOf } from './probabilities.js';
import { type ClassificationReport, PairCounter, reportOf } from './report.js';

/** Share of rows whose correct label is among the most probable ones. */
export interface TopK {
  /** How many of the most probable labels count. */
  k: number;
  /** Share of rows. */
  accuracy: number;
}

/** What is left if a label that is not probable enough is not given. */
export interface SureRows {
  /** The minimum probability of a label. */
  minProbability: number;
  /** Rows that keep their label. */
  rows: number;
  /** How many of these labels are right. */
  right: number;
  /** The share of all rows that keep their label. */
  coverage: number;
  /** The share of these labels that are right; null if no row keeps its label. */
  precision: number | null;
}

/**
 * How well a classifier of exclusive labels does on labelled rows. The definitions are scikit-learn's; the averages are over the labels that the
 * rows or the predictions have, as in scikit-learn's `classification_report(y_true, y_pred)`.
 */
export interface ExclusiveEvaluation extends ClassificationReport {
  /** Discriminant, distinguishes it from a {@link MultiLabelEvaluation}. */
  multiLabel: false;
  /** Mean cross entropy per row, in nats, as in training. Probabilities are clipped at 1.2e-38. */
  loss: number;
  /** The same with probabilities kept 2^-23 away from 0 and 1, as scikit-learn's `log_loss` does; see {@link logLoss}. */
  logLoss: number;
  /** How reliable the probabilities are; see {@link calibration}. */
  calibration: CalibrationResult;
  /** The rows that keep their label with a threshold, if one was given to `evaluate`. */
  sure?: SureRows;
  /** For k of 2, 3, 5 and 10, for those below the number of labels; see {@link topKAccuracy}. */
  topK: TopK[];
}

/** Result of `evaluate`: `multiLabel` tells which kind. */
export type Evaluation = ExclusiveEvaluation | MultiLabelEvaluation;

const SINGLE_EPSILON = 2 ** -23;
const CALIBRATION_BINS = 15;
const TOP_K = [2, 3, 5, 10];

/** Measures predicted distributions, in blocks of rows. */
export class Measurer {
  readonly #labels: string[];
  readonly #pairs: PairCounter;
  readonly #calibration = new Calibration(CALIBRATION_BINS);
  readonly #loss = new ExactSum();
  readonly #logLoss = new ExactSum();
  readonly #ranks: Float64Array;
  readonly #least: number | undefined;
  #rows = 0;
  #sure = 0;
  #surelyRight = 0;

  /** @param least - Minimum probability of a label, for {@link ExclusiveEvaluation.sure}. */
  constructor(labels: readonly string[], least?: number) {
    this.#labels = [...labels];
    this.#least = least;
    this.#pairs = new PairCounter(this.#labels);
    this.#ranks = new Float64Array(labels.length);
  }

  /**
   * Adds a label that the predictor does not have: its probability is 0, and it is never predicted.
   *
   * @returns its index.
   */
  extend(label: string): number {
    return this.#labels.push(label) - 1;
  }

  /**
   * Counts a row.
   *
   * @param probabilities - One for each label of the predictor.
   * @param truth - Index of the correct label.
   * @returns the index of the most probable label.
   */
  add(probabilities: Float32Array, truth: number): number {
    const best = argmaxOf(probabilities);
    const known = truth < probabilities.length;
    const own = known ? probabilities[truth]! : 0;
    if (Number.isNaN(own) || Number.isNaN(probabilities[best])) {
      throw new RecurraError(
        'NON_FINITE_LOSS',
        `the probabilities of row ${this.#rows + 1} are not numbers: the model's weights contain NaN or infinite values`,
      );
    }
    this.#pairs.add(truth, best);
    this.#loss.add(crossEntropy(own));
    this.#logLoss.add(clippedCrossEntropy(own, SINGLE_EPSILON));
    if (known) this.#ranks[rankOf(probabilities, truth)]! += 1;
    this.#calibration.add(probabilities[best]!, best === truth);
    if (this.#least !== undefined && probabilities[best]! >= this.#least) {
      this.#sure++;
      if (best === truth) this.#surelyRight++;
    }
    this.#rows++;
    return best;
  }

  #sureRows(minProbability: number): SureRows {
    const [rows, right] = [this.#sure, this.#surelyRight];
    return { minProbability, rows, right, coverage: rows / this.#rows, precision: rows === 0 ? null : right / rows };
  }

  finish(): ExclusiveEvaluation {
    const { rows, accuracy, ...report } = reportOf(
      this.#labels,
      this.#pairs,
      ({ support, predicted }) => support + predicted > 0,
    );
    const topK = TOP_K.filter((k) => k < this.#ranks.length).map((k) => ({
      k,
      accuracy: this.#ranks.subarray(0, k).reduce((sum, count) => sum + count, 0) / this.#rows,
    }));
    return {
      multiLabel: false,
      rows,
      loss: this.#loss.value / this.#rows,
      accuracy,
      logLoss: this.#logLoss.value / this.#rows,
      calibration: this.#calibration.finish(),
      ...(this.#least !== undefined && { sure: this.#sureRows(this.#least) }),
      topK,
      ...report,
    };
  }
}
