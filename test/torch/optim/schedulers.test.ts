import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { nn, optim, zeros } from '../../../src/torch/index.js';
import { codeOf } from '../../support/close.js';
import { golden } from '../../support/safetensors.js';

interface Run {
  kind: 'StepLR' | 'CosineAnnealingLR' | 'OneCycleLR' | 'ReduceLROnPlateau';
  options: Record<string, unknown>;
  optimizer: 'SGD' | 'Adam';
  lrs: number[];
  metrics: number[] | null;
  values: number[][];
  momenta: number[][];
}

const runs = JSON.parse(readFileSync(join(golden, 'schedulers.json'), 'utf8')) as Run[];

type AnyScheduler = {
  step(metric?: number): void;
  stateDict(): optim.lrScheduler.SchedulerState;
  loadStateDict(state: optim.lrScheduler.SchedulerState): void;
};

function make({ kind, options, optimizer: type, lrs }: Run) {
  const groups = lrs.map((lr) => ({ params: [new nn.Parameter(zeros([1]))], lr }));
  const optimizer = type === 'SGD' ? new optim.SGD(groups, { momentum: 0.9 }) : new optim.Adam(groups);
  const camelCase = Object.fromEntries(
    Object.entries(options).map(([name, value]) => [
      name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()).replace('TMax', 'tMax'),
      value,
    ]),
  );
  const scheduler = new optim.lrScheduler[kind](optimizer, camelCase as never) as AnyScheduler;
  return { optimizer, scheduler };
}

const close = (actual: number[], expected: number[]) => {
  actual.forEach((value, i) => {
    expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(1e-15 + 1e-12 * Math.abs(expected[i]!));
  });
  expect(actual.length).toBe(expected.length);
};

describe.each(runs.map((run, i) => ({ ...run, title: `${i}: ${run.kind} ${JSON.stringify(run.options)}` })))(
  '$title',
  (run) => {
    const current = (optimizer: { paramGroups: { lr: number; momentum?: number; betas?: readonly number[] }[] }) => {
      close(
        optimizer.paramGroups.map(({ lr }) => lr),
        run.values[step]!,
      );
      close(
        optimizer.paramGroups.map(({ momentum, betas }) => momentum ?? betas![0]!),
        run.momenta[step]!,
      );
    };
    let step = 0;

    it('gives PyTorch’s learning rates and momenta, step by step', () => {
      const { optimizer, scheduler } = make(run);
      for (step = 0; step < run.values.length; step++) {
        current(optimizer);
        if (step < run.values.length - 1) scheduler.step(run.metrics?.[step]);
      }
    });

    it('goes on from a saved state', () => {
      const half = Math.floor(run.values.length / 2);
      const first = make(run);
      for (step = 0; step < half; step++) first.scheduler.step(run.metrics?.[step]);
      const saved = JSON.parse(JSON.stringify(first.scheduler.stateDict())) as optim.lrScheduler.SchedulerState;
      const second = make(run);
      second.optimizer.loadStateDict(first.optimizer.stateDict() as never);
      second.scheduler.loadStateDict(saved);
      for (; step < run.values.length; step++) {
        current(second.optimizer);
        if (step < run.values.length - 1) second.scheduler.step(run.metrics?.[step]);
      }
    });
  },
);

describe('schedulers', () => {
  const optimizer = () => new optim.SGD([new nn.Parameter(zeros([1]))], { lr: 0.1 });

  it('refuse what does not fit', () => {
    const { StepLR, CosineAnnealingLR, OneCycleLR, ReduceLROnPlateau } = optim.lrScheduler;
    expect(codeOf(() => new StepLR({} as never, { stepSize: 1 }))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => new StepLR(optimizer(), { stepSize: 0 }))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => new CosineAnnealingLR(optimizer(), { T_max: 3 } as never))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => new OneCycleLR(optimizer(), { maxLr: 1 }))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => new OneCycleLR(optimizer(), { maxLr: [1, 2], totalSteps: 5 }))).toBe('INVALID_ARGUMENT');
    expect(codeOf(() => new OneCycleLR(optimizer(), { maxLr: 1, totalSteps: 5, pctStart: 2 }))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => new ReduceLROnPlateau(optimizer(), { factor: 1 }))).toBe('OUT_OF_RANGE');
    expect(codeOf(() => new ReduceLROnPlateau(optimizer(), { mode: 'best' as never }))).toBe('INVALID_ARGUMENT');
  });

  it('end a cycle with an error that says so', () => {
    const scheduler = new optim.lrScheduler.OneCycleLR(optimizer(), { maxLr: 1, totalSteps: 3 });
    for (let i = 0; i < 3; i++) scheduler.step();
    expect(codeOf(() => scheduler.step())).toBe('OUT_OF_RANGE');
  });
});
