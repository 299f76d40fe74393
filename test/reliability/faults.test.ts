import { beforeAll, describe, expect, it } from 'vitest';
import { torchHalf } from '../support/halves.mjs';
import { resultOf } from './program.js';

interface Classified {
  codes: Record<string, string>;
  accuracy: number;
  rows: number;
  first?: number;
}

describe('a panic of the native side rejects with INTERNAL, and everything works afterwards', () => {
  const cases: [fault: string, call: string][] = [
    ['team', 'train'],
    ['leader', 'train'],
    ['step', 'train'],
    ['step:7', 'train'],
    ['update:4', 'train'],
    ['task:2', 'train'],
    ['finish', 'train'],
    ['predict', 'predict'],
    ['predict:2', 'predictMany'],
    ['predict:40', 'predictMany'],
  ];
  it.concurrent.each(cases)('%s, in %s', async (fault, call) => {
    const { codes, accuracy, rows, first } = await resultOf<Classified>('classifierFault.mjs', [], {
      RECURRA_FAULT: fault,
    });
    const others = Object.entries(codes).filter(([name]) => name !== call);
    expect(codes[call]).toBe('INTERNAL');
    expect(others.filter(([, code]) => code !== 'none')).toEqual([]);
    expect(rows).toBe(3_000);
    expect(accuracy).toBe(1);
    if (first !== undefined) expect(first).toBe(1);
  });

  it('without a fault everything works at once', async () => {
    const { codes } = await resultOf<Classified>('classifierFault.mjs');
    expect(codes).toEqual({ train: 'none', predict: 'none', predictMany: 'none', evaluate: 'none' });
  });

  it.concurrent.each(['step:3', 'update', 'update:6', 'team:2'])(
    'a classifier broken in the middle of a step trains, predicts and keeps its padding row zero: %s',
    async (fault) => {
      const result = await resultOf<{ failed: string; finite: boolean; loss: number; padding: number[] }>(
        'damagedStep.ts',
        [],
        { RECURRA_FAULT: fault },
      );
      expect(result.failed).toBe('INTERNAL');
      expect(result.finite).toBe(true);
      expect(result.loss).toBeLessThan(0.1);
      expect(result.padding).toEqual(new Array(8).fill(0));
    },
  );
});

it.runIf(torchHalf)(
  'a classifier on libtorch counts the steps before a fault, and goes on as if it had been given no more',
  async () => {
    const result = await resultOf('torchFault.ts', [], { RECURRA_FAULT: 'torch.batch:4' });
    expect(result).toEqual({ code: 'INTERNAL', counted: [3, 3, 3], after: [5, 5, 5], same: true });
  },
);

describe.runIf(torchHalf)('a fault in a recurrent layer within the graph of libtorch', () => {
  let sound: number[];
  beforeAll(async () => {
    sound = (await resultOf<{ losses: number[] }>('moduleFault.mjs')).losses;
  });
  const cases: [fault: string, code: string][] = [
    ['rnn.forward:2', 'INTERNAL'],
    ['rnn.backward:2', 'INTERNAL'],
    ['shim.forward:2', 'TORCH'],
    ['shim.backward:2', 'TORCH'],
    ['shim.other:2', 'TORCH'],
  ];
  it.concurrent.each(cases)('%s: %s, and the next steps go on', async (fault, code) => {
    const { codes, losses } = await resultOf<{ codes: string[]; losses: number[] }>('moduleFault.mjs', [], {
      RECURRA_FAULT: fault,
    });
    expect(codes).toEqual(['none', code, 'none', 'none', 'none']);
    expect(losses).toEqual(sound.slice(0, 4));
  });
});
