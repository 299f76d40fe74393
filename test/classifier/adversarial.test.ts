import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Chunk, Engine, EngineConfig } from '../../src/engine/engine.js';
import { kernelEngine } from '../../src/engine/kernels.js';
import type { Pooling } from '../../src/engine/network.js';
import { torchEngine } from '../../src/engine/torch.js';
import { torchHalf } from '../support/halves.mjs';
import { type GoldenArray, golden, readArrays } from '../support/safetensors.js';
import { stepOptions } from '../support/steps.js';
import { largestDifference, weightsOf } from '../support/weights.js';

interface Case {
  cell: 'lstm' | 'gru' | 'rnn';
  pooling: Pooling;
  layers?: number;
  bidirectional?: boolean;
  weights?: number[];
  smoothing?: number;
  multi_label?: boolean;
  frozen?: boolean;
  /** L(e) of each step. */
  losses: number[];
}

// Made by scripts/golden/adversarial.py.
const data = readArrays(join(golden, 'adversarial.safetensors'));
const about = JSON.parse(readFileSync(join(golden, 'adversarial.json'), 'utf8')) as {
  eps: number;
  rate: number;
  steps: number;
  cases: Record<string, Case>;
};
const floats = (array: GoldenArray | undefined) => Float32Array.from(array!.values as ArrayLike<number>);
const ints = (array: GoldenArray | undefined) => Int32Array.from(array!.values as ArrayLike<bigint>, Number);

const CLASSES = 3;
const lengths = ints(data.lengths);
const sets = ints(data.sets);
const setOf = (row: number) => [0, 1, 2].filter((label) => sets[row * CLASSES + label] === 1);

function chunkOf({ multi_label: multiLabel }: Case): Chunk {
  const rows = Array.from(lengths, (_, row) => setOf(row));
  const common = { tokens: ints(data.tokens), lengths, batchSizes: Int32Array.of(lengths.length) };
  if (!multiLabel) return { ...common, targets: ints(data.labels) };
  const targetStarts = new Uint32Array(rows.length + 1);
  for (const [row, set] of rows.entries()) targetStarts[row + 1] = targetStarts[row]! + set.length;
  return { ...common, targets: Int32Array.from(rows.flat()), targetStarts };
}

function configOf(one: Case): EngineConfig {
  return {
    cell: one.cell,
    vocabSize: 14,
    embeddingDim: 5,
    hiddenSize: 4,
    numLayers: one.layers ?? 1,
    bidirectional: one.bidirectional ?? true,
    dropout: 0,
    embeddingDropout: 0,
    wordDropout: 0,
    head: { kind: 'classes', outputs: CLASSES, multiLabel: one.multi_label ?? false, pooling: one.pooling },
    paddingIdx: 1,
    unknownIdx: 0,
    seed: 1,
    threads: 2,
  };
}

/** PyTorch's arrays of one case and moment, by the weights' names. */
function weightsAt(name: string, moment: string): Map<string, GoldenArray> {
  const prefix = `${name}.${moment}.`;
  const own = Object.entries(data).filter(([key]) => key.startsWith(prefix));
  return new Map(own.map(([key, array]) => [key.slice(prefix.length), array]));
}

const open: Engine[] = [];
afterEach(() => {
  for (const engine of open.splice(0)) engine.close();
});

const ENGINES = torchHalf ? (['kernels', 'libtorch'] as const) : (['kernels'] as const);

describe.each(ENGINES)('adversarial training as PyTorch computes it, on %s', (engine) => {
  const make = engine === 'kernels' ? kernelEngine : torchEngine;

  async function begun(name: string, change: Partial<EngineConfig> = {}) {
    const one = make({ ...configOf(about.cases[name]!), ...change });
    open.push(one);
    const state = [...weightsAt(name, 'weight')].map(([weight, array]) => ({
      name: weight,
      dtype: 'float32',
      shape: [...array.shape],
      data: new Uint8Array(floats(array).buffer),
    }));
    await one.loadState(state);
    return one;
  }

  it.each(Object.keys(about.cases))('%s: the losses and every weight of three steps', async (name) => {
    const one = about.cases[name]!;
    const model = await begun(name);
    const chunk = chunkOf(one);
    const options = stepOptions(Float64Array.of(about.rate), {
      optimizer: 'sgd',
      adversarial: about.eps,
      freezeEmbedding: one.frozen ?? false,
      loss: { weights: one.weights ?? [], smoothing: one.smoothing ?? 0 },
    });
    for (let step = 1; step <= about.steps; step++) {
      const stats = await model.train(chunk, options);
      expect(Math.abs(stats.loss / stats.rows - one.losses[step - 1]!), `loss ${step}`).toBeLessThan(2e-6);
      const after = weightsAt(name, `after${step}`);
      const weights = await weightsOf(model);
      for (const [weight, array] of after) {
        expect(largestDifference(weights.get(weight)!, floats(array)), `${weight} after ${step}`).toBeLessThan(2e-6);
      }
    }
  });

  it('adds no noise where the gradient is zero', async () => {
    const model = await begun('lstm_max');
    const before = await weightsOf(model);
    const { data: _, ...head } = (await model.state()).find(({ name }) => name === 'fc.weight')!;
    const zeros = { ...head, data: new Uint8Array(4 * head.shape.reduce((size, side) => size * side, 1)) };
    await model.loadState((await model.state()).map((entry) => (entry.name === 'fc.weight' ? zeros : entry)));
    const options = stepOptions(Float64Array.of(1), { optimizer: 'sgd' });
    const chunk = chunkOf(about.cases.lstm_max!);
    const stats = await model.train(chunk, { ...options, adversarial: 0.3 });
    expect(stats.nonFiniteBatch).toBe(-1);
    const after = await weightsOf(model);
    // What comes before the last layer has no gradient; that of the last bias counts twice: softmax minus shares of the labels.
    expect(after.get('embedding.weight')).toEqual(before.get('embedding.weight'));
    const bias = before.get('fc.bias')!;
    const exps = bias.map(Math.exp);
    const total = exps.reduce((sum, value) => sum + value, 0);
    for (let label = 0; label < CLASSES; label++) {
      const share = chunk.targets.filter((target) => target === label).length / lengths.length;
      const expected = bias[label]! - 2 * (exps[label]! / total - share);
      expect(after.get('fc.bias')![label]).toBeCloseTo(expected, 6);
    }
  });

  it('has the same dropout masks in both passes', async () => {
    const dropout = { dropout: 0.4, embeddingDropout: 0.3, wordDropout: 0.2 };
    const moved = async (adversarial: number) => {
      const model = await begun('gru_mean_two_layers', dropout);
      const before = await weightsOf(model);
      const options = stepOptions(Float64Array.of(0.5), { optimizer: 'sgd', adversarial });
      await model.train(chunkOf(about.cases.gru_mean_two_layers!), options);
      const after = await weightsOf(model);
      return new Map(
        [...before].map(([name, values]) => [name, values.map((value, i) => value - after.get(name)![i]!)]),
      );
    };
    // Noise of no length: the second pass has the gradients of the first.
    const [once, twice] = [await moved(0), await moved(1e-12)];
    for (const [name, values] of once) {
      expect(
        largestDifference(
          values.map((value) => 2 * value),
          twice.get(name)!,
        ),
        name,
      ).toBeLessThan(2e-6);
      expect(Math.max(...values.map(Math.abs)), name).toBeGreaterThan(1e-3);
    }
  });

  it('makes no step where the loss with noise is not finite, and says which batch it was', async () => {
    const model = await begun('lstm_max');
    const before = await weightsOf(model);
    const options = stepOptions(Float64Array.of(0.5), { adversarial: 1e300 });
    const stats = await model.train(chunkOf(about.cases.lstm_max!), options);
    expect([stats.nonFiniteBatch, stats.rows]).toEqual([0, 0]);
    expect(await weightsOf(model)).toEqual(before);
    const refused = model.train(chunkOf(about.cases.lstm_max!), { ...options, adversarial: -1 });
    await expect(refused).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', option: 'adversarial' });
  });
});
