import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stratifiedSplit } from '../../src/data/index.js';

describe('stratifiedSplit', () => {
  it('takes the same share of each class', () => {
    const labels = Int32Array.from({ length: 1000 }, (_, i) => (i < 700 ? 0 : i < 950 ? 1 : 2));
    const { train, test } = stratifiedSplit(labels, { fraction: 0.1, seed: 1 });
    const count = (side: Int32Array, label: number) => side.filter((i) => labels[i] === label).length;
    expect([0, 1, 2].map((label) => count(test, label))).toEqual([70, 25, 5]);
    expect([0, 1, 2].map((label) => count(train, label))).toEqual([630, 225, 45]);
  });

  it('puts each text on one side, and of each class at least one on each where there are two', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(6), { maxLength: 80 }),
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        fc.nat(1000),
        (labels, fraction, seed) => {
          const { train, test } = stratifiedSplit(labels, { fraction, seed });
          expect([...train, ...test].sort((a, b) => a - b)).toEqual(labels.map((_, i) => i));
          expect([...train]).toEqual([...train].sort((a, b) => a - b));
          expect([...test]).toEqual([...test].sort((a, b) => a - b));
          for (const label of new Set(labels)) {
            const all = labels.filter((other) => other === label).length;
            const held = [...test].filter((i) => labels[i] === label).length;
            expect(held).toBe(all === 1 ? 0 : Math.min(Math.max(Math.round(all * fraction), 1), all - 1));
          }
          expect(stratifiedSplit({ labels }, { fraction, seed })).toEqual({ train, test });
        },
      ),
    );
  });

  it('depends on the seed, in the same way everywhere', () => {
    const labels = Array.from({ length: 20 }, (_, i) => i % 2);
    const held = (seed?: number) => [
      ...stratifiedSplit(labels, { fraction: 0.3, ...(seed === undefined ? {} : { seed }) }).test,
    ];
    expect(held(1)).not.toEqual(held(2));
    expect(held()).toEqual(held(0));
    expect(held(7)).toMatchInlineSnapshot(`
      [
        1,
        2,
        8,
        10,
        11,
        13,
      ]
    `);
  });

  it.each([
    [{ fraction: 0 }, /fraction/],
    [{ fraction: 1 }, /fraction/],
    [{ fraction: Number.NaN }, /fraction/],
    [{ seed: -1 }, /seed/],
    [{ ratio: 0.1 } as object, /Unknown option "ratio"/],
  ])('refuses %j', (options, message) => {
    expect(() => stratifiedSplit([0, 1], options)).toThrow(message);
  });

  it('refuses a label that is no class', () => {
    expect(() => stratifiedSplit([0, -1])).toThrow(/labels\[1\]/);
    expect(() => stratifiedSplit([0.5])).toThrow(/labels\[0\]/);
  });
});
