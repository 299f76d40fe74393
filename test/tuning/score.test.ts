import { expect, it } from 'vitest';
import { classificationReport } from '../../src/measures/index.js';
import { normalBelow, normalQuantile } from '../../src/measures/normal.js';
import { type Answers, LabelSets, Scorer } from '../../src/tuning/score.js';
import { marginOf } from '../../src/tuning/search.js';

const TRUTH = ['a', 'a', 'a', 'b', 'b', 'c', 'c', 'c'];
const GIVEN = ['a', 'b', 'a', 'b', 'b', 'a', 'c', 'd'];

function answers(
  sets: LabelSets,
  truth: readonly (string | string[])[],
  given: readonly (string | string[])[],
): Answers {
  return {
    rows: Int32Array.from(truth.keys()),
    truth: Int32Array.from(truth, (labels) => sets.idOf(labels)),
    given: Int32Array.from(given, (labels) => sets.idOf(labels)),
  };
}

it('scores as the report of the same rows does', () => {
  const sets = new LabelSets();
  const own = answers(sets, TRUTH, GIVEN);
  const report = classificationReport(TRUTH, GIVEN);
  expect(new Scorer('accuracy', sets).score([own])).toBeCloseTo(report.accuracy, 12);
  expect(new Scorer('macroF1', sets).score([own])).toBeCloseTo(report.macroAverage.f1, 12);
  expect(new Scorer('f1:b', sets).score([own])).toBeCloseTo(report.perLabel[1]!.f1, 12);
});

it('counts each label of a row with several', () => {
  const sets = new LabelSets();
  const own = answers(sets, [['a', 'b'], ['b'], []], [['b', 'a'], ['a', 'b'], []]);
  expect(new Scorer('accuracy', sets).score([own])).toBeCloseTo(2 / 3, 12);
  expect(new Scorer('f1:a', sets).score([own])).toBeCloseTo(2 / 3, 12);
  expect(new Scorer('f1:b', sets).score([own])).toBe(1);
});

it('has the standard error of a difference of accuracies', () => {
  const sets = new LabelSets();
  const rows = 400;
  const truth = Array.from({ length: rows }, () => 'a');
  // The second is right in 40 rows more and wrong in 20 that the first has right.
  const first = truth.map((_, row) => (row < 40 ? 'b' : 'a'));
  const second = truth.map((_, row) => (row >= 40 && row < 60 ? 'b' : 'a'));
  const { difference, error } = new Scorer('accuracy', sets).difference(
    [answers(sets, truth, second)],
    [answers(sets, truth, first)],
    rows,
  );
  expect(difference).toBeCloseTo(0.05, 12);
  const exact = Math.sqrt((60 / 400 - 0.05 ** 2) / 400);
  expect(error).toBeGreaterThan(0.85 * exact);
  expect(error).toBeLessThan(1.15 * exact);
});

it("has the normal distribution of Python's statistics.NormalDist", () => {
  const values = [
    [-3, 0.0013498980316300957],
    [-1, 0.15865525393145707],
    [0, 0.5],
    [0.5, 0.6914624612740131],
    [2, 0.9772498680518208],
  ] as const;
  for (const [z, probability] of values) {
    expect(Math.abs(normalBelow(z) - probability)).toBeLessThan(2e-7);
    expect(Math.abs(normalQuantile(probability) - z)).toBeLessThan(1e-4);
  }
});

it('asks for more of the luckiest of many', () => {
  expect([1, 3, 9, 27, 81].map((count) => Number(marginOf(count).toFixed(2)))).toEqual([1, 1.59, 2.07, 2.49, 2.86]);
});
