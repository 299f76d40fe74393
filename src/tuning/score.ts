import { Random } from '../core/random.js';
import { precisionRecall, ratio } from '../measures/counts.js';

/**
 * The metric to maximise: the share of correct rows (`multiLabel`: rows whose labels are all correct), the mean of the
 * labels' F1, or the F1 of one label.
 */
export type TuningMetric = 'accuracy' | 'macroF1' | `f1:${string}`;

/** The answers of a model to rows that it was not trained on. Sets of labels are named by their number in {@link LabelSets}. */
export interface Answers {
  /** Which rows they are. */
  rows: Int32Array;
  /** The correct set of labels of each row. */
  truth: Int32Array;
  /** The predicted set of each row. */
  given: Int32Array;
  /** How probable the model found it, from 0 to 1; left out where sets have no probability. */
  probabilities?: Float32Array;
}

/** Scores the answers of models, and compares those of two. */
export interface AnswerScorer<A> {
  /** The metric of some answers, put together. */
  score(answers: readonly A[]): number;
  /** As {@link differenceOf}, of two sets of answers to the same rows. */
  difference(answers: readonly A[], others: readonly A[], rows: number): { difference: number; error: number };
}

/** Numbers for sets of labels; each label has a number too. */
export class LabelSets {
  readonly #ids = new Map<string, number>();
  readonly #labels = new Map<string, number>();
  /** The labels of each set, by their numbers. */
  readonly sets: (readonly number[])[] = [];

  /** The number of a set, independent of the order of its labels. */
  idOf(labels: string | readonly string[]): number {
    const names = typeof labels === 'string' ? [labels] : [...labels].sort();
    const key = JSON.stringify(names);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const set = names.map((name) => this.labelId(name));
    this.#ids.set(key, this.sets.length);
    return this.sets.push(set) - 1;
  }

  /** The number of a label. */
  labelId(name: string): number {
    const known = this.#labels.get(name);
    if (known !== undefined) return known;
    const id = this.#labels.size;
    this.#labels.set(name, id);
    return id;
  }

  /** How many labels have a number. */
  get size(): number {
    return this.#labels.size;
  }
}

/** Resamplings that a standard error comes from. */
const RESAMPLINGS = 200;

/** How often a row is drawn: Poisson's distribution with mean 1 as thresholds of 32 random bits. */
const POISSON = (() => {
  const thresholds: number[] = [];
  let term = Math.exp(-1);
  let sum = 0;
  for (let k = 0; k < 10; k++) {
    sum += term;
    thresholds.push(sum * 2 ** 32);
    term /= k + 1;
  }
  return thresholds;
})();

function drawn(random: Random): number {
  const bits = random.uint32();
  let times = 0;
  while (times < POISSON.length && bits >= POISSON[times]!) times++;
  return times;
}

/**
 * Difference of the scores of two sets of answers to the same rows, and its standard error by a bootstrap over rows: rows
 * are drawn with Poisson's weights, the same for both. A row that was answered several times is drawn as one.
 *
 * @param rows - How many rows there are in all.
 * @param scored - The difference of the scores if each row counts as often as its weight says; once without weights.
 */
export function differenceOf(
  rows: number,
  scored: (weights?: Uint8Array) => number,
): { difference: number; error: number } {
  const difference = scored();
  const random = new Random(0);
  const weights = new Uint8Array(rows);
  let [sum, squares] = [0, 0];
  for (let round = 0; round < RESAMPLINGS; round++) {
    for (let row = 0; row < rows; row++) weights[row] = drawn(random);
    const found = scored(weights);
    sum += found;
    squares += found * found;
  }
  const variance = (squares - (sum * sum) / RESAMPLINGS) / (RESAMPLINGS - 1);
  return { difference, error: Math.sqrt(Math.max(0, variance)) };
}

/** Scores answers by a metric. All answers are put together before they are counted, so that rare labels weigh as they should (Forman and Scholz 2010). */
export class Scorer implements AnswerScorer<Answers> {
  readonly #metric: TuningMetric;
  readonly #sets: LabelSets;
  /** The label of `f1:LABEL`. */
  readonly #label: number;

  constructor(metric: TuningMetric, sets: LabelSets) {
    this.#metric = metric;
    this.#sets = sets;
    this.#label = metric.startsWith('f1:') ? sets.labelId(metric.slice(3)) : -1;
  }

  /**
   * The metric of some answers.
   *
   * @param weights - How often each row counts, by its number; once if left out.
   */
  score(answers: readonly Answers[], weights?: Uint8Array): number {
    const { sets } = this.#sets;
    if (this.#metric === 'accuracy') {
      let [right, all] = [0, 0];
      for (const { rows, truth, given } of answers) {
        for (let i = 0; i < rows.length; i++) {
          const weight = weights ? weights[rows[i]!]! : 1;
          all += weight;
          if (truth[i] === given[i]) right += weight;
        }
      }
      return ratio(right, all);
    }
    const labels = this.#sets.size;
    const [hits, predicted, support] = [0, 1, 2].map(() => new Float64Array(labels)) as [
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    for (const { rows, truth, given } of answers) {
      for (let i = 0; i < rows.length; i++) {
        const weight = weights ? weights[rows[i]!]! : 1;
        if (weight === 0) continue;
        const right = sets[truth[i]!]!;
        for (const label of right) support[label]! += weight;
        for (const label of sets[given[i]!]!) {
          predicted[label]! += weight;
          if (right.includes(label)) hits[label]! += weight;
        }
      }
    }
    const f1 = (label: number) => precisionRecall(hits[label]!, predicted[label]!, support[label]!).f1;
    if (this.#label >= 0) return f1(this.#label);
    let [sum, counted] = [0, 0];
    for (let label = 0; label < labels; label++) {
      if (predicted[label]! + support[label]! === 0) continue;
      sum += f1(label);
      counted++;
    }
    return ratio(sum, counted);
  }

  /** See {@link differenceOf}. */
  difference(
    answers: readonly Answers[],
    others: readonly Answers[],
    rows: number,
  ): { difference: number; error: number } {
    return differenceOf(rows, (weights) => this.score(answers, weights) - this.score(others, weights));
  }
}
