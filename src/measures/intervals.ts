import { Random } from '../core/random.js';
import { binomial } from './binomial.js';
import { type Estimate, wilson } from './wilson.js';

/** Precision, recall and F1 with their intervals. */
export interface LabelEstimates {
  /** Share of the rows predicted as this label that have it. */
  precision: Estimate;
  /** Share of the rows with this label that were predicted as it. */
  recall: Estimate;
  /** Harmonic mean of both. */
  f1: Estimate;
}

/** Rows with the same true and predicted labels. */
export interface Outcome {
  /** Indices of the correct labels. */
  truth: readonly number[];
  /** Indices of the predicted labels. */
  predicted: readonly number[];
  /** How many rows. */
  rows: number;
}

/** Result of a bootstrap. */
export interface Bootstrapped {
  /** Share of rows whose labels are all correct. */
  accuracy: Estimate;
  /** Mean F1 over the labels. */
  macroF1: Estimate;
  /** For each requested label, in that order. */
  perLabel: LabelEstimates[];
}

/** A percentile as numpy's default computes it, by linear interpolation; `sorted` is not empty. */
function percentile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const next = sorted[Math.min(below + 1, sorted.length - 1)]!;
  return sorted[below]! + (at - below) * (next - sorted[below]!);
}

/** The middle 95 % of the resamples, without NaN. */
function estimate(value: number, drawn: Float64Array): Estimate {
  const said = drawn.filter((each) => !Number.isNaN(each)).sort();
  if (said.length === 0) return { value, low: value, high: value };
  return { value, low: percentile(said, 0.025), high: percentile(said, 0.975) };
}

/** {@link estimate} of a share. Where all resamples are equal, as of 0 in 3 rows, they say nothing, and the interval is Wilson's. */
function shareEstimate(part: number, whole: number, drawn: Float64Array): Estimate {
  const found = estimate(divided(part, whole) || 0, drawn);
  return found.low === found.high ? wilson(part, whole) : found;
}

const divided = (part: number, whole: number) => (whole === 0 ? Number.NaN : part / whole);

/** Counts of one sample. */
class Sample {
  readonly hits: Float64Array;
  readonly support: Float64Array;
  readonly predicted: Float64Array;
  right = 0;

  constructor(labels: number) {
    this.hits = new Float64Array(labels);
    this.support = new Float64Array(labels);
    this.predicted = new Float64Array(labels);
  }

  clear(): void {
    for (const counts of [this.hits, this.support, this.predicted]) counts.fill(0);
    this.right = 0;
  }

  add({ truth, predicted }: Outcome, rows: number): void {
    let shared = 0;
    for (const label of truth) this.support[label]! += rows;
    for (const label of predicted) {
      this.predicted[label]! += rows;
      if (!truth.includes(label)) continue;
      this.hits[label]! += rows;
      shared++;
    }
    if (shared === truth.length && shared === predicted.length) this.right += rows;
  }

  precision = (label: number) => divided(this.hits[label]!, this.predicted[label]!);
  recall = (label: number) => divided(this.hits[label]!, this.support[label]!);
  f1 = (label: number) => divided(2 * this.hits[label]!, this.predicted[label]! + this.support[label]!);

  macroF1(averaged: readonly number[]): number {
    let sum = 0;
    for (const label of averaged) sum += this.f1(label) || 0;
    return divided(sum, averaged.length);
  }
}

/**
 * Intervals of measures by the bootstrap: rows are drawn with replacement, as many as there are, and measured again;
 * the middle 95 % of the results is the interval (Efron's percentile method). Equal rows are drawn together from a
 * multinomial distribution, which is equivalent, so that the cost of a resample depends on the number of distinct
 * outcomes, not rows.
 *
 * The macro average is over the labels that the rows or the predictions have, the same ones in each resample; a
 * division by zero counts as 0 there. For a label's own measure, resamples with a division by zero are skipped. The
 * interval of a share that all resamples agree on, such as a recall of 0 in 3 rows, is Wilson's.
 *
 * @param outcomes - The distinct outcomes, with at least one row.
 * @param labels - Number of labels.
 * @param asked - Labels to measure individually.
 * @param resamples - Number of resamples.
 * @param seed - Seed of the draws.
 */
export function* bootstrap(
  outcomes: readonly Outcome[],
  labels: number,
  asked: readonly number[],
  resamples: number,
  seed: number,
): Generator<void, Bootstrapped, undefined> {
  const random = new Random(seed);
  const whole = new Sample(labels);
  let rows = 0;
  for (const outcome of outcomes) {
    whole.add(outcome, outcome.rows);
    rows += outcome.rows;
  }
  const averaged = Array.from({ length: labels }, (_, label) => label).filter(
    (label) => whole.support[label]! + whole.predicted[label]! > 0,
  );
  const column = () => new Float64Array(resamples);
  const [accuracy, macroF1] = [column(), column()];
  const perLabel = asked.map(() => ({ precision: column(), recall: column(), f1: column() }));
  const sample = new Sample(labels);
  for (let round = 0; round < resamples; round++) {
    sample.clear();
    let [left, rest] = [rows, rows];
    for (const outcome of outcomes) {
      const drawn = binomial(random, left, outcome.rows / rest);
      if (drawn > 0) sample.add(outcome, drawn);
      left -= drawn;
      rest -= outcome.rows;
      if (left === 0) break;
    }
    accuracy[round] = sample.right / rows;
    macroF1[round] = sample.macroF1(averaged);
    for (const [at, label] of asked.entries()) {
      const columns = perLabel[at]!;
      columns.precision[round] = sample.precision(label);
      columns.recall[round] = sample.recall(label);
      columns.f1[round] = sample.f1(label);
    }
    yield;
  }
  const labelEstimates: LabelEstimates[] = [];
  for (const [at, label] of asked.entries()) {
    const { precision, recall, f1 } = perLabel[at]!;
    labelEstimates.push({
      precision: shareEstimate(whole.hits[label]!, whole.predicted[label]!, precision),
      recall: shareEstimate(whole.hits[label]!, whole.support[label]!, recall),
      f1: estimate(whole.f1(label) || 0, f1),
    });
    yield;
  }
  return {
    accuracy: shareEstimate(whole.right, rows, accuracy),
    macroF1: estimate(whole.macroF1(averaged), macroF1),
    perLabel: labelEstimates,
  };
}
