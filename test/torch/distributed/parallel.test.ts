// Values of PyTorch 2.11's DistributedDataParallel over gloo, from scripts/golden/distributed.py.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { distributed, utils } from '../../../src/torch/index.js';
import { runRanks } from './ranks.js';

interface Golden {
  runs: Record<string, { losses: number[][]; weights: Record<string, unknown> }>;
  shares: {
    rows: number;
    replicas: number;
    seed: number;
    epoch: number;
    shuffle: boolean;
    dropLast: boolean;
    indices: number[][];
  }[];
}

const golden = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../fixtures/golden/distributed.json'), 'utf8'),
) as Golden;

function flat(value: unknown): number[] {
  return Array.isArray(value) ? value.flatMap(flat) : [value as number];
}

function largestDifference(a: unknown, b: unknown): number {
  const [one, two] = [flat(a), flat(b)];
  expect(one.length).toBe(two.length);
  return one.reduce((most, value, i) => Math.max(most, Math.abs(value - two[i]!)), 0);
}

describe.runIf(process.platform === 'linux')('two processes that train together', () => {
  it.each([
    { kind: 'SGD', args: [] },
    { kind: 'Adam', args: [] },
    { kind: 'Adam', args: ['0.00001'] },
  ])("have PyTorch's losses and weights with $kind $args", async ({ kind, args }) => {
    const ended = await runRanks('trains.mjs', [kind, ...args], 2);
    const expected = golden.runs[kind]!;
    for (const [rank, { lines, code, stderr }] of ended.entries()) {
      expect(stderr).toBe('');
      expect(lines[0]).not.toHaveProperty('error');
      expect(code).toBe(0);
      const line = lines[0] as Record<string, unknown> & { weights: Record<string, unknown> };
      expect(largestDifference(line.losses, expected.losses[rank])).toBeLessThan(1e-5);
      for (const [name, value] of Object.entries(expected.weights))
        expect(largestDifference(line.weights[name], value), name).toBeLessThan(1e-5);
      expect(line).toMatchObject({
        sums: [3, 20],
        average: [1],
        largest: [1, 0],
        told: [[5, 6]],
        gathered: [[0], [1], [[0]], [[10]]],
        share: [1, 2 * (rank + 1)],
      });
      expect(line.wrong).toContain("op 'avg' is for floating point tensors");
    }
    // The same bits on both.
    expect(ended[0]!.lines[0]!.weights).toEqual(ended[1]!.lines[0]!.weights);
  });
});

describe('a process without a group', () => {
  it('is told how to join one', async () => {
    expect(distributed.isInitialized()).toBe(false);
    expect(() => distributed.getRank()).toThrow('await distributed.initProcessGroup() first');
    await expect(distributed.barrier()).rejects.toThrow('There is no process group');
    await expect(distributed.initProcessGroup({ rank: 3, worldSize: 2 })).rejects.toMatchObject({ option: 'rank' });
    await expect(distributed.initProcessGroup({ backend: 'nccl', rank: 0, worldSize: 1 })).rejects.toMatchObject({
      code: 'DISTRIBUTED',
    });
  });
});

describe('DistributedSampler', () => {
  it.each(golden.shares)(
    "gives PyTorch's shares of $rows rows to $replicas",
    ({ rows, replicas, epoch, indices, ...options }) => {
      for (const [rank, expected] of indices.entries()) {
        const { seed, shuffle, dropLast } = options;
        const sampler = new utils.data.DistributedSampler(
          { length: rows },
          { numReplicas: replicas, rank, seed, shuffle, dropLast },
        );
        sampler.setEpoch(epoch);
        expect([...sampler].slice(0, 40)).toEqual(expected);
        expect(sampler.length).toBe([...sampler].length);
      }
    },
  );
});
