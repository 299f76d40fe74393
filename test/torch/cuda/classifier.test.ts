// A classifier on the engine for GPUs, which computes on the CPU here: everything of it but the device.
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import type { EngineConfig } from '../../../src/engine/engine.js';
import type { TorchEngineOptions } from '../../../src/engine/torch.js';
import { TextClassifier } from '../../../src/index.js';
import { temporaryFolder } from '../../support/folder.js';
import { small as base, rows } from './rows.js';

const engines: string[] = [];

vi.mock('../../../src/native/cuda.js', async (original) => ({
  ...(await original<typeof import('../../../src/native/cuda.js')>()),
  openCuda: () => {},
}));
vi.mock('../../../src/engine/torch.js', async (original) => {
  const { torchEngine } = await original<typeof import('../../../src/engine/torch.js')>();
  return {
    torchEngine: (config: EngineConfig, { device, mixed = false }: TorchEngineOptions) => {
      engines.push(`${device}${mixed ? ' mixed' : ''}`);
      return torchEngine(config, { mixed });
    },
  };
});

const folder = temporaryFolder();
const small = { ...base, epochs: 2, threads: 1 };

it('trains to the classifier of the kernels, and its files load and go on on both', async () => {
  const validation = rows.slice(0, 30);
  const cpu = await TextClassifier.train(rows, { ...small, validation });
  const path = join(folder, 'training');
  const gpu = await TextClassifier.train(rows, {
    ...small,
    device: 'cuda',
    checkpoint: { path, everyEpoch: true },
    validation,
  });
  const text = 'cat the thing';
  const [a, b] = [await cpu.predict(text), await gpu.predict(text)];
  expect(b.label).toBe('animal');
  expect(b.probability).toBeCloseTo(a.probability, 3);
  expect(b.knownTokens).toBe(3);
  const many = await gpu.predictMany(rows.map((row) => row.text));
  expect(many.filter(({ label }, i) => label === rows[i]!.label).length).toBeGreaterThan(220);
  expect((await gpu.evaluate(rows)).accuracy).toBeGreaterThan(0.9);
  const [explained, same] = [await gpu.explain(text), await cpu.explain(text)];
  explained.tokens.forEach(({ contribution }, i) => {
    expect(contribution).toBeCloseTo(same.tokens[i]!.contribution, 2);
  });

  const file = join(folder, 'model.safetensors');
  await gpu.save(file);
  for (const device of ['cpu', 'cuda'] as const) {
    const loaded = await TextClassifier.load(file, { device });
    expect((await loaded.predict(text)).probability).toBeCloseTo(b.probability, 5);
    const resumed = await TextClassifier.train(rows, {
      resume: path,
      epochs: 3,
      device,
      validation: rows.slice(0, 30),
    });
    expect(resumed.history).toHaveLength(3);
    expect((await resumed.predict(text)).label).toBe('animal');
    await resumed.close();
    await loaded.close();
  }
  expect(engines).toEqual(['cuda:0', 'cuda:0', 'cuda:0']);
});

it('trains in bfloat16 where that is wanted, and a checkpoint keeps it', async () => {
  engines.length = 0;
  const path = join(folder, 'mixed');
  const options = { ...small, device: 'cuda', precision: 'bfloat16', checkpoint: { path, everyEpoch: true } } as const;
  const model = await TextClassifier.train(rows, options);
  expect((await model.predict('saw the thing')).label).toBe('tool');
  await TextClassifier.train(rows, { resume: path, epochs: 3, device: 'cuda' });
  expect(engines).toEqual(['cuda:0 mixed', 'cuda:0 mixed']);
});
