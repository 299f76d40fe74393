import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/index.js';
import { binomial } from '../../src/measures/binomial.js';
import { coverageCurve, precisionSteps } from '../../src/measures/coverage.js';
import { bootstrap } from '../../src/measures/intervals.js';
import { type Estimate, wilson } from '../../src/measures/wilson.js';

interface Golden {
  matrix: number[][];
  bootstrap: Record<string, Estimate>;
  wilson: { part: number; rows: number; low: number; high: number }[];
}

const golden = JSON.parse(readFileSync('test/fixtures/golden/intervals.json', 'utf8')) as Golden;

function run(outcomes: Parameters<typeof bootstrap>[0], labels: number, resamples: number, seed: number) {
  const steps = bootstrap(outcomes, labels, [...Array(labels).keys()], resamples, seed);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

describe('intervals by the bootstrap', () => {
  const outcomes = golden.matrix.flatMap((row, truth) =>
    row.map((rows, predicted) => ({ truth: [truth], predicted: [predicted], rows })),
  );

  const rows = golden.matrix.flat().reduce((sum, count) => sum + count, 0);

  it('are those of rows drawn by numpy and measured by scikit-learn', () => {
    const drawn = run(outcomes, 3, 20_000, 1);
    const found: Record<string, Estimate> = { accuracy: drawn.accuracy, macroF1: drawn.macroF1 };
    for (const [label, estimates] of drawn.perLabel.entries())
      for (const name of ['precision', 'recall', 'f1'] as const) found[`${name}${label}`] = estimates[name];
    expect(Object.keys(found).sort()).toEqual(Object.keys(golden.bootstrap).sort());
    for (const [name, { value, low, high }] of Object.entries(golden.bootstrap)) {
      expect(found[name]!.value, name).toBeCloseTo(value, 12);
      // Both draw 20,000 times: what is left is chance, about a fortieth of the interval, and that an accuracy is a whole number of rows.
      const chance = (high - low) / 30 + (name === 'accuracy' ? 1 / rows : 0);
      expect(Math.abs(found[name]!.low - low), name).toBeLessThan(chance);
      expect(Math.abs(found[name]!.high - high), name).toBeLessThan(chance);
    }
  });

  it('are the same for the same seed, and hold rows with several labels or none', () => {
    const several = [
      { truth: [0, 1], predicted: [0], rows: 30 },
      { truth: [], predicted: [], rows: 50 },
      { truth: [1], predicted: [1, 0], rows: 20 },
    ];
    const [one, again, other] = [1, 1, 2].map((seed) => run(several, 3, 200, seed));
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
    expect(one!.accuracy.value).toBe(0.5);
    expect(one!.perLabel[0]!.precision.value).toBeCloseTo(0.6, 12);
    expect(one!.perLabel[1]!.recall.value).toBeCloseTo(0.4, 12);
    // Of a label that occurs nowhere nothing is said, and it does not count in the mean.
    expect(one!.perLabel[2]!.f1).toEqual({ value: 0, low: 0, high: 0 });
    expect(one!.perLabel[2]!.precision).toEqual({ value: 0, low: 0, high: 1 });
    // All resamples of 0 in 3 rows are 0.
    const never = run([...several, { truth: [2], predicted: [0], rows: 3 }], 3, 200, 1)!.perLabel[2]!;
    expect(never.recall).toEqual(wilson(0, 3));
    expect(never.recall.high).toBeCloseTo(0.5615, 4);
    expect(one!.macroF1.value).toBeCloseTo((0.75 + 4 / 7) / 2, 12);
  });
});

describe('draws from a binomial distribution', () => {
  it.each([
    [40, 0.1],
    [100_000, 0.00005],
    [500, 0.3],
    [500, 0.93],
    [1e9, 0.4],
  ])('have mean and variance of %d trials at %d', (trials, share) => {
    const random = new Random(7);
    const draws = 20_000;
    const values = Array.from({ length: draws }, () => binomial(random, trials, share));
    const mean = values.reduce((sum, value) => sum + value, 0) / draws;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / draws;
    const expected = trials * share * (1 - share);
    expect(Math.abs(mean - trials * share)).toBeLessThan(4 * Math.sqrt(expected / draws));
    expect(variance / expected).toBeCloseTo(1, 1);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...values)).toBeLessThanOrEqual(trials);
  });

  it('have every probability of a small case', () => {
    // 30 trials at 0.4 are drawn by rejection; the distribution by its formula.
    const random = new Random(3);
    const counts = new Float64Array(31);
    const draws = 100_000;
    for (let i = 0; i < draws; i++) counts[binomial(random, 30, 0.4)]!++;
    let probability = 0.6 ** 30;
    for (let k = 0; k <= 30; k++) {
      const error = 5 * Math.sqrt((probability * (1 - probability)) / draws) + 1e-4;
      expect(Math.abs(counts[k]! / draws - probability), `${k}`).toBeLessThan(error);
      probability *= ((30 - k) / (k + 1)) * (0.4 / 0.6);
    }
  });
});

it('the interval of a share is scipy’s by Wilson', () => {
  for (const { part, rows, low, high } of golden.wilson) {
    const found = wilson(part, rows);
    expect(found.value).toBe(part / rows);
    expect(found.low).toBeCloseTo(low, 10);
    expect(found.high).toBeCloseTo(high, 10);
  }
});

it('a coverage curve answers equal probabilities together', () => {
  const { points, at } = coverageCurve(
    Float64Array.of(0.9, 0.8, 0.5, 0.95),
    Float64Array.of(0.8, 0.3),
    [1, 0.75, 0.99],
    100,
  );
  expect(points).toEqual([
    { threshold: 0.95, coverage: 1 / 6, precision: 1 },
    { threshold: 0.9, coverage: 2 / 6, precision: 1 },
    { threshold: 0.8, coverage: 4 / 6, precision: 0.75 },
    { threshold: 0.5, coverage: 5 / 6, precision: 0.8 },
    { threshold: 0.3, coverage: 1, precision: 4 / 6 },
  ]);
  expect(at.map(({ point }) => point?.coverage)).toEqual([2 / 6, 5 / 6, 2 / 6]);
  expect(coverageCurve(Float64Array.of(), Float64Array.of(0.5), [0.9], 10).at[0]!.point).toBeNull();
});

it('the steps of precision are the points that a wanted precision would find', () => {
  const right = [0.9, 0.8, 0.5, 0.95, 0.85, 0.4].map(Math.fround);
  const wrong = [0.8, 0.3, 0.7].map(Math.fround);
  const steps = precisionSteps(Float64Array.from(right), Float64Array.from(wrong), 100);
  expect(steps).toEqual([
    { threshold: 0, answered: 9, right: 6 },
    { threshold: 0.35, answered: 8, right: 6 },
    { threshold: 0.75, answered: 5, right: 4 },
    { threshold: 0.825, answered: 3, right: 3 },
  ]);
  for (const wanted of [0.5, 0.7, 0.76, 0.81, 1]) {
    const { at } = coverageCurve(Float64Array.from(right), Float64Array.from(wrong), [wanted], 100);
    const found = steps.find((step) => step.right / step.answered >= wanted)!;
    expect([found.answered / 9, found.right / found.answered]).toEqual([
      at[0]!.point!.coverage,
      at[0]!.point!.precision,
    ]);
  }
  const few = precisionSteps(Float64Array.from(right), Float64Array.from(wrong), 2);
  expect(few).toEqual([steps[0], steps[3]]);
  expect(precisionSteps(Float64Array.of(), Float64Array.of(0.5), 10)).toEqual([
    { threshold: 0, answered: 1, right: 0 },
  ]);
});
