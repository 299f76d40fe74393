import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TextClassifier, TrainingError, type TuningEvent } from '../../src/index.js';
import { fitted } from '../../src/models/classifier/tuning/size.js';
import { candidatesOf } from '../../src/models/classifier/tuning/space.js';
import { temporaryFolder } from '../support/folder.js';
import { orderTexts, topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
/** A network that learns in a moment. */
const SMALL = { embeddingDim: 8, hiddenSize: 8, threads: 1 } as const;

describe('TextClassifier.tune', () => {
  it('tries the linear model, the defaults and others, and gives a model of all rows', async () => {
    const rows = topicTexts(120);
    const events: TuningEvent[] = [];
    const tuning = await TextClassifier.tune(rows, {
      ...SMALL,
      trials: 4,
      seed: 5,
      onEvent: (event) => events.push(event),
    });
    const { model, options, winner, leaderboard, verdict } = tuning;
    expect(model.trainedRows).toBe(120);
    expect(leaderboard.map(({ trial }) => trial).sort()).toEqual([1, 2, 3, 4]);
    const first = events.filter(({ type }) => type === 'trial').slice(0, 3);
    expect(first).toMatchObject([
      { name: 'the linear model alone', options: { recurrent: false }, rung: 1 },
      { name: 'the defaults', options: {}, rung: 1 },
      { name: 'members 3', options: { members: 3 }, rung: 1 },
    ]);
    expect(events[0]).toMatchObject({ type: 'start', rows: 120, labels: 3, rungs: [1, 3, 5], secondsLeft: null });
    expect(events.at(-1)).toMatchObject({ type: 'retrain', rows: 120, name: winner.name });
    expect(verdict).toContain(winner.name);
    // The same options give the same bytes.
    const again = await TextClassifier.train(rows, options);
    await model.save(join(folder, 'tuned'));
    await again.save(join(folder, 'again'));
    const probe = topicTexts(20, 9).map(({ text }) => text);
    expect(await again.predictMany(probe)).toEqual(await model.predictMany(probe));
    expect(options).toMatchObject({ ...SMALL, seed: 5 });
  });

  it('tries the same settings by the same seed, others by another one', () => {
    const known = { rows: 100, labels: 3 };
    const names = (seed: number) =>
      Array.from({ length: 60 }, (_, at) => [...take(candidatesOf(known, {}, seed), 60)][at]!);
    expect(names(1)).toEqual(names(1));
    expect(names(1)).not.toEqual(names(2));
    expect(new Set(names(1)).size).toBe(60);
    const fixed = [...take(candidatesOf(known, { lr: 0.1, multiLabel: true, device: 'cuda' }, 1), 60)];
    expect(fixed.filter((name) => /\blr|labelSmoothing|subwords|members/.test(name))).toEqual([]);
  });

  it('finds that a network is needed where only the order of words tells the label', async () => {
    const rows = orderTexts(240);
    const { winner, leaderboard } = await TextClassifier.tune(rows, {
      threads: 1,
      hiddenSize: 16,
      embeddingDim: 16,
      trials: 2,
      epochs: 8,
    });
    expect(winner.name).toBe('the defaults');
    const linear = leaderboard.find(({ name }) => name === 'the linear model alone')!;
    expect(linear.difference).toBeLessThan(-0.2);
  });

  it('keeps to the size of the file', async () => {
    const rare = (row: number) => Array.from({ length: 20 }, (_, i) => `w${row * 20 + i}`).join(' ');
    const rows = topicTexts(120).map(({ text, label }, row) => ({ text: `${text} ${rare(row)}`, label }));
    const { model } = await TextClassifier.tune(rows, { ...SMALL, embeddingDim: 16, trials: 2, maxSize: 90_000 });
    expect(model.recurrent).toBe(true);
    const path = join(folder, 'small');
    await model.save(path);
    const { size } = statSync(path);
    expect(size).toBeLessThanOrEqual(90_000);
    expect(size).toBeGreaterThan(20_000);
    const known = { rows: 10_000, labels: 77, words: 3_000, wordBytes: 40_000 };
    expect(fitted({}, {}, known, 100_000_000)).toEqual({});
    expect(fitted({}, {}, known, 2_000_000)).toEqual({ maxLinearBytes: expect.any(Number) });
    expect(fitted({ members: 16 }, {}, known, 100_000)).toBeUndefined();
  });

  it('measures on validation rows of their own, and learns from them at last', async () => {
    const { model, leaderboard } = await TextClassifier.tune(topicTexts(90), {
      ...SMALL,
      trials: 2,
      metric: 'f1:food',
      validation: topicTexts(30, 4),
    });
    expect(model.trainedRows).toBe(120);
    expect(leaderboard[0]!.score).toBeGreaterThan(0.8);
  });

  it('takes texts with several labels', async () => {
    const rows = topicTexts(90).map(({ text, label }) => ({ text, label: label === 'tool' ? [] : [label, 'thing'] }));
    const { model } = await TextClassifier.tune(rows, { ...SMALL, trials: 2, multiLabel: true, metric: 'macroF1' });
    expect(model.thresholds).toHaveLength(3);
  });

  it('gives what it has when it is aborted', async () => {
    const controller = new AbortController();
    const onEvent = ({ type }: TuningEvent) => {
      if (type === 'trial') controller.abort(new Error('enough'));
    };
    const error = await TextClassifier.tune(topicTexts(90), { ...SMALL, signal: controller.signal, onEvent }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(TrainingError);
    const { code, model, message } = error as TrainingError<TextClassifier>;
    expect([code, model?.trainedRows]).toEqual(['ABORTED', 72]);
    expect(message).toContain('the linear model alone');
    expect((await model!.predict('cheese soup')).label).toBe('food');
  });

  it('refuses what does not fit', async () => {
    const rows = topicTexts(30);
    const tune = (options: object) => TextClassifier.tune(rows, options);
    await expect(tune({ minutes: 0 })).rejects.toThrow(/minutes/);
    await expect(tune({ metric: 'f1' })).rejects.toThrow(/'accuracy', 'macroF1' or 'f1:LABEL' for metric/);
    await expect(tune({ metric: 'f1:nothing' })).rejects.toThrow(/no row has the label "nothing"/);
    await expect(tune({ recurrent: false })).rejects.toThrow(/Unknown option "recurrent" for TextClassifier.tune/);
    await expect(tune({ lr: -1 })).rejects.toThrow(/lr/);
    await expect(tune({ trials: 2, maxSize: 10 })).rejects.toThrow(/maxSize/);
    await expect(TextClassifier.tune([], {})).rejects.toThrow(/no rows to tune on/);
    const alone = [
      { text: 'a', label: 'x' },
      { text: 'b', label: 'y' },
    ];
    await expect(TextClassifier.tune(alone, {})).rejects.toThrow(/at least two labels need two rows or more/);
    await expect(TextClassifier.tune([{ text: 'a', label: '' }], {})).rejects.toThrow(/label/);
  });
});

function* take(candidates: Iterable<{ name: string }>, count: number): Generator<string> {
  for (const { name } of candidates) {
    if (count-- === 0) return;
    yield name;
  }
}
