import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { nn, ones, optim, zeros } from '../../../src/torch/index.js';
import { translated } from '../../support/pytorch.js';
import { golden } from '../../support/safetensors.js';

/** What PyTorch prints. */
const pytorch = JSON.parse(readFileSync(join(golden, 'printing.json'), 'utf8')) as {
  optimizers: Record<string, string>;
};

const weight = () => [new nn.Parameter(zeros([1]))];
const optimizers: Record<string, () => optim.Optimizer> = {
  Adam: () => new optim.Adam(weight(), { lr: 0.01, betas: [0.8, 0.99], amsgrad: true }),
  AdamW: () => new optim.AdamW(weight()),
  'SGD with a schedule': () => {
    const optimizer = new optim.SGD(weight(), { lr: 0.1, momentum: 0.9, nesterov: true });
    new optim.lrScheduler.StepLR(optimizer, { stepSize: 1 });
    return optimizer;
  },
  'two groups': () =>
    new optim.SGD([{ params: weight() }, { params: weight(), lr: 1e-7 }], { lr: 0.1, weightDecay: 1e-4 }),
};

describe('an optimizer is shown as PyTorch shows it', () => {
  it('in every case of the golden file', () =>
    expect(Object.keys(optimizers)).toEqual(Object.keys(pytorch.optimizers)));

  it.each(Object.entries(optimizers))('%s', (name, make) => {
    const optimizer = make();
    expect(String(optimizer)).toBe(translated(pytorch.optimizers[name]!));
    expect(inspect(optimizer)).toBe(String(optimizer));
  });

  it('in line with what is around it', () => {
    expect(inspect({ optimizer: new optim.SGD(weight()) })).toContain('\n  Parameter Group 0\n      dampening: 0\n');
  });
});

describe('a scheduler is shown', () => {
  const { StepLR, CosineAnnealingLR, OneCycleLR, ReduceLROnPlateau } = optim.lrScheduler;
  it.each<[string, (optimizer: optim.SGD) => object]>([
    ['StepLR(stepSize=5, gamma=0.1, lastEpoch=0, lr=[0.5])', (optimizer) => new StepLR(optimizer, { stepSize: 5 })],
    [
      'CosineAnnealingLR(tMax=10, etaMin=0, lastEpoch=0, lr=[0.5])',
      (optimizer) => new CosineAnnealingLR(optimizer, { tMax: 10 }),
    ],
    [
      'OneCycleLR(maxLr=[1], totalSteps=10, lastEpoch=0, lr=[0.25])',
      (optimizer) => new OneCycleLR(optimizer, { maxLr: 1, totalSteps: 10, divFactor: 4, annealStrategy: 'linear' }),
    ],
    [
      'ReduceLROnPlateau(mode=min, factor=0.5, patience=10, best=Infinity, lastEpoch=0, lr=[0.5])',
      (optimizer) => new ReduceLROnPlateau(optimizer, { factor: 0.5 }),
    ],
  ])('%s', (text, make) => {
    const scheduler = make(new optim.SGD([new nn.Parameter(ones([1]))], { lr: 0.5, momentum: 0.9 }));
    expect([String(scheduler), inspect(scheduler)]).toEqual([text, text]);
  });
});
