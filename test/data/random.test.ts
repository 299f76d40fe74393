import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random, type RandomState } from '../../src/index.js';

// xoshiro128** 1.1 as its authors publish it, in bigints.
function* reference(state: RandomState): Generator<number> {
  const mask = 0xffffffffn;
  const rotate = (word: bigint, by: bigint) => ((word << by) | (word >> (32n - by))) & mask;
  const s = state.map(BigInt) as [bigint, bigint, bigint, bigint];
  for (;;) {
    yield Number((rotate((s[1] * 5n) & mask, 7n) * 9n) & mask);
    const t = (s[1] << 9n) & mask;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 11n);
  }
}

describe('Random', () => {
  it('is xoshiro128**', () => {
    const word = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    fc.assert(
      fc.property(fc.tuple(word, word, word, fc.integer({ min: 1, max: 2 ** 32 - 1 })), (state) => {
        const random = Random.fromState(state);
        const expected = reference(state);
        for (let i = 0; i < 20; i++) expect(random.uint32()).toBe(expected.next().value);
      }),
    );
  });

  it('gives the same numbers on every machine', () => {
    const random = new Random(42);
    expect([random.uint32(), random.uint32(), random.uint32()]).toMatchInlineSnapshot(`
      [
        2968023918,
        1618811913,
        1362844522,
      ]
    `);
    expect([...new Random(1).permutation(8)]).toMatchInlineSnapshot(`
      [
        0,
        4,
        5,
        1,
        3,
        2,
        6,
        7,
      ]
    `);
  });

  it('depends on every bit of the seed and on the stream', () => {
    const first = (seed: number, stream = 0) => new Random(seed, stream).uint32();
    const seeds = [0, 1, 2, 2 ** 31, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
    expect(
      new Set([...seeds.map((seed) => first(seed)), ...seeds.slice(1).map((stream) => first(0, stream))]).size,
    ).toBe(13);
    expect(first(7)).toBe(first(7));
  });

  it('goes on from a saved state', () => {
    const random = new Random(3);
    random.normal();
    const saved = JSON.parse(JSON.stringify(random.state)) as RandomState;
    const expected = [random.uint32(), random.float()];
    const other = Random.fromState(saved);
    expect([other.uint32(), other.float()]).toEqual(expected);
    random.state = saved;
    expect([random.uint32(), random.float()]).toEqual(expected);
  });

  it('draws evenly', () => {
    const random = new Random(5);
    const counts = new Int32Array(7);
    let sum = 0;
    let squares = 0;
    for (let i = 0; i < 70_000; i++) {
      counts[random.int(7)]!++;
      const z = random.normal();
      sum += z;
      squares += z * z;
    }
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400); // four standard deviations
    expect(Math.abs(sum / 70_000)).toBeLessThan(0.016);
    expect(squares / 70_000).toBeGreaterThan(0.978);
    expect(squares / 70_000).toBeLessThan(1.022);
  });

  it('shuffles into each order about as often', () => {
    const random = new Random(9);
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const order = random.shuffle(['a', 'b', 'c', 'd']).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(130);
  });

  it('keeps floats in [0, 1) and integers in range', () => {
    const random = new Random(1);
    for (let i = 0; i < 1000; i++) {
      const value = random.float();
      expect(value >= 0 && value < 1).toBe(true);
      expect(random.int(2 ** 32)).toBeLessThan(2 ** 32);
      expect(random.int(1)).toBe(0);
    }
    expect([...random.permutation(0)]).toEqual([]);
    expect([...random.permutation(5)].sort()).toEqual([0, 1, 2, 3, 4]);
  });

  it('refuses what does not fit', () => {
    expect(() => new Random(-1)).toThrow(/an integer of at least 0 for seed but received number -1/);
    expect(() => new Random(0.5)).toThrow(/seed/);
    expect(() => new Random(0, 2 ** 53)).toThrow(/stream/);
    expect(() => new Random().int(0)).toThrow(/bound/);
    expect(() => new Random().permutation(-1)).toThrow(/length/);
    for (const state of [[0, 0, 0, 0], [1, 2, 3], [1, 2, 3, -1], [1, 2, 3, 0.5], null]) {
      expect(() => Random.fromState(state as unknown as RandomState)).toThrow(/four unsigned 32-bit integers/);
    }
  });
});
