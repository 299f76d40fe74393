import { describe, expect, it } from 'vitest';
import { type OurRun, page, type Reference, type Run, rankSumP } from '../../scripts/lesson/page.js';

const COUNTS = [3200, 16000, 32000, 48000, 64000];

function run(seed: number, accuracy: number): Run {
  const curve = COUNTS.map((count) => [count, accuracy] as [number, number]);
  return {
    model: 'rnn',
    seed,
    lossPerSample: 0.04,
    trainAccuracy: accuracy,
    testAccuracy: accuracy,
    seconds: 1,
    curve,
  };
}

function made(ours: number[]): string {
  const runs = [0.7, 0.72, 0.74].map((accuracy, seed) => run(seed, accuracy));
  const reference: Reference = { torch: '2.11.0', rows: 65073, testRows: 7600, vocabulary: 72002, tokens: 9, runs };
  const ownRuns: OurRun[] = ours.map((accuracy, seed) => ({ ...run(seed, accuracy), order: 'own' }));
  return page(reference, [...ownRuns, { ...run(1, 0.7201), order: 'torch' }], []);
}

describe('the page that compares trainings', () => {
  it('says that ours lie within when they do', () => {
    const text = made([0.69, 0.73, 0.75]);
    expect(text).toContain(
      '**rnn** (3 trainings of ours, 3 of PyTorch): the mean of ours lies within in all 8 figures.',
    );
    expect(text).toContain('| test accuracy | 0.7200 ± 0.0200 | 0.7000, 0.7200, 0.7400 | 0.7233 ± 0.0306 |');
    expect(text).toContain('| test accuracy | 0.7200 / 0.7201 |');
  });

  it('says which figures are outside', () => {
    const text = made([0.8, 0.81, 0.82]);
    expect(text).toMatch(/lies within in 1 of 8 figures, outside in: running accuracy at 3,200, .*, test accuracy\./);
    expect(text).toMatch(/\| test accuracy .*\| no; 0 of 3 \| 0\.10 \|/);
  });
});

describe('rankSumP', () => {
  // Values of scipy.stats.mannwhitneyu(a, b, method='exact').
  it.each([
    [[1, 2, 3], [4, 5, 6], 0.1],
    [[1, 2, 3, 10], [4, 5, 6, 7, 8], 0.2857142857142857],
    [[5], [1, 9], 1],
  ])('of %j and %j is %d', (a, b, p) => {
    expect(rankSumP(a, b)).toBeCloseTo(p, 12);
    expect(rankSumP(b, a)).toBeCloseTo(p, 12);
  });
});
