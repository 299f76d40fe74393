import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { settingsOf } from '../../src/core/options/table.js';
import { NETWORK } from '../../src/engine/network.js';
import { EncodedDataset, type Progress } from '../../src/index.js';
import { light } from '../../src/native/light.js';
import { Vocab } from '../../src/text/vocab.js';
import type { TaskEvent, TrainingStart } from '../../src/training/events/events.js';
import { LEARNING } from '../../src/training/options/learning.js';
import {
  RUN,
  type TrainingOptions,
  type TrainingSettings,
  trainingSettings,
} from '../../src/training/options/train.js';
import type { Validation } from '../../src/training/progress.js';
import { startTraining } from '../../src/training/start.js';
import type { Task, TaskTypes, TrainedModel, TrainingData } from '../../src/training/task.js';
import { temporaryFolder } from '../support/folder.js';

// A task that shares nothing with a classifier but the engine: its rows are lists of numbers without a label, from which it
// learns whether they rise, and it is measured by a figure of its own.

interface Rising extends Validation {
  /** Rows told rightly. */
  told: number;
}
interface RisingData extends TrainingData {
  train: EncodedDataset;
  validation: EncodedDataset;
}
interface RisingStart extends TrainingStart {
  longest: number;
}
interface RisingModel extends TrainedModel {
  history: Progress<Rising>[];
  best: { epoch: number; cut: number } | undefined;
  weights: Uint8Array[];
}
type Rows = number[][] & { file?: undefined };
type Options = TrainingOptions<Rows, TaskEvent<Rising, RisingStart>, Progress<Rising>>;
interface RisingTypes extends TaskTypes {
  rows: Rows;
  options: Options;
  settings: TrainingSettings<Rows, TaskEvent<Rising, RisingStart>, Progress<Rising>>;
  data: RisingData;
  validation: Rising;
  chosen: { cut: number };
  start: RisingStart;
  model: RisingModel;
}

const folder = temporaryFolder();
const vocab = Vocab.fromTokens(['<unk>', '<pad>', '0', '1', '2', '3', '4', '5'], {
  unkToken: '<unk>',
  padToken: '<pad>',
});

function encoded(rows: Rows): EncodedDataset {
  const offsets = new Uint32Array(rows.length + 1);
  for (const [i, row] of rows.entries()) offsets[i + 1] = offsets[i]! + row.length;
  const rising = rows.map((row) => (row.every((value, i) => i === 0 || value >= row[i - 1]!) ? 1 : 0));
  return new EncodedDataset({
    tokens: Int32Array.from(rows.flat(), (value) => value + 2),
    offsets,
    labels: Int32Array.from(rising),
    classes: ['no', 'yes'],
  });
}

// It reads no text, and so has none of the options of texts.
const TABLE = { ...NETWORK, ...LEARNING, ...RUN };

const task: Task<RisingTypes> = {
  options: TABLE,
  settings: (options) => trainingSettings('rising', TABLE, options),
  prepare: async (rows) => ({ train: encoded(rows), validation: encoded(rows.slice(0, 40) as Rows), vocab }),
  gather(train, indices) {
    const { labels, ...rows } = train.gather(indices);
    return { ...rows, targets: labels };
  },
  head: () => ({ kind: 'classes', outputs: 2, pooling: 'last', multiLabel: false }),
  loss: () => ({ weights: [], smoothing: 0 }),
  start: (common, { train }) => ({ ...common, longest: Math.max(...train.lengths()) }),
  contents: ({ train }) => [train.tokens, train.offsets],
  async validate(engine, { validation }) {
    const { labels, tokens, length } = validation;
    const scores = await engine.scores(tokens, validation.lengths());
    const own = Array.from(labels, (label, row) => scores[2 * row + label]!);
    const told = own.filter((score) => score > 0.5).length;
    const loss = own.reduce((sum, score) => sum - Math.log(score), 0) / length;
    return { validation: { rows: length, loss, told }, choose: () => ({ cut: Math.min(...own) }) };
  },
  score: ({ told }) => told,
  describe:
    ({ network }) =>
    (chosen) => ({ rising: JSON.stringify({ network, chosen }) }),
  async read(path) {
    const { metadata, tensors } = await light().readSafetensors(path, 1 << 24);
    const { network } = JSON.parse(metadata.rising!) as { network: TrainingSettings<Rows>['model'] };
    const training = tensors.filter(({ name }) => name.startsWith('training.'));
    const state = tensors.filter((tensor) => !training.includes(tensor));
    return { network, tokenizer: undefined, state, training, checkpoint: metadata.checkpoint };
  },
  async model({ engine, history, best }) {
    const weights = (await engine.state()).map(({ data }) => new Uint8Array(data));
    const model: RisingModel = { history, best, weights, save: async () => {}, close: async () => engine.close() };
    return model;
  },
};

const rows: Rows = Array.from({ length: 160 }, (_, i) => {
  const values = Array.from({ length: 2 + (i % 3) }, (_, k) => (i * 7 + k * k * 5 + (i >> 3)) % 6);
  return i % 2 === 0 ? values.sort() : values;
});
const OPTIONS: Options = {
  embeddingDim: 6,
  hiddenSize: 6,
  epochs: 8,
  lr: 0.03,
  dropout: 0,
  wordDropout: 0,
  threads: 1,
};

describe('a task that is no classifier', () => {
  it('is trained, measured by its own figure, and told of by its own events', async () => {
    const events: TaskEvent<Rising, RisingStart>[] = [];
    const run = startTraining(task, rows, { ...OPTIONS, onEvent: (event) => events.push(event) });
    const model = await run.result;
    expect(events[0]).toMatchObject({ type: 'start', rows: 160, validationRows: 40, vocabulary: 8, longest: 4 });
    expect(events[0]).not.toHaveProperty('labels');
    const measured = model.history.map(({ validation }) => validation!.told);
    expect(measured).toHaveLength(8);
    expect(Math.max(...measured)).toBeGreaterThan(30);
    // The first epoch with the largest figure, or a later one with the same figure and a smaller loss.
    expect(measured[model.best!.epoch - 1]).toBe(Math.max(...measured));
    expect(model.best!.cut).toBeGreaterThan(0);
    expect(events.at(-1)).toMatchObject({ type: 'end', outcome: 'finished', best: { epoch: model.best!.epoch } });
    await model.close();
  });

  it('never takes an epoch for the best whose figures are no numbers, nor compares others with them', async () => {
    const trainWith = async (change: (epoch: number, validation: Rising) => Rising) => {
      let epoch = 0;
      const broken: typeof task = {
        ...task,
        async validate(engine, data) {
          const { validation, choose } = await task.validate(engine, data);
          return { validation: change(++epoch, validation), choose };
        },
      };
      const model = await startTraining(broken, rows, OPTIONS).result;
      await model.close();
      return model;
    };
    const usual = await trainWith((_, validation) => validation);
    expect(usual.best!.epoch).toBeGreaterThan(2);
    const unknown = { rows: 40, loss: Number.NaN, told: Number.NaN };
    const first = await trainWith((epoch, validation) => (epoch <= 2 ? unknown : validation));
    expect(first.best).toEqual(usual.best);
    const loss = await trainWith((epoch, validation) => (epoch === 1 ? { ...unknown, told: 1_000 } : validation));
    expect(loss.best).toEqual(usual.best);
    expect((await trainWith(() => unknown)).best).toBeUndefined();
  });

  it('resumes from its checkpoint to the very same model, with what it chose', async () => {
    const path = join(folder, 'rising');
    const whole = await startTraining(task, rows, OPTIONS).result;
    const run = startTraining(task, rows, { ...OPTIONS, checkpoint: { path, everySteps: 5 } });
    for await (const { step } of run) if (step >= 50) run.stop();
    await (await run.result).close();
    const resumed = await startTraining(task, rows, { resume: path }).result;
    expect(resumed.weights).toEqual(whole.weights);
    expect(resumed.best).toEqual(whole.best);
    await Promise.all([whole.close(), resumed.close()]);
    await expect(startTraining(task, rows, { resume: path, lr: 1 }).result).rejects.toThrow(
      /lr was 0\.03 and is now 1/,
    );
  });
});

it('has the defaults of every training', () => {
  expect(task.settings({})).toMatchObject(settingsOf(LEARNING, {}));
});
