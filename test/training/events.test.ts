import { describe, expect, it } from 'vitest';
import { TextClassifier, type TrainingEvent, type TrainOptions } from '../../src/index.js';
import { EventQueue } from '../../src/training/events/queue.js';
import { topicTexts } from '../support/texts.js';

const rows = topicTexts(300);
const OPTIONS = { embeddingDim: 8, hiddenSize: 6, batchSize: 16, epochs: 2, seed: 3 } as const satisfies TrainOptions;

describe('the events of a training', () => {
  it('tell everything in order, with numbers that add up, and the same to a loop and a callback', async () => {
    const called: TrainingEvent[] = [];
    const run = TextClassifier.start(rows, {
      ...OPTIONS,
      validation: 0.2,
      onEvent: (event) => called.push(event),
    });
    const read: TrainingEvent[] = [];
    for await (const event of run) read.push(event);
    using model = await run.result;
    // Of these a loop may miss some.
    const quick = (events: TrainingEvent[]) => events.filter(({ type }) => type !== 'step' && type !== 'prepare');
    expect(quick(called).map(({ type, step }) => `${type} ${step}`)).toEqual([
      'start 0',
      'validation 15',
      'epoch 15',
      'validation 30',
      'epoch 30',
      'end 30',
    ]);
    expect(quick(read)).toEqual(quick(called));
    expect(called[0]).toMatchObject({ type: 'prepare', about: 'linear', epoch: 0, step: 0 });
    const start = called.find(({ type }) => type === 'start');
    expect(start).toMatchObject({
      rows: 240,
      validationRows: 60,
      labels: model.labels,
      vocabulary: model.vocab.length,
      resumed: false,
      epochs: 2,
      steps: 30,
      totalSamples: 480,
    });
    const steps = called.filter((event) => event.type === 'step');
    for (const event of steps) {
      expect(event.steps).toBe(30);
      expect(event.samples).toBe(Math.min(event.step * 16, 480));
      expect(event.loss).toBeGreaterThan(0);
      expect(event.accuracy).toBeLessThanOrEqual(1);
      // Linear from 8e-3; the rate is that of the step before the count.
      expect(event.learningRate).toBeCloseTo(8e-3 * (1 - (event.step - 1) / 30), 12);
    }
    const epochs = called.filter((event) => event.type === 'epoch');
    expect(epochs.map(({ loss, accuracy, validation }) => ({ loss, accuracy, validation }))).toEqual(
      model.history.map(({ loss, accuracy, validation }) => ({ loss, accuracy, validation })),
    );
    const best = called.findLast((event) => event.type === 'validation' && event.best)!;
    expect(called.at(-1)).toMatchObject({
      outcome: 'finished',
      best: { epoch: best.epoch, validation: (best as { validation: object }).validation },
    });
  });

  it('end a training with stop(), which keeps the best model and rejects nothing', async () => {
    const run = TextClassifier.start(rows, { ...OPTIONS, epochs: 1_000, validation: 0.2 });
    let best = 0;
    let last: TrainingEvent | undefined;
    for await (const event of run) {
      last = event;
      if (event.type === 'validation') best = Math.max(best, event.validation.accuracy);
      if (event.type === 'epoch' && event.epoch >= 3) run.stop();
    }
    using model = await run.result;
    expect(last).toMatchObject({ type: 'end', outcome: 'stopped', best: { validation: { accuracy: best } } });
    expect((await model.predict('a cat')).classes).toHaveLength(3);
    run.stop();
  });

  it('end with what the training rejects with', async () => {
    const run = TextClassifier.start(rows, { ...OPTIONS, cell: 'rnn', lr: 1e38 });
    const events: TrainingEvent[] = [];
    const thrown: unknown = await (async () => {
      for await (const event of run) events.push(event);
    })().catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: 'NON_FINITE_LOSS' });
    expect(events.at(-1)).toMatchObject({ type: 'end', outcome: 'failed', error: thrown });
    await expect(run.result).rejects.toBe(thrown);
    // Who asks later gets the end alone.
    const late: TrainingEvent[] = [];
    await expect(
      (async () => {
        for await (const event of run) late.push(event);
      })(),
    ).rejects.toBe(thrown);
    expect(late).toEqual([events.at(-1)]);
    (thrown as { model: TextClassifier }).model.close();
  });

  it('tell of options and rows that do not fit, and of an abort', async () => {
    const outcome = async (options: TrainOptions, data = rows) => {
      const run = TextClassifier.start(data, options);
      const events: TrainingEvent[] = [];
      try {
        for await (const event of run) events.push(event);
      } catch (error) {
        (error as { model?: TextClassifier }).model?.close();
      }
      return events.at(-1) as TrainingEvent & { outcome: string };
    };
    expect(await outcome({ epochs: 0 })).toMatchObject({
      outcome: 'failed',
      step: 0,
      error: { code: 'OUT_OF_RANGE', option: 'epochs', received: 'number 0' },
    });
    expect(await outcome({}, [])).toMatchObject({ outcome: 'failed', error: { code: 'EMPTY_DATASET' } });
    expect(await outcome({ signal: AbortSignal.abort() })).toMatchObject({ outcome: 'aborted' });
    const controller = new AbortController();
    const onEvent = (event: TrainingEvent) => event.type === 'step' && controller.abort();
    expect(await outcome({ ...OPTIONS, epochs: 100, signal: controller.signal, onEvent })).toMatchObject({
      outcome: 'aborted',
      error: { code: 'ABORTED' },
    });
  });

  it('stop() while rows are read rejects, since there is no model yet', async () => {
    const run = TextClassifier.start(rows, OPTIONS);
    run.stop();
    await expect(run.result).rejects.toMatchObject({ code: 'ABORTED', model: undefined });
  });

  it.each(['step', 'end'] as const)('whose callback throws at %s end the training with what it threw', async (when) => {
    const thrown = new Error('mine');
    let ends = 0;
    const onEvent = ({ type }: TrainingEvent) => {
      if (type === 'end') ends++;
      if (type === when) throw thrown;
    };
    await expect(TextClassifier.train(rows, { ...OPTIONS, onEvent })).rejects.toBe(thrown);
    expect(ends).toBe(1);
  });

  it('of a loop that is left early go on without it', async () => {
    const run = TextClassifier.start(rows, OPTIONS);
    for await (const { type } of run) if (type === 'step') break;
    using model = await run.result;
    expect(model.history).toHaveLength(2);
  });
});

describe('a reader that is slower than the training', () => {
  const place = { epoch: 1, epochs: 9, step: 0, steps: 9, samples: 0, totalSamples: 9, seconds: 0 };
  const event = (type: string, step: number) => ({ ...place, type, step }) as unknown as TrainingEvent;

  it('gets the newest of steps, checkpoints and warnings, and everything else', async () => {
    const queue = new EventQueue(() => {});
    queue.push(event('start', 0));
    for (let step = 1; step <= 10_000; step++) {
      queue.push(event('step', step));
      if (step % 10 === 0) queue.push(event('checkpoint', step));
      if (step % 100 === 0) queue.push(event('warning', step));
      if (step % 5_000 === 0) queue.push(event('epoch', step));
    }
    expect(queue.length).toBe(9);
    queue.end();
    const seen: string[] = [];
    for await (const { type, step } of queue) seen.push(`${type} ${step}`);
    expect(seen).toEqual([
      'start 0',
      'step 5000',
      'checkpoint 5000',
      'warning 5000',
      'epoch 5000',
      'step 10000',
      'checkpoint 10000',
      'warning 10000',
      'epoch 10000',
    ]);
  });
});
