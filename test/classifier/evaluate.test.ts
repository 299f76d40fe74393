import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  averagePrecision,
  calibration,
  classificationReport,
  type EvaluatedRow,
  type LabelledText,
  logLoss,
  multiLabelReport,
  type Row,
  rocAuc,
  TextClassifier,
  topKAccuracy,
} from '../../src/index.js';
import { topicTexts } from '../support/texts.js';

let model: TextClassifier;
beforeAll(async () => {
  model = await TextClassifier.train(topicTexts(90), { embeddingDim: 8, hiddenSize: 8, epochs: 12, seed: 1 });
});
afterAll(() => model.close());

/** Rows of which the model gets some wrong, more than are measured in one go. */
const rows = topicTexts(9_000, 4).map((row, index) => (index % 7 === 0 ? { ...row, label: 'tool' } : row));

describe('evaluate of a model of several labels', () => {
  /** Each text has the topics of its words, none for fillers alone. */
  const several = (count: number, seed: number): Row[] => {
    const single = topicTexts(2 * count, seed);
    return Array.from({ length: count }, (_, i) => {
      const [a, b] = [single[2 * i]!, single[(2 * i + 5) % (2 * count)]!];
      if (i % 5 === 0) return { text: 'the small old', label: [] };
      return i % 2 ? { text: a.text, label: [a.label] } : { text: `${a.text} ${b.text}`, label: [a.label, b.label] };
    });
  };

  it('gives the figures that the standalone functions give for its predictions', async () => {
    const sets = await TextClassifier.train(several(300, 1), {
      embeddingDim: 8,
      hiddenSize: 8,
      multiLabel: true,
      seed: 1,
    });
    const measured = several(5_000, 9);
    const seen: EvaluatedRow[] = [];
    const evaluation = await sets.evaluate(measured, { onPrediction: (row) => void seen.push(row) });
    if (!evaluation.multiLabel) throw new Error('the labels are not exclusive');
    const truth = measured.map(({ label }) => [...new Set(label)].sort());
    const predictions = await sets.predictMany(measured.map(({ text }) => text));
    const report = multiLabelReport(
      truth,
      predictions.map(({ labels }) => labels),
    );
    for (const name of ['rows', 'labels', 'accuracy', 'hammingLoss', 'microAverage', 'samplesAverage'] as const) {
      expect(evaluation[name], name).toEqual(report[name]);
    }
    for (const [index, label] of sets.labels.entries()) {
      const scores = predictions.map(({ classes }) => classes.find((entry) => entry.label === label)!.probability);
      const has = truth.map((labels) => labels.includes(label));
      const own = evaluation.perLabel[index]!;
      expect(own).toMatchObject(report.perLabel[index]!);
      // Texts computed beside others, in another order, differ by rounding of float32, and so may a few ties.
      expect(own.averagePrecision).toBeCloseTo(averagePrecision(has, scores), 3);
      expect(own.rocAuc).toBeCloseTo(rocAuc(has, scores)!, 3);
    }
    expect(evaluation.rowsWithoutLabel.truth).toBe(1_000);
    expect(evaluation.loss).toBeGreaterThan(0);
    expect(seen.map(({ label }) => label)).toEqual(truth);
    expect(seen.map(({ predicted }) => predicted)).toEqual(predictions.map(({ labels }) => labels.toSorted()));
    expect(seen[1]!.probability).toHaveLength(seen[1]!.predicted.length);
    await sets.close();
  });
});

describe('evaluate', () => {
  it('gives the figures that the standalone functions give for its predictions', async () => {
    const evaluation = await model.evaluate(rows);
    if (evaluation.multiLabel) throw new Error('the labels are exclusive');
    const predictions = await model.predictMany(rows.map(({ text }) => text));
    const { labels } = model;
    const truth = rows.map(({ label }) => label);
    const report = classificationReport(
      truth,
      predictions.map(({ label }) => label),
    );
    for (const name of ['rows', 'labels', 'accuracy', 'confusionMatrix', 'perLabel', 'macroAverage'] as const) {
      expect(evaluation[name], name).toEqual(report[name]);
    }
    const probabilities = predictions.map(({ classes }) =>
      Float32Array.from(labels, (label) => classes.find((entry) => entry.label === label)!.probability),
    );
    // Texts computed beside others, in another order, differ by rounding of float32.
    expect(evaluation.logLoss).toBeCloseTo(logLoss(truth, probabilities, { labels }), 5);
    expect(evaluation.loss).toBeCloseTo(evaluation.logLoss, 5);
    expect(evaluation.calibration.error).toBeCloseTo(calibration(truth, probabilities, { labels }).error, 5);
    expect(evaluation.topK).toEqual([{ k: 2, accuracy: topKAccuracy(truth, probabilities, { labels }) }]);
    expect(evaluation.undefinedMeasures).toEqual([]);
  });

  it('counts only labels that occur in its averages, and names what could not be divided', async () => {
    const animals = topicTexts(30, 2).filter(({ label }) => label === 'animal');
    const predicted = (await model.predictMany(animals.map(({ text }) => text))).map(({ label }) => label);
    const evaluation = await model.evaluate(animals);
    const report = classificationReport(
      animals.map(({ label }) => label),
      predicted,
    );
    expect(evaluation.macroAverage).toEqual(report.macroAverage);
    expect(evaluation.labels).toEqual(['animal', 'food', 'tool']);
    expect(evaluation.undefinedMeasures).toContainEqual({ label: 'food', measure: 'recall' });
    expect(JSON.stringify(evaluation)).not.toMatch(/null|NaN/);
  });

  it('tells of each row in order, and waits for who listens', async () => {
    const seen: EvaluatedRow[] = [];
    let waiting = 0;
    const source = async function* () {
      for (const [index, row] of rows.entries()) yield { ...row, line: index + 2 };
    };
    const progress: number[] = [];
    const { accuracy } = await model.evaluate(source(), {
      onPrediction: async (row) => {
        expect(++waiting).toBe(1);
        if (seen.length % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
        seen.push(row);
        waiting--;
      },
      onProgress: ({ rows: done }) => progress.push(done),
    });
    expect(progress).toEqual([4_096, 8_192, 9_000]);
    expect(seen.map(({ text, label, line }) => [text, label, line])).toEqual(
      rows.map(({ text, label }, index) => [text, label, index + 2]),
    );
    expect(seen.filter(({ label, predicted }) => label === predicted).length / rows.length).toBe(accuracy);
    const { label, probability } = await model.predict(rows[8_999]!.text);
    expect(seen[8_999]).toMatchObject({ predicted: label, probability: expect.closeTo(probability, 5) });
  });

  it('says which row does not fit, counted from the first, and lets go of the source', async () => {
    let returned = false;
    const source: AsyncIterable<LabelledText> = {
      async *[Symbol.asyncIterator]() {
        try {
          yield* rows.slice(0, 5_000);
          yield { text: 'a', label: 'drink' };
          yield* rows;
        } finally {
          returned = true;
        }
      },
    };
    await expect(model.evaluate(source)).rejects.toMatchObject({
      code: 'UNKNOWN_LABEL',
      message: expect.stringContaining('unknown label: "drink" (1 row, first row 5001)'),
    });
    expect(returned).toBe(true);
  });

  it('refuses what it cannot measure', async () => {
    await expect(model.evaluate([])).rejects.toMatchObject({ code: 'EMPTY_DATASET' });
    await expect(model.evaluate('rows' as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(model.evaluate(rows, { onPrediction: 1 as never })).rejects.toThrow(/a function for onPrediction/);
    await expect(model.evaluate(rows, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    const controller = new AbortController();
    const stopped = model.evaluate(rows, { signal: controller.signal, onProgress: () => controller.abort() });
    await expect(stopped).rejects.toMatchObject({ code: 'ABORTED' });
  });
});
