import { fileURLToPath } from 'node:url';
import { loadFile, manualSeed } from 'recurra/torch';
import { beforeAll, describe, expect, it } from 'vitest';
import { MODELS } from '../../examples/lesson/models.js';
import { largestDifference, type Replay, replay, STEPS, TOLERANCE } from '../../scripts/lesson/replay.js';

// Written by scripts/lesson/exchange.py: what PyTorch had and gave.
const fixture = (network: string) =>
  fileURLToPath(new URL(`../fixtures/golden/lesson_steps_${network.replace('-', '_')}.safetensors`, import.meta.url));

describe.each(Object.keys(MODELS))('%s, trained from the weights and over the rows that PyTorch had', (network) => {
  let result: Replay;
  beforeAll(async () => {
    result = await replay(fixture(network));
  });

  it(`gives PyTorch's loss in each of the first ${STEPS} steps`, () => {
    expect(result.network).toBe(network);
    expect(largestDifference(result)).toBeLessThanOrEqual(TOLERANCE);
    // The network did move: a training that stands still would be found out.
    expect(new Set(result.losses.slice(0, STEPS)).size).toBeGreaterThan(STEPS / 2);
  });

  it("ends with PyTorch's weights", () => {
    const { weightDifferences } = result;
    expect(Object.keys(weightDifferences)).toContain('fc.bias');
    // 60 steps of 1e-3 move a weight by up to 0.06.
    for (const [name, difference] of Object.entries(weightDifferences)) expect(difference, name).toBeLessThan(1e-4);
  });

  it('begins with the weights that PyTorch gives after the same seed', async () => {
    const { tensors, metadata } = await loadFile(fixture(network));
    const size = (name: string) => Number(metadata[name]);
    manualSeed(size('seed'));
    const net = MODELS[network]!.make(size('vocabSize'), size('embedding'), size('hidden'), size('classes'));
    for (const [name, value] of Object.entries(net.stateDict())) {
      const difference = value.sub(tensors[`initial.${name}`]!).abs().max().item();
      expect(difference, name).toBeLessThan(1e-6);
    }
  });
});
