import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Row, stratifiedSplit, TextClassifier, type TrainOptions } from '../../src/index.js';
import { light } from '../../src/native/light.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const fixtures = join(import.meta.dirname, '../fixtures/checkpoints');
const rows = topicTexts(400);
const read = async (path: string) => light().readSafetensors(path, 1 << 30);

/** Every setting as it was at 0.1.0, none left to a default. */
const SETTINGS_0_1_0 = {
  cell: 'lstm',
  embeddingDim: 8,
  hiddenSize: 6,
  numLayers: 1,
  bidirectional: true,
  pooling: 'max',
  dropout: 0.3,
  embeddingDropout: 0,
  wordDropout: 0.2,
  multiLabel: false,
  tokenizer: 'basic_english',
  ngrams: 1,
  minFreq: 1,
  maxLength: 1_000,
  truncate: 'head',
  epochs: 4,
  batchSize: 8,
  bucketing: true,
  optimizer: 'adam',
  lr: 8e-3,
  weightDecay: 0,
  momentum: 0,
  schedule: 'linear',
  warmup: 0,
  clipGradNorm: 0,
  adversarial: 0,
  labelSmoothing: 0,
  embeddingStd: 0.1,
  seed: 0,
  threads: 1,
  linear: false,
} as const satisfies TrainOptions;

/** The same after all defaults were changed: nothing of this but `epochs` and `threads` was given to that training. */
const OTHER_SETTINGS = {
  ...SETTINGS_0_1_0,
  cell: 'gru',
  pooling: 'mean',
  dropout: 0.15,
  wordDropout: 0.1,
  ngrams: 2,
  minFreq: 4,
  maxLength: 9,
  epochs: 3,
  optimizer: 'adamw',
  lr: 1e-2,
  weightDecay: 0.02,
  schedule: 'cosine',
  clipGradNorm: 0.5,
  embeddingStd: 0.2,
} as const satisfies TrainOptions;

const CHECKPOINTS = [
  ['v1', { ...SETTINGS_0_1_0, validation: 0.2 }],
  ['v1-other-defaults', OTHER_SETTINGS],
] as const satisfies [string, TrainOptions][];

/** The numbers of a model's arrays, by name. */
async function weightsOf(model: TextClassifier): Promise<Map<string, number[]>> {
  const file = join(folder, 'weights');
  await model.save(file);
  const { tensors } = await read(file);
  const numbers = ({ data }: (typeof tensors)[number]) =>
    Array.from(new Float32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength)));
  return new Map(tensors.map((tensor) => [tensor.name, numbers(tensor)]));
}

/**
 * Trains without a checkpoint. Earlier versions split off validation rows without regard to equal texts, so the same
 * rows are given apart.
 */
function trainedAsThen({ validation, ...options }: TrainOptions): Promise<TextClassifier> {
  if (typeof validation !== 'number') return TextClassifier.train(rows, options);
  return TextClassifier.train(...splitAsThen(validation, options));
}

function splitAsThen(fraction: number, options: TrainOptions): [Row[], TrainOptions] {
  const labels = [...new Set(rows.map(({ label }) => label))].sort();
  const split = stratifiedSplit(
    rows.map(({ label }) => labels.indexOf(label)),
    { fraction, seed: 0 },
  );
  const part = (indices: Int32Array) => Array.from(indices, (index) => rows[index]!);
  return [part(split.train), { ...options, validation: part(split.test) }];
}

/** Trains up to the step at which the fixture was written, and leaves a checkpoint. */
async function checkpointAt(step: number, options: TrainOptions, path: string): Promise<void> {
  const { validation } = options;
  const [data, own] = typeof validation === 'number' ? splitAsThen(validation, options) : [rows, options];
  const run = TextClassifier.start(data, { ...own, checkpoint: { path, everySteps: 10 } });
  for await (const event of run) if (event.type === 'step' && event.step >= step) run.stop();
  (await run.result).close();
}

describe.each(CHECKPOINTS)('the checkpoint %s of 0.1.0', (name, options) => {
  const fixture = join(fixtures, `${name}.safetensors`);
  const resumed = (resume: string, more: TrainOptions = {}, data: readonly Row[] = rows) =>
    TextClassifier.train(data, { resume, checkpoint: join(folder, 'on'), ...more });

  it('resumes as the training that it was, to the same weights but for the rounding of other processors', async () => {
    using whole = await trainedAsThen(options);
    using model = await resumed(fixture);
    expect(model.settings).toEqual(whole.settings);
    expect(model.history.map(({ epochs, samples }) => [epochs, samples])).toEqual(
      whole.history.map(({ epochs, samples }) => [epochs, samples]),
    );
    const expected = await weightsOf(whole);
    const weights = await weightsOf(model);
    expect([...weights.keys()]).toEqual([...expected.keys()]);
    for (const [array, values] of weights) {
      for (const [i, value] of values.entries()) expect(value, array).toBeCloseTo(expected.get(array)![i]!, 4);
    }
  });

  it('resumes to the very same bits with arrays that this processor computed', async () => {
    const { metadata } = await read(fixture);
    const { step } = (JSON.parse(metadata.checkpoint!) as { position: { step: number } }).position;
    const own = join(folder, `own ${name}`);
    await checkpointAt(step, options, own);
    const { sha256: _, ...former } = metadata;
    const mixed = join(folder, `mixed ${name}`);
    await light().writeSafetensors(mixed, (await read(own)).tensors, former);
    using whole = await trainedAsThen(options);
    using model = await resumed(mixed);
    expect(await weightsOf(model)).toEqual(await weightsOf(whole));
  });

  it('is refused with other settings and other rows, naming them', async () => {
    await expect(resumed(fixture, { lr: 0.5 })).rejects.toMatchObject({
      name: 'ArgumentError',
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(/lr was 0\.0\d+ and is now 0\.5/),
    });
    await expect(resumed(fixture, { batchSize: 16 })).rejects.toMatchObject({
      message: expect.stringMatching(/batchSize was 8 and is now 16/),
    });
    await expect(resumed(fixture, {}, rows.slice(1))).rejects.toMatchObject({ code: 'DATA_MISMATCH' });
  });
});

describe('a checkpoint of this version', () => {
  const small = { embeddingDim: 4, hiddenSize: 4, epochs: 1, threads: 1 } as const;

  it('holds every setting, none left to a default', async () => {
    const path = join(folder, 'complete');
    (await TextClassifier.train(rows, { ...small, checkpoint: path })).close();
    const { metadata } = await read(path);
    const header = JSON.parse(metadata.checkpoint!) as { formatVersion: number; settings: object };
    expect(header.formatVersion).toBe(2);
    expect(header.settings).toMatchObject({
      ...SETTINGS_0_1_0,
      ...small,
      freezeEmbeddings: 0,
      linear: true,
      adversarial: 0.05,
    });
  });

  it('resumes without adversarial noise if it is older than the option', async () => {
    const path = join(folder, 'before noise');
    const options = { ...small, epochs: 2, linear: false, batchSize: 16 } as const;
    await checkpointAt(10, { ...options, adversarial: 0 }, path);
    const { tensors, metadata } = await read(path);
    const { sha256: _, ...rest } = metadata;
    const header = JSON.parse(metadata.checkpoint!) as { settings: Record<string, unknown> };
    delete header.settings.adversarial;
    await light().writeSafetensors(path, tensors, { ...rest, checkpoint: JSON.stringify(header) });
    using whole = await TextClassifier.train(rows, { ...options, adversarial: 0 });
    using model = await TextClassifier.train(rows, { resume: path });
    expect(await weightsOf(model)).toEqual(await weightsOf(whole));
    await expect(TextClassifier.train(rows, { resume: path, adversarial: 0.05 })).rejects.toMatchObject({
      message: expect.stringMatching(/adversarial was 0 and is now 0\.05/),
    });
  });

  it('of 0.2.0 does not say that the vocabulary has no limit, and resumes without one', async () => {
    const path = join(folder, 'unlimited');
    (await TextClassifier.train(rows, { ...small, checkpoint: path, maxTokens: 2 ** 31 - 1 })).close();
    const { tensors, metadata } = await read(path);
    const { sha256: _, ...rest } = metadata;
    const header = JSON.parse(metadata.checkpoint!) as { settings: Record<string, unknown> };
    delete header.settings.maxTokens;
    await light().writeSafetensors(path, tensors, { ...rest, checkpoint: JSON.stringify(header) });
    using model = await TextClassifier.train(rows, { resume: path, epochs: 2 });
    expect(model.history).toHaveLength(2);
  });

  it('is refused if it does not say what a setting was', async () => {
    const path = join(folder, 'silent');
    (await TextClassifier.train(rows, { ...small, checkpoint: path })).close();
    const { tensors, metadata } = await read(path);
    const { sha256: _, ...rest } = metadata;
    const header = JSON.parse(metadata.checkpoint!) as { settings: Record<string, unknown> };
    delete header.settings.wordDropout;
    await light().writeSafetensors(path, tensors, { ...rest, checkpoint: JSON.stringify(header) });
    await expect(TextClassifier.train(rows, { resume: path })).rejects.toMatchObject({
      name: 'ArgumentError',
      message: expect.stringMatching(/wordDropout was none and is now 0\.2/),
    });
  });
});
