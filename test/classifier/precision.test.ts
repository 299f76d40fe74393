import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  ArgumentError,
  type ExclusiveEvaluation,
  type LabelledText,
  Random,
  TextClassifier,
  type TrainOptions,
} from '../../src/index.js';
import { certaintyOf, restsOnFew, thresholdFor } from '../../src/models/classifier/certainty.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const SMALL = { embeddingDim: 8, hiddenSize: 8, threads: 1, epochs: 3 } as const;

/** Texts of which some have a wrong label, so that no model is right about all. */
function noisyTexts(rows: number, seed = 1): LabelledText[] {
  const random = new Random(seed);
  return topicTexts(rows, seed).map((row) => (random.float() < 0.15 ? { ...row, label: 'tool' } : row));
}

/** What a model makes of rows with a wanted precision. */
async function answered(model: TextClassifier, rows: readonly LabelledText[], precision: number) {
  const texts = rows.map(({ text }) => text);
  const found = await model.predictMany(texts, { precision });
  const given = found.filter(({ label }) => label !== null);
  const right = found.filter(({ label }, at) => label === rows[at]!.label);
  return { rows: given.length, coverage: given.length / rows.length, precision: right.length / given.length };
}

describe('a wanted precision', () => {
  const validation = noisyTexts(90, 7);
  const kinds: [string, TrainOptions][] = [
    ['a network and a linear model', {}],
    ['several networks', { members: 2 }],
    ['a network alone', { linear: false }],
    ['a linear model alone', { recurrent: false }],
  ];
  it.each(kinds)('of %s is that of the validation rows', async (name, options) => {
    const small = options.recurrent === false ? { threads: 1 } : SMALL;
    const train = () => TextClassifier.train(noisyTexts(240), { ...small, ...options, validation });
    await using model = await train();
    const path = join(folder, `${name}.safetensors`);
    await model.save(path);
    await using loaded = await TextClassifier.load(path, { threads: 1 });
    for (const precision of [0.5, 0.8, 0.9]) {
      const threshold = model.thresholdFor(precision);
      const { minProbability, precisionLow, precisionHigh, ...expected } = threshold;
      expect(precisionLow).toBeLessThan(expected.precision);
      expect(precisionHigh).toBeGreaterThanOrEqual(expected.precision);
      expect(expected.precision).toBeGreaterThanOrEqual(precision);
      expect(await answered(model, validation, precision)).toEqual(expected);
      const { sure } = (await model.evaluate(validation, { precision })) as ExclusiveEvaluation;
      const right = Math.round(expected.precision * expected.rows);
      expect(sure).toEqual({ minProbability, ...expected, right });
      expect(loaded.thresholdFor(precision)).toEqual(threshold);
      expect(await answered(loaded, validation, precision)).toEqual(expected);
    }
    // The largest coverage that reaches it: one row more, and it is missed.
    const { minProbability, rows } = model.thresholdFor(0.9);
    const predictions = await model.predictMany(validation.map(({ text }) => text));
    const sorted = predictions
      .map(({ probability, label }, at) => ({ probability, right: label === validation[at]!.label }))
      .sort((a, b) => b.probability - a.probability);
    expect(sorted.filter(({ probability }) => probability >= minProbability)).toHaveLength(rows);
    for (let count = rows + 1; count <= sorted.length; count++) {
      if (sorted[count - 1]!.probability === sorted[count]?.probability) continue;
      expect(sorted.slice(0, count).filter(({ right }) => right).length / count).toBeLessThan(0.9);
    }
    // With both, the stricter one holds.
    const [text] = validation.map((row) => row.text);
    expect((await model.predict(text!, { precision: 0.5, minProbability: 1 })).label).toBeNull();
    await using again = await train();
    expect(again.thresholdFor(0.9)).toEqual(model.thresholdFor(0.9));
  });

  it('is refused where nothing is known of it', async () => {
    await using plain = await TextClassifier.train(noisyTexts(120), SMALL);
    await expect(plain.predict('a', { precision: 0.9 })).rejects.toThrow(
      /precision needs thresholds that were measured on validation rows; this model was not .*validation/,
    );
    await using model = await TextClassifier.train(noisyTexts(120), { ...SMALL, validation });
    for (const precision of [0, 1.1, Number.NaN]) expect(() => model.thresholdFor(precision)).toThrow(ArgumentError);
    await using small = await model.compress({ bits: 8 });
    expect(() => small.thresholdFor(0.5)).toThrow(/this model is compressed/);
    const rows = topicTexts(60).map(({ text, label }) => ({ text, label: [label] }));
    await using several = await TextClassifier.train(rows, { ...SMALL, multiLabel: true, validation: 0.2 });
    await expect(several.predictMany(['a'], { precision: 0.9 })).rejects.toThrow(/its own threshold/);
    await expect(several.evaluate(rows, { precision: 0.9 })).rejects.toThrow(/its own threshold/);
    await expect(several.evaluate(rows, { minProbability: 0.9 })).rejects.toThrow(/its own threshold/);
    await expect(plain.evaluate(noisyTexts(9), { precision: 0.9 })).rejects.toThrow(
      /needs thresholds that were measured/,
    );
  });

  it('that was never reached is an error with the best one', () => {
    const steps = [
      { threshold: 0, answered: 10, right: 5 },
      { threshold: 0.75, answered: 4, right: 3 },
    ];
    const certainty = { rows: 10, steps };
    const without = { multiLabel: false, compressed: false };
    expect(thresholdFor(certainty, 0.6, without)).toEqual({
      minProbability: 0.75,
      coverage: 0.4,
      precision: 0.75,
      // statsmodels: proportion_confint(3, 4, method='wilson')
      precisionLow: expect.closeTo(0.30064184, 7),
      precisionHigh: expect.closeTo(0.95441274, 7),
      rows: 4,
    });
    const few = restsOnFew(0.6, thresholdFor(certainty, 0.6, without));
    expect(few).toMatch(/^the precision 0\.6 rests on 4 validation rows: its 95 % interval is 30 to 95 %; check/);
    const many = { rows: 1_000, steps: [{ threshold: 0, answered: 100, right: 90 }] };
    expect(restsOnFew(0.9, thresholdFor(many, 0.9, without))).toBeUndefined();
    expect(() => thresholdFor(certainty, 0.99, without)).toThrow(/99\.0 %.*the best was 75\.0 %, on the 4 of 10 rows/);
  });

  it('survives a checkpoint', async () => {
    const path = join(folder, 'checkpoint');
    const rows = noisyTexts(120);
    const options = { ...SMALL, validation, checkpoint: path } as const;
    await using whole = await TextClassifier.train(rows, { ...SMALL, validation });
    const controller = new AbortController();
    await TextClassifier.train(rows, {
      ...options,
      signal: controller.signal,
      onEvent: ({ type, epoch }) => type === 'checkpoint' && epoch === 2 && controller.abort(),
    }).catch(() => {});
    await using resumed = await TextClassifier.train(rows, { ...options, resume: true });
    expect(resumed.thresholdFor(0.8)).toEqual(whole.thresholdFor(0.8));
    await using fromCheckpoint = await TextClassifier.load(path, { threads: 1 });
    expect(fromCheckpoint.thresholdFor(0.8)).toEqual(whole.thresholdFor(0.8));
  });

  it('is known to the winner of a search, by the rows that its trials held out', async () => {
    const rows = noisyTexts(150);
    const { model } = await TextClassifier.tune(rows, { embeddingDim: 8, hiddenSize: 8, threads: 1, trials: 2 });
    const all = model.thresholdFor(0.1);
    expect(all).toMatchObject({ minProbability: 0, coverage: 1, rows: 150 });
    expect(all.precision).toBeLessThan(0.95);
    expect(model.thresholdFor(0.9).coverage).toBeLessThan(1);
    await model.close();
  });

  it('of a damaged file is refused', () => {
    const step = { threshold: 0.5, answered: 4, right: 3 };
    expect(certaintyOf({ rows: 4, steps: [step] })).toEqual({ rows: 4, steps: [step] });
    const damaged: unknown[] = [
      null,
      7,
      { rows: 4, steps: [] },
      { rows: 3, steps: [step] },
      { rows: 4, steps: [step, step] },
      { rows: 4, steps: [{ ...step, right: 5 }] },
      { rows: 4, steps: [{ ...step, threshold: 1.5 }] },
      { rows: 4, steps: [{ ...step, threshold: '0.5' }] },
      { rows: 4, steps: Array.from({ length: 101 }, () => step) },
    ];
    for (const value of damaged) expect(() => certaintyOf(value)).toThrow(/not a list of thresholds/);
  });
});
