import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketBatches } from '../../src/data/index.js';
import { Random } from '../../src/index.js';

/** Tokens that would be computed if each batch were filled up to its longest text, over those there are. */
function waste(lengths: ArrayLike<number>, { order, batchSizes }: ReturnType<typeof bucketBatches>): number {
  let filled = 0;
  let real = 0;
  let at = 0;
  for (const size of batchSizes) {
    const batch = [...order.subarray(at, at + size)].map((i) => lengths[i]!);
    filled += Math.max(...batch) * size;
    real += batch.reduce((a, b) => a + b, 0);
    at += size;
  }
  return filled / real;
}

describe('bucketBatches', () => {
  it('gives each text once, in batches of the size asked for', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 100_000 }), { maxLength: 200 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 5 }),
        fc.nat(1000),
        (lengths, batchSize, window, seed) => {
          const make = () => bucketBatches(lengths, { batchSize, window, random: new Random(seed) });
          const { order, batchSizes } = make();
          expect([...order].sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
          const small = [...batchSizes].filter((size) => size !== batchSize);
          expect(small.length).toBeLessThanOrEqual(1);
          expect([...batchSizes].reduce((a, b) => a + b, 0)).toBe(lengths.length);
          expect(make()).toEqual({ order, batchSizes });
        },
      ),
    );
  });

  it('keeps to a token budget, but for a text that is longer by itself, and fills it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 200 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 5 }),
        (lengths, batchSize, tokensPerBatch, window) => {
          const { order, batchSizes } = bucketBatches(lengths, { batchSize, tokensPerBatch, window });
          expect([...order].sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
          let at = 0;
          for (const size of batchSizes) {
            const batch = [...order.subarray(at, at + size)].map((i) => lengths[i]!);
            at += size;
            expect(size).toBeLessThanOrEqual(batchSize);
            expect(size === 1 || batch.reduce((a, b) => a + b, 0) <= tokensPerBatch).toBe(true);
          }
          expect(at).toBe(lengths.length);
        },
      ),
    );
    const even = bucketBatches(new Array(100).fill(10), { batchSize: 1_000, tokensPerBatch: 250 });
    expect([...even.batchSizes]).toEqual([25, 25, 25, 25]);
  });

  it('puts texts of similar length together', () => {
    const random = new Random(4);
    const lengths = Array.from({ length: 5000 }, () => 1 + random.int(200));
    const bucketed = waste(lengths, bucketBatches(lengths, { batchSize: 16 }));
    const plain = waste(lengths, bucketBatches(lengths, { batchSize: 16, window: 1 }));
    expect(bucketed).toBeLessThan(1.05);
    expect(plain).toBeGreaterThan(1.7);
  });

  it('has other batches each epoch, from one random source', () => {
    const lengths = Array.from({ length: 300 }, (_, i) => 1 + (i % 30));
    const random = new Random(1);
    const first = bucketBatches(lengths, { batchSize: 8, random });
    const state = random.state;
    const second = bucketBatches(lengths, { batchSize: 8, random });
    expect(second.order).not.toEqual(first.order);
    expect(bucketBatches(lengths, { batchSize: 8, random: Random.fromState(state) })).toEqual(second);
  });

  it('takes the texts that it is told', () => {
    const { order } = bucketBatches([5, 6, 7, 8], { batchSize: 2, indices: [3, 1] });
    expect([...order].sort()).toEqual([1, 3]);
    expect(bucketBatches([], { batchSize: 2 })).toEqual({ order: new Int32Array(0), batchSizes: new Int32Array(0) });
  });

  it('refuses what does not fit', () => {
    expect(() => bucketBatches([1], { batchSize: 0 })).toThrow(/batchSize/);
    expect(() => bucketBatches([1], { batchSize: 1, window: 0 })).toThrow(/window/);
    expect(() => bucketBatches([1], { batchSize: 1, tokensPerBatch: 0 })).toThrow(/tokensPerBatch/);
    expect(() => bucketBatches([1], { batchSize: 1, indices: [1] })).toThrow(/indices/);
    expect(() => bucketBatches([1], { batchSize: 1, seed: 1 } as never)).toThrow(/Unknown option "seed"/);
  });
});
