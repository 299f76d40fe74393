import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TextClassifier, type TrainingEvent } from '../../src/index.js';
import { COLUMNS, recurra, trainedModel } from '../support/cli.js';
import { temporaryFolder } from '../support/folder.js';
import { topicCsv, topicTexts } from '../support/texts.js';

const { folder, csv } = trainedModel();
// So large a step that a later epoch is worse than the first ones.
const options = {
  embeddingDim: 8,
  hiddenSize: 8,
  batchSize: 8,
  lr: 0.5,
  epochs: 6,
  linear: false,
  schedule: 'constant',
  seed: 2,
} as const;
const rows = topicTexts(200);
const validation = topicTexts(100, 9);

it('the figures are those of the epoch whose weights were kept, everywhere', async () => {
  const checkpoint = join(temporaryFolder(), 'checkpoint');
  const tensorboard = temporaryFolder();
  const events: TrainingEvent[] = [];
  const onEvent = (event: TrainingEvent) => events.push(event);
  await using model = await TextClassifier.train(rows, { ...options, validation, checkpoint, tensorboard, onEvent });
  const measured = events.flatMap((event) => (event.type === 'validation' ? [event] : []));
  const best = measured.findLast((event) => event.best)!;
  // Otherwise the test would say nothing.
  expect(best.epoch).toBeLessThan(options.epochs);
  expect(model.kept).toEqual(model.history[best.epoch - 1]);
  expect(model.kept!.validation).toEqual(best.validation);
  const { accuracy, loss } = await model.evaluate(validation);
  expect(best.validation.accuracy).toBe(accuracy);
  expect(best.validation.loss).toBeCloseTo(loss, 6);
  const kept = { epoch: best.epoch, validation: best.validation };
  expect(events.at(-1)).toMatchObject({ type: 'end', best: kept });
  // A checkpoint names the epoch whose weights it has as a model.
  const checkpoints = events.flatMap((event) => (event.type === 'checkpoint' ? [event] : []));
  expect(checkpoints).toHaveLength(options.epochs);
  expect(checkpoints.at(-1)!.best).toEqual(kept);
  await using loaded = await TextClassifier.load(checkpoint);
  expect((await loaded.evaluate(validation)).accuracy).toBe(accuracy);
  expect(loaded.kept).toBeUndefined();
  const [log] = readdirSync(tensorboard);
  const text = readFileSync(join(tensorboard, log!), 'latin1');
  for (const tag of ['epoch/kept', 'loss/kept', 'accuracy/kept'])
    expect(text.split(tag)).toHaveLength(options.epochs + 1);
});

it('without validation rows they are those of the last epoch', async () => {
  await using model = await TextClassifier.train(rows, options);
  expect(model.kept).toEqual(model.history.at(-1));
});

it('the command line says which epoch was kept', () => {
  const [file, out] = [join(folder, 'va.csv'), join(folder, 'kept')];
  writeFileSync(file, topicCsv(validation));
  const flags = ['--embedding-dim', '8', '--hidden-size', '8', '--batch-size', '8', '--lr', '0.5', '--epochs', '6'];
  const args = ['train', csv, ...COLUMNS, ...flags, '--seed', '3', '--no-linear', '--validation', file, '--out', out];
  const end = recurra([...args, '--json'])
    .json()
    .at(-1);
  const evaluated = recurra(['evaluate', out, file, ...COLUMNS, '--json'])
    .json()
    .at(-1);
  expect(end.validation.accuracy).toBe(evaluated.accuracy);
  expect(end).toMatchObject({ event: 'end', epochs: 6, epoch: expect.any(Number) });
  const plain = recurra(args).out;
  expect(plain).toContain(
    `, epoch ${end.epoch} of 6 kept (the best accuracy on validation), loss ${end.loss.toFixed(4)}, `,
  );
  expect(plain).toContain(`validation loss ${end.validation.loss.toFixed(4)}, accuracy `);
});
