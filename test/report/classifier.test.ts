import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type ClassifierReport,
  type LabelledText,
  readCsv,
  readTexts,
  reportModel,
  reportPage,
  TextClassifier,
  withColumn,
} from '../../src/index.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const training = topicTexts(300);
/** Rows with a column, of which every tenth has a wrong label, which are mistakes of the model then. */
const rows = topicTexts(200, 5).map((row, at) => ({
  ...row,
  ...(at % 10 === 0 && { label: row.label === 'food' ? 'tool' : 'food' }),
  channel: at % 4 === 0 ? 'mail' : 'web',
}));
const OPTIONS = { embeddingDim: 16, hiddenSize: 16, lr: 1e-2, seed: 1, epochs: 4 } as const;

describe('a report of a classifier', () => {
  let model: TextClassifier;
  let report: ClassifierReport;
  beforeAll(async () => {
    model = await TextClassifier.train(training, { ...OPTIONS, validation: 0.2 });
    report = await reportModel(model, rows, { by: 'channel', resamples: 200, mistakes: 5 });
  });
  afterAll(() => model.close());

  it('has the figures of an evaluation, with intervals', async () => {
    const evaluation = await model.evaluate(rows);
    expect(report.rows).toBe(200);
    expect(report.accuracy.value).toBeCloseTo(evaluation.accuracy, 12);
    expect(report.macroF1.value).toBeCloseTo(evaluation.macroAverage.f1, 12);
    expect(report.accuracy.low).toBeLessThan(report.accuracy.value);
    expect(report.accuracy.high).toBeGreaterThan(report.accuracy.value);
    for (const { label, precision, recall, f1, support } of report.perLabel) {
      const measures = evaluation.perLabel.find((each) => each.label === label)!;
      expect(support).toBe(measures.support);
      for (const [found, value] of [
        [precision, measures.precision],
        [recall, measures.recall],
        [f1, measures.f1],
      ] as const)
        expect(found.value).toBeCloseTo(value, 12);
    }
    expect(report.coverage!.points.at(-1)).toMatchObject({ coverage: 1, precision: evaluation.accuracy });
    expect(report.training.record!.data.rows).toBe(240);
    expect(report.training.curve).toHaveLength(4);
  });

  it('has every row in a cell and in a group, and texts behind each cell', () => {
    expect(report.cells.reduce((sum, { rows: count }) => sum + count, 0)).toBe(200);
    for (const { truth, predicted, rows: count } of report.cells) {
      const texts = report.texts.filter((each) => each.truth === truth && each.predicted === predicted);
      expect(texts.length).toBe(Math.min(count, 10));
      for (const { row, text } of texts) expect(rows[row - 1]).toMatchObject({ text, label: report.labels[truth] });
    }
    const [channel, tokens, known] = report.groupings;
    expect(channel!.by).toBe('channel');
    expect(channel!.groups.map(({ name, rows: count }) => [name, count])).toEqual([
      ['web', 150],
      ['mail', 50],
    ]);
    for (const { groups } of [tokens!, known!]) {
      const right = groups.reduce((sum, { rows: count, accuracy }) => sum + count * accuracy.value, 0);
      expect(groups.reduce((sum, { rows: count }) => sum + count, 0)).toBe(200);
      expect(right).toBeCloseTo(200 * report.accuracy.value, 9);
    }
  });

  it('explains the mistakes of which the model is most sure, and finds wrong labels', () => {
    expect(report.mistakes).toHaveLength(5);
    const sure = report.mistakes.map(({ probability }) => probability);
    expect(sure).toEqual([...sure].sort((a, b) => b - a));
    for (const { row, truth, label, tokens, text } of report.mistakes) {
      expect([rows[row - 1]!.label]).toEqual(truth);
      expect(truth).not.toContain(label);
      expect(Math.max(...tokens.map(({ contribution }) => Math.abs(contribution)))).toBe(1);
      expect(tokens.map(({ start, end }) => text.slice(start, end)).join(' ')).toBe(text);
    }
    const { outOfSample, examples } = report.doubtful!;
    expect(outOfSample).toBe(false);
    const wrong = examples.filter(({ row }) => (row - 1) % 10 === 0);
    expect(wrong.length).toBeGreaterThan(15);
    expect(wrong.length / examples.length).toBeGreaterThan(0.8);
  });

  it('is the same again, and holds no more texts than it may', async () => {
    const options = { by: 'channel', resamples: 200, mistakes: 5 };
    expect(await reportModel(model, rows, options)).toEqual(report);
    const few = await reportModel(model, rows, { ...options, texts: 3, mistakes: 0 });
    expect(few.texts).toHaveLength(3);
    expect(few.mistakes).toEqual([]);
  });

  it('judges labels by models of other rows where that is asked for', async () => {
    const stages = new Set<string>();
    const onProgress = ({ stage }: { stage: string }) => void stages.add(stage);
    const { doubtful } = await reportModel(model, rows, { labels: true, resamples: 100, onProgress });
    expect(doubtful!.outOfSample).toBe(true);
    expect(doubtful!.examples.filter(({ row }) => (row - 1) % 10 === 0).length).toBeGreaterThan(10);
    expect([...stages]).toEqual(expect.arrayContaining(['measuring', 'judging', 'explaining']));
  });

  it('takes a column of a file, and events of the training', async () => {
    const path = join(folder, 'rows.csv');
    const lines = rows.map(({ text, label, channel }) => `${label},"${text}",${channel}\n`);
    writeFileSync(path, `label,text,channel\n${lines.join('')}`);
    const read = withColumn(
      readCsv(path, { text: 'text', label: 'label' }),
      'channel',
      readTexts(path, { text: 'channel' }),
    );
    const events = [
      { event: 'step', samples: 120, totalSamples: 480, epochs: 2, loss: 0.9, accuracy: 0.5 },
      {
        event: 'epoch',
        samples: 240,
        totalSamples: 480,
        epochs: 2,
        loss: 0.8,
        accuracy: 0.6,
        validation: { loss: 0.7, accuracy: 0.8 },
      },
      { event: 'end', seconds: 12.5 },
    ];
    const found = await reportModel(model, read, { by: 'channel', resamples: 200, mistakes: 5, events });
    expect(found.groupings).toEqual(report.groupings);
    expect(found.training).toMatchObject({
      seconds: 12.5,
      curve: [
        { epoch: 0.5, loss: 0.9, accuracy: 0.5 },
        { epoch: 1, loss: 0.8, accuracy: 0.6, validationLoss: 0.7, validationAccuracy: 0.8 },
      ],
    });
  });

  it('refuses what does not fit', async () => {
    const abort = AbortSignal.abort();
    await expect(reportModel(model, rows, { signal: abort })).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(reportModel(model, rows, { resamples: 5 })).rejects.toMatchObject({ option: 'resamples' });
    await expect(reportModel(model, [])).rejects.toMatchObject({ code: 'EMPTY_DATASET' });
    const others: LabelledText[] = [...rows.slice(0, 20), { text: 'a cat', label: 'none' }];
    await expect(reportModel(model, others)).rejects.toMatchObject({ code: 'UNKNOWN_LABEL' });
    const { labels, cells } = await reportModel(model, others, { unknownLabels: 'wrong', resamples: 100 });
    expect(labels.at(-1)).toBe('none');
    expect(cells).toContainEqual({ truth: 3, predicted: expect.any(Number), rows: 1 });
  });
});

it('a report of a model of several labels has no matrix', async () => {
  const several = training.map(({ text, label }, at) => ({ text, label: at % 4 === 0 ? [label, 'third'] : [label] }));
  await using model = await TextClassifier.train(several, { ...OPTIONS, multiLabel: true });
  const found = await reportModel(model, several, { resamples: 100, mistakes: 3 });
  const evaluation = await model.evaluate(several);
  expect(found).toMatchObject({
    multiLabel: true,
    cells: [],
    texts: [],
    calibration: null,
    coverage: null,
    doubtful: null,
  });
  expect(found.accuracy.value).toBeCloseTo(evaluation.accuracy, 12);
  expect(found.macroF1.value).toBeCloseTo(evaluation.macroAverage.f1, 12);
  expect(found.mistakes).toHaveLength(3);
  expect(() => reportPage(found, { name: 'x' } as object)).toThrow(/name/);
});

it('a page of 100,000 rows is below 2 MB', async () => {
  await using model = await TextClassifier.train(training, { ...OPTIONS, recurrent: false });
  const long = 'ü'.repeat(400);
  function* many() {
    for (let row = 0; row < 100_000; row++) {
      const { text, label } = rows[row % rows.length]!;
      yield { text: `${text} ${row} ${row % 7 === 0 ? long : ''}`, label };
    }
  }
  const found = await reportModel(model, many(), { texts: 100_000 });
  expect(found.rows).toBe(100_000);
  expect(Buffer.byteLength(reportPage(found))).toBeLessThan(2_000_000);
}, 60_000);
