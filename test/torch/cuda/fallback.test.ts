// What there is of the way to a GPU without one: the option `device`, and the engine for GPUs on the CPU.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { EngineConfig } from '../../../src/engine/engine.js';
import { kernelEngine } from '../../../src/engine/kernels.js';
import { torchEngine } from '../../../src/engine/torch.js';
import { TextClassifier } from '../../../src/index.js';
import { torch } from '../../../src/native/torch.js';
import { cuda, getFloat32MatmulPrecision, setFloat32MatmulPrecision } from '../../../src/torch/index.js';
import { temporaryFolder } from '../../support/folder.js';
import { stepOptions } from '../../support/steps.js';
import { largestDifference, weightsOf } from '../../support/weights.js';

const folder = temporaryFolder();
const { available } = cuda.status();
if (available) console.warn('skipped: what happens without a GPU, for there is one');

const rows = Array.from({ length: 60 }, (_, i) => ({
  text: i % 2 ? 'a cat runs' : 'a saw cuts',
  label: i % 2 ? 'animal' : 'tool',
}));
const small = { embeddingDim: 4, hiddenSize: 4, epochs: 1 };

describe('the option device', () => {
  it.each(['gpu', 'cuda:', 1, null])('refuses %s', async (device) => {
    const error = { code: 'INVALID_DEVICE', message: expect.stringContaining("'cuda:<number>' or 'auto'") };
    await expect(TextClassifier.train(rows, { device: device as never })).rejects.toMatchObject(error);
    await expect(TextClassifier.load('nothing.safetensors', { device: device as never })).rejects.toMatchObject(error);
  });

  it('refuses an unknown precision', async () => {
    const code = 'INVALID_ARGUMENT';
    await expect(TextClassifier.train(rows, { precision: 'half' as never })).rejects.toMatchObject({ code });
  });

  it.skipIf(available)('says what is missing before anything is read', async () => {
    let read = false;
    const source = (function* () {
      read = true;
      yield* rows;
    })();
    const { code } = cuda.status();
    await expect(TextClassifier.train(source, { device: 'cuda' })).rejects.toMatchObject({ name: 'CudaError', code });
    expect(read).toBe(false);
  });

  it.skipIf(available)("takes the CPU with 'auto', and warns in one line that says why", async () => {
    const warnings: string[] = [];
    const listen = (warning: Error) => warnings.push(`${warning.name}: ${warning.message}`);
    process.on('warning', listen);
    try {
      const model = await TextClassifier.train(rows, { ...small, device: 'auto', precision: 'bfloat16' });
      expect((await model.predict('a cat')).knownTokens).toBe(2);
      await new Promise(setImmediate);
    } finally {
      process.off('warning', listen);
    }
    expect(warnings).toEqual([
      `RecurraWarning: device 'auto' is the CPU: CUDA cannot be used: ${cuda.status().reason}`,
    ]);
    expect(warnings[0]).not.toContain('\n');
  });

  it.skipIf(available)('is a flag of the commands, which say why in one line', () => {
    const [file, model] = [join(folder, 'rows.csv'), join(folder, 'model.safetensors')];
    writeFileSync(file, `text,label\n${rows.map(({ text, label }) => `${text},${label}`).join('\n')}\n`);
    const recurra = (...args: string[]) =>
      spawnSync(process.execPath, ['dist/cli/main.js', ...args], { encoding: 'utf8' });
    const line = `recurra: device 'auto' is the CPU: CUDA cannot be used: ${cuda.status().reason}\n`;
    const train = ['train', file, '--text', 'text', '--label', 'label', '--epochs', '1', '--out', model];
    const trained = recurra(...train, '--device', 'auto', '--json');
    expect({ status: trained.status, stderr: trained.stderr }).toEqual({ status: 0, stderr: line });
    const predicted = recurra('predict', model, 'a cat', '--device', 'auto', '--json');
    expect({ status: predicted.status, stderr: predicted.stderr }).toEqual({ status: 0, stderr: line });
    const refused = recurra('predict', model, 'a cat', '--device', 'cuda');
    expect(refused.status).not.toBe(0);
    expect(refused.stderr).toMatch(/CUDA cannot be used: .* \[CUDA_/);
  });
});

describe('how exactly float32 is computed', () => {
  it('is exact by default once CUDA is open, and changes for products and recurrent layers together', () => {
    expect(getFloat32MatmulPrecision()).toBe('highest');
    setFloat32MatmulPrecision('high');
    expect(torch().float32Precision()).toEqual({ matmul: 'high', recurrentTf32: true });
    setFloat32MatmulPrecision('highest');
    expect(torch().float32Precision()).toEqual({ matmul: 'highest', recurrentTf32: false });
    expect(() => setFloat32MatmulPrecision('tf32' as never)).toThrow(/'highest', 'high' or 'medium'/);
  });
});

describe('the engine for GPUs, on the CPU', () => {
  const config: EngineConfig = {
    cell: 'lstm',
    embeddingDim: 6,
    hiddenSize: 5,
    numLayers: 2,
    bidirectional: true,
    dropout: 0,
    embeddingDropout: 0,
    wordDropout: 0,
    vocabSize: 20,
    head: { kind: 'classes', outputs: 3, multiLabel: false, pooling: 'max' },
    paddingIdx: 1,
    unknownIdx: 0,
    seed: 3,
    threads: 1,
  };
  const chunk = () => ({
    tokens: Int32Array.from({ length: 48 }, (_, i) => 2 + ((i * 7) % 18)),
    lengths: new Int32Array(12).fill(4),
    targets: Int32Array.from({ length: 12 }, (_, i) => i % 3),
    batchSizes: Int32Array.of(4, 4, 4),
  });
  const options = () => stepOptions(Float64Array.of(0.02, 0.01, 0.02), { clipNorm: 0.5 });

  it('explains with the weights that it has now', async () => {
    const [gpu, cpu] = [torchEngine(config), kernelEngine(config)];
    for (let round = 0; round < 2; round++) {
      await gpu.train(chunk(), options());
      await cpu.loadState(await gpu.state());
      const [here, there] = [
        await gpu.explain(Int32Array.of(4, 5, 6), -1),
        await cpu.explain(Int32Array.of(4, 5, 6), -1),
      ];
      expect(here).toEqual(there);
      const probabilities = await gpu.scores(Int32Array.of(4, 5, 6), Int32Array.of(3));
      expect(largestDifference(probabilities, there.scores)).toBeLessThan(1e-5);
    }
    gpu.close();
    cpu.close();
  });

  it('goes on from a checkpoint of the kernels, and they from its', async () => {
    for (const [from, to] of [
      [kernelEngine, torchEngine],
      [torchEngine, kernelEngine],
    ] as const) {
      const [first, second] = [from(config), to({ ...config, seed: 9 })];
      for (let round = 0; round < 3; round++) await first.train(chunk(), options());
      await second.restore(await first.trainingState(false));
      for (let round = 0; round < 2; round++) {
        await first.train(chunk(), options());
        await second.train(chunk(), options());
      }
      const there = await weightsOf(second);
      for (const [name, here] of await weightsOf(first)) {
        expect(largestDifference(here, there.get(name)!), name).toBeLessThan(1e-4);
      }
      first.close();
      second.close();
    }
  });

  it('takes word vectors, but none for the padding word', async () => {
    const engine = torchEngine(config);
    await engine.setWordVectors(
      Int32Array.of(4, 2),
      Float32Array.from({ length: 12 }, (_, i) => i),
    );
    const { data } = (await engine.state()).find(({ name }) => name === 'embedding.weight')!;
    const all = new Float32Array(new Uint8Array(data).buffer);
    expect([...all.subarray(4 * 6, 5 * 6)]).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...all.subarray(2 * 6, 3 * 6)]).toEqual([6, 7, 8, 9, 10, 11]);
    await expect(engine.setWordVectors(Int32Array.of(1), new Float32Array(6))).rejects.toMatchObject({
      code: 'OUT_OF_RANGE',
    });
    engine.close();
  });
});
