import { expect, it } from 'vitest';
import {
  classificationReport,
  confusionMatrix,
  formatClassificationReport,
  formatConfusionMatrix,
  formatConfusions,
  worstConfusions,
} from '../../src/index.js';
import { Measurer } from '../../src/measures/evaluation.js';

/** So many labels that a matrix of them would have 400 million numbers. */
const LABELS = Array.from({ length: 20_000 }, (_, i) => `l${i}`);
const truth = LABELS.map((_, i) => LABELS[i - (i % 2)]!);

it('20,000 labels are counted without a matrix', () => {
  const report = classificationReport(truth, LABELS, { labels: LABELS });
  expect(report).toMatchObject({ rows: 20_000, accuracy: 0.5, confusionMatrix: null });
  expect(report.confusions).toHaveLength(10_000);
  expect(report.confusions[0]).toEqual({ truth: 'l0', predicted: 'l1', rows: 1, share: 0.5 });
  expect(report.perLabel[0]).toMatchObject({ label: 'l0', precision: 1, recall: 0.5, support: 2, predicted: 1 });
  expect(worstConfusions(report)).toHaveLength(10);
  expect(formatConfusions(report, 1)).toBe('1  l0 taken for l1 (50.0 % of l0)');
  expect(formatClassificationReport(report).split('\n')).toHaveLength(20_004);
  const code = 'OUT_OF_RANGE';
  expect(() => confusionMatrix(truth, LABELS)).toThrow(expect.objectContaining({ code, option: 'labels' }));
  expect(() => formatConfusionMatrix(report)).toThrow('with 20000 labels there is no matrix');
});

it('an evaluation of 20,000 labels is some megabytes of JSON', () => {
  const measurer = new Measurer(LABELS);
  const probabilities = new Float32Array(LABELS.length);
  probabilities[3] = 1;
  for (const right of [3, 3, 4]) measurer.add(probabilities, right);
  const evaluation = measurer.finish();
  expect(evaluation).toMatchObject({ rows: 3, accuracy: 2 / 3, confusionMatrix: null });
  expect(evaluation.confusions).toEqual([{ truth: 'l4', predicted: 'l3', rows: 1, share: 1 }]);
  expect(JSON.stringify(evaluation).length).toBeLessThan(1e7);
});

it('one long label does not widen the lines of all others', () => {
  const labels = ['x'.repeat(1_000), 'y'];
  const lines = formatClassificationReport(classificationReport(labels, labels)).split('\n');
  expect(lines.find((line) => line.startsWith('y'))!.length).toBeLessThan(120);
});

it('a matrix and a report of the same rows agree', () => {
  const [yTrue, yPred] = [
    ['a', 'b', 'b', 'c', 'b'],
    ['a', 'a', 'b', 'a', 'c'],
  ];
  const matrix = confusionMatrix(yTrue, yPred);
  const report = classificationReport(yTrue, yPred);
  expect(report.confusionMatrix).toEqual(matrix.confusionMatrix);
  expect(worstConfusions(matrix)).toEqual(report.confusions);
  expect(formatConfusions(matrix)).toBe(formatConfusions(report));
});

it('numbers all columns of a matrix if a name is long', () => {
  const pair = ['short', 'a long name'];
  const lines = formatConfusionMatrix(confusionMatrix(pair, pair)).split('\n');
  expect(lines[1]!.trim()).toBe('#1 #2');
  expect(lines[3]).toMatch(/^ +#2 short +0 +1 {3}100\.0 % found$/);
  expect(
    formatConfusionMatrix(confusionMatrix(['a', 'b'], ['a', 'b']))
      .split('\n')[1]!
      .trim(),
  ).toBe('a b');
});
