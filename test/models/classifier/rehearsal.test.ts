import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ExclusiveEvaluation, type PrepareEvent, TextClassifier, type TrainingEvent } from '../../../src/index.js';
import { temporaryFolder } from '../../support/folder.js';
import { orderTexts, topicTexts } from '../../support/texts.js';

const folder = temporaryFolder();
const rows = orderTexts(1_000);
const OPTIONS = { embeddingDim: 16, hiddenSize: 16, epochs: 6, lr: 1e-2, batchSize: 16, threads: 2 } as const;
const USUAL = { network: 0.3, sharpness: 1 };

/** Trains, and gives what was heard beside the model. */
async function heard(given: typeof rows, options: object) {
  const events: TrainingEvent[] = [];
  const model = await TextClassifier.train(given, { ...OPTIONS, ...options, onEvent: (event) => events.push(event) });
  const prepared = events.filter((event): event is PrepareEvent => event.type === 'prepare');
  return { model, prepared, events };
}

describe('the mix without validation rows', () => {
  it('gives the network more where n-grams tell nothing', async () => {
    const { model, prepared, events } = await heard(rows, {});
    using both = model;
    expect(both.mix!.network).toBeGreaterThan(0.4);
    const { accuracy, calibration } = (await both.evaluate(orderTexts(400, 2))) as ExclusiveEvaluation;
    expect(accuracy).toBeGreaterThan(0.98);
    expect(calibration.error).toBeLessThan(0.05);
    expect(prepared.some(({ about }) => about === 'mix')).toBe(true);
    const shares = prepared.filter(({ about }) => about === 'mix').map(({ share }) => share);
    expect(shares.every((share, at) => share > 0 && share <= 1 && share >= (shares[at - 1] ?? 0))).toBe(true);
    // What was tried out before is no epoch of the training.
    expect(events.filter(({ type }) => type === 'epoch')).toHaveLength(6);
    expect(both.history).toHaveLength(6);
  });

  it('leaves the network as it is', async () => {
    using both = await TextClassifier.train(rows, { ...OPTIONS, epochs: 2 });
    using alone = await TextClassifier.train(rows, { ...OPTIONS, epochs: 2, linear: false });
    const losses = (model: TextClassifier) => model.history.map(({ loss }) => loss);
    expect(losses(both)).toEqual(losses(alone));
  });

  it('is the usual one where n-grams tell most, rows are few, or there is no network', async () => {
    const mixOf = async (given: typeof rows, options: object) => {
      using model = await TextClassifier.train(given, { ...OPTIONS, epochs: 1, ...options });
      return model.mix;
    };
    expect(await mixOf(topicTexts(400), {})).toEqual(USUAL);
    expect(await mixOf(orderTexts(100), {})).toEqual(USUAL);
    expect(await mixOf(rows, { recurrent: false })).toEqual({ network: 0, sharpness: 1 });
  });

  it('does not depend on threads, and is in the checkpoint', async () => {
    const checkpoint = join(folder, 'checkpoint');
    const run = TextClassifier.start(rows, { ...OPTIONS, epochs: 4, checkpoint });
    for await (const event of run) if (event.type === 'epoch') run.stop();
    using part = await run.result;
    const { model, prepared } = await heard(rows, { resume: checkpoint, epochs: undefined });
    using resumed = model;
    expect(resumed.mix).toEqual(part.mix);
    expect(prepared.some(({ about }) => about === 'mix')).toBe(false);
    using whole = await TextClassifier.train(rows, { ...OPTIONS, epochs: 4, threads: 1 });
    expect(whole.mix).toEqual(resumed.mix);
  });

  it('is chosen for several labels a text too, whose thresholds stay the usual ones', async () => {
    const several = rows.map(({ text, label }) => ({
      text,
      label: label === 'before' ? ['before', 'both'] : ['both'],
    }));
    using model = await TextClassifier.train(several, { ...OPTIONS, multiLabel: true });
    expect(model.mix!.network).toBeGreaterThan(0.35);
    expect(model.thresholds).toEqual([0.5, 0.5]);
    const { labels } = await model.predict('a alpha the old omega of');
    expect(labels.toSorted()).toEqual(['before', 'both']);
  });

  it('is given up when the training is', async () => {
    for (const how of ['stop', 'signal'] as const) {
      const controller = new AbortController();
      const run = TextClassifier.start(rows, { ...OPTIONS, epochs: 500, signal: controller.signal });
      const ended = (async () => {
        for await (const event of run) {
          if (event.type !== 'prepare' || event.about !== 'mix') continue;
          if (how === 'stop') run.stop();
          else controller.abort('enough');
        }
      })().catch((error: unknown) => error);
      await expect(run.result).rejects.toMatchObject({
        code: 'ABORTED',
        message: 'the training, before its first step, was aborted',
        cause: how === 'signal' ? 'enough' : undefined,
      });
      await ended;
    }
  });
});
