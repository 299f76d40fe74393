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

  const multi = (rows: number[][]) => ({
    labels: Int32Array.from(rows.flat()),
    labelOffsets: Uint32Array.from([0, ...rows.map((_, i) => rows.slice(0, i + 1).flat().length)]),
  });

  it('splits a multi-label set so that each class, and no class, has its share', () => {
    // Class 0 in every second text, 1 in every fifth, 2 in every tenth beside 0, none in the rest.
    const rows = Array.from({ length: 1000 }, (_, i) => [
      ...(i % 2 === 0 ? [0] : []),
      ...(i % 5 === 0 ? [1] : []),
      ...(i % 10 === 4 ? [2] : []),
    ]);
    const { train, test } = stratifiedSplit(multi(rows), { fraction: 0.2, seed: 3 });
    expect(train.length + test.length).toBe(1000);
    const held = (fits: (row: number[]) => boolean) => [...test].filter((i) => fits(rows[i]!)).length;
    for (const [fits, expected] of [
      [(row: number[]) => row.includes(0), 100],
      [(row: number[]) => row.includes(1), 40],
      [(row: number[]) => row.includes(2), 20],
      [(row: number[]) => row.length === 0, 80],
    ] as const) {
      expect(Math.abs(held(fits) - expected)).toBeLessThanOrEqual(1);
    }
    expect(stratifiedSplit(multi(rows), { fraction: 0.2, seed: 3 })).toEqual({ train, test });
    expect(stratifiedSplit(multi(rows), { fraction: 0.2, seed: 4 }).test).not.toEqual(test);
  });

  it('leaves of each class of a multi-label set a text to learn from, and puts each text on one side', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uniqueArray(fc.nat(5), { maxLength: 4 }), { maxLength: 40 }),
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        fc.nat(1000),
        (rows, fraction, seed) => {
          const { train, test } = stratifiedSplit(multi(rows), { fraction, seed });
          expect([...train, ...test].sort((a, b) => a - b)).toEqual(rows.map((_, i) => i));
          const learned = new Set([...train].flatMap((i) => rows[i]!));
          expect(new Set(rows.flat())).toEqual(learned);
        },
      ),
    );
  });
});
