import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Measurer } from '../../src/measures/evaluation.js';
import { MultiLabelMeasurer } from '../../src/measures/multiLabelEvaluation.js';

interface Golden {
  scores: number[][];
  accuracy: number;
  averages: Record<string, { precision: number; recall: number; f1: number }>;
}

const golden = JSON.parse(readFileSync(new URL('../fixtures/golden/unknown_labels.json', import.meta.url), 'utf8')) as {
  exclusive: Golden & { truth: number[]; confusionMatrix: number[][]; logLoss: number };
  several: Golden & { truth: number[][]; hammingLoss: number; averagePrecision: number[]; rocAuc: number[] };
};
const KNOWN = ['a', 'b', 'c'];

/** The index of a label beyond the known ones, which is made when it is first met. */
function lazily(measurer: { extend(label: string): number }): (index: number) => number {
  const made = new Map<number, number>();
  return (index) => {
    if (index < KNOWN.length) return index;
    if (!made.has(index)) made.set(index, measurer.extend(index === 3 ? 'x' : 'y'));
    return made.get(index)!;
  };
}

describe('labels that the predictor does not have', () => {
  it('count as scikit-learn counts a column of zeros', () => {
    const { scores, truth, accuracy, confusionMatrix, averages, logLoss } = golden.exclusive;
    const measurer = new Measurer(KNOWN);
    const index = lazily(measurer);
    for (const [row, label] of truth.entries()) measurer.add(Float32Array.from(scores[row]!), index(label));
    const found = measurer.finish();
    expect(found.labels).toEqual(['a', 'b', 'c', 'x', 'y']);
    expect(found.confusionMatrix).toEqual(confusionMatrix);
    expect(found.accuracy).toBeCloseTo(accuracy, 14);
    expect(found.logLoss).toBeCloseTo(logLoss, 6);
    expect(found.topK).toEqual([{ k: 2, accuracy: expect.any(Number) }]);
    expect(found.topK[0]!.accuracy).toBeLessThanOrEqual(37 / 40);
    for (const [name, expected] of Object.entries(averages)) {
      for (const [measure, value] of Object.entries(expected)) {
        expect(found[`${name}Average` as 'macroAverage'][measure as 'f1'], `${name} ${measure}`).toBeCloseTo(value, 14);
      }
    }
  });

  it('and where a row may have any number of labels', () => {
    const { scores, truth, accuracy, hammingLoss, averages, averagePrecision, rocAuc } = golden.several;
    const measurer = new MultiLabelMeasurer(KNOWN, [0.5, 0.5, 0.5]);
    const index = lazily(measurer);
    for (const [row, indicators] of truth.entries()) {
      const labels = indicators.flatMap((there, label) => (there ? [index(label)] : []));
      measurer.add(Float32Array.from(scores[row]!), Int32Array.from(labels));
    }
    const steps = measurer.finish();
    let step = steps.next();
    while (!step.done) step = steps.next();
    const found = step.value;
    expect([found.accuracy, found.hammingLoss]).toEqual([accuracy, expect.closeTo(hammingLoss, 14)]);
    expect(found.perLabel.map((each) => each.averagePrecision)).toEqual(
      averagePrecision.map((each) => expect.closeTo(each, 12)),
    );
    expect(found.perLabel.map((each) => each.rocAuc)).toEqual(rocAuc.map((each) => expect.closeTo(each, 12)));
    for (const [name, expected] of Object.entries(averages)) {
      for (const [measure, value] of Object.entries(expected)) {
        expect(found[`${name}Average` as 'macroAverage'][measure as 'f1'], `${name} ${measure}`).toBeCloseTo(value, 13);
      }
    }
  });
});
