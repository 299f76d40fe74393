import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  averagePrecision,
  type ClassificationReport,
  calibration,
  classificationReport,
  confusionMatrix,
  logLoss,
  multiLabelReport,
  type PrecisionRecall,
  rocAuc,
  topKAccuracy,
} from '../../src/index.js';
import { golden } from '../support/safetensors.js';

type Labelled = PrecisionRecall & { label: string; support: number };
interface Report {
  labels: string[];
  accuracy: number;
  confusionMatrix: number[][];
  perLabel: Labelled[];
  macroAverage: PrecisionRecall;
  weightedAverage: PrecisionRecall;
}
interface Fixture {
  exclusive: {
    name: string;
    yTrue: string[];
    yPred: string[];
    occurring: Report;
    withLabels: Report & { allLabels: string[] };
  }[];
  probabilities: {
    name: string;
    float32: boolean;
    labels: string[];
    yTrue: string[];
    probabilities: number[][];
    logLoss: number;
    logLossAsGiven: number;
    topK: number[];
    calibration: Record<
      string,
      { error: number; largestError: number; rows: number[]; accuracies: number[]; confidences: number[] }
    >;
  }[];
  multiLabel: {
    labels: string[];
    yTrue: string[][];
    yPred: string[][];
    scores: number[][];
    subsetAccuracy: number;
    hammingLoss: number;
    perLabel: Labelled[];
    microAverage: PrecisionRecall;
    macroAverage: PrecisionRecall;
    weightedAverage: PrecisionRecall;
    samplesAverage: PrecisionRecall;
    averagePrecision: number[];
    rocAuc: (number | null)[];
  }[];
}
const fixture = JSON.parse(readFileSync(join(golden, 'measures.json'), 'utf8')) as Fixture;

/** Everything is float64 arithmetic on both sides: only the order of the additions differs. */
function expectClose(ours: number, theirs: number, what: string): void {
  expect(Math.abs(ours - theirs), `${what}: ${ours} ${theirs}`).toBeLessThanOrEqual(1e-12);
}

function expectMeasures(ours: PrecisionRecall, theirs: PrecisionRecall, what: string): void {
  for (const name of ['precision', 'recall', 'f1'] as const) expectClose(ours[name], theirs[name], `${what} ${name}`);
}

function expectReport(ours: ClassificationReport, theirs: Report): void {
  expect(ours.labels).toEqual(theirs.labels);
  expect(ours.confusionMatrix).toEqual(theirs.confusionMatrix);
  expectClose(ours.accuracy, theirs.accuracy, 'accuracy');
  for (const [i, own] of theirs.perLabel.entries()) {
    expect([ours.perLabel[i]!.label, ours.perLabel[i]!.support]).toEqual([own.label, own.support]);
    expectMeasures(ours.perLabel[i]!, own, own.label);
  }
  expectMeasures(ours.macroAverage, theirs.macroAverage, 'macro');
  expectMeasures(ours.weightedAverage, theirs.weightedAverage, 'weighted');
}

describe('measures of exclusive labels are scikit-learn’s', () => {
  it.each(fixture.exclusive)('$name', ({ yTrue, yPred, occurring, withLabels: { allLabels, ...withLabels } }) => {
    expectReport(classificationReport(yTrue, yPred), occurring);
    expectReport(classificationReport(yTrue, yPred, { labels: allLabels }), withLabels);
    expect(confusionMatrix(yTrue, yPred).confusionMatrix).toEqual(occurring.confusionMatrix);
  });
});

describe('measures of probabilities are scikit-learn’s', () => {
  it.each(fixture.probabilities)('$name', (data) => {
    const { yTrue, labels, float32 } = data;
    const probabilities = float32
      ? data.probabilities.map((row) => Float32Array.from(row))
      : Float64Array.from(data.probabilities.flat());
    expectClose(logLoss(yTrue, probabilities, { labels }), data.logLoss, 'log loss');
    // scikit-learn itself rounds to float32 there.
    if (float32) expect(logLoss(yTrue, probabilities, { labels })).toBeCloseTo(data.logLossAsGiven, 5);
    else expect(data.logLossAsGiven).toBe(data.logLoss);
    for (const [index, accuracy] of data.topK.entries()) {
      expectClose(topKAccuracy(yTrue, probabilities, { labels, k: index + 1 }), accuracy, `top ${index + 1}`);
    }
    for (const [bins, theirs] of Object.entries(data.calibration)) {
      const ours = calibration(yTrue, probabilities, { labels, bins: Number(bins) });
      expectClose(ours.error, theirs.error, `calibration error, ${bins} bins`);
      expectClose(ours.largestError, theirs.largestError, `largest error, ${bins} bins`);
      expect(ours.bins.map(({ rows }) => rows)).toEqual(theirs.rows);
      for (const [i, bin] of ours.bins.entries()) {
        expectClose(bin.accuracy, theirs.accuracies[i]!, 'accuracy of a bin');
        expectClose(bin.confidence, theirs.confidences[i]!, 'confidence of a bin');
        expect(bin.confidence > bin.from && bin.confidence <= bin.to + 1e-12).toBe(true);
      }
    }
  });

  it('takes the default of 15 bins', () => {
    const { yTrue, labels, probabilities, calibration: theirs } = fixture.probabilities[2]!;
    expectClose(calibration(yTrue, probabilities, { labels }).error, theirs['15']!.error, 'calibration error');
  });
});

describe('measures of sets of labels are scikit-learn’s', () => {
  it.each(fixture.multiLabel.map((data, index) => ({ ...data, index })))('case $index', (data) => {
    const { labels, yTrue, yPred } = data;
    const ours = multiLabelReport(yTrue, yPred, { labels });
    expect(ours.rows).toBe(yTrue.length);
    expectClose(ours.accuracy, data.subsetAccuracy, 'subset accuracy');
    expectClose(ours.hammingLoss, data.hammingLoss, 'Hamming loss');
    for (const [i, own] of data.perLabel.entries()) {
      expect([ours.perLabel[i]!.label, ours.perLabel[i]!.support]).toEqual([own.label, own.support]);
      expectMeasures(ours.perLabel[i]!, own, own.label);
    }
    for (const name of ['microAverage', 'macroAverage', 'weightedAverage', 'samplesAverage'] as const) {
      expectMeasures(ours[name], data[name], name);
    }
    for (const [i, label] of labels.entries()) {
      const has = yTrue.map((row) => row.includes(label));
      expectClose(averagePrecision(has, data.scores[i]!), data.averagePrecision[i]!, `average precision of ${label}`);
      const area = rocAuc(has, Float64Array.from(data.scores[i]!));
      if (data.rocAuc[i] === null) expect(area).toBeNull();
      else expectClose(area!, data.rocAuc[i]!, `area of ${label}`);
    }
  });
});
