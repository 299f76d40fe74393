import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.js';
import { Turns } from '../../src/core/turns.js';
import { stratifiedSplit } from '../../src/data/index.js';
import { stratifiedFolds } from '../../src/data/sets/folds.js';
import { numbersOfGroups, sameTexts, textsIn } from '../../src/data/sets/groups.js';
import { splitTexts } from '../../src/data/sets/split.js';

const turns = () => new Turns();

/** Lists of numbers, concatenated. */
function numbered(texts: readonly (readonly number[])[]) {
  const offsets = new Uint32Array(texts.length + 1);
  for (const [i, { length }] of texts.entries()) offsets[i + 1] = offsets[i]! + length;
  return { tokens: Int32Array.from(texts.flat()), offsets };
}

describe('a split by groups', () => {
  const setup = fc.record({
    texts: fc.array(fc.tuple(fc.nat(4), fc.option(fc.nat(12), { nil: undefined })), { minLength: 1, maxLength: 120 }),
    fraction: fc.double({ min: 0.05, max: 0.5, noNaN: true }),
    seed: fc.nat(1000),
  });

  it('parts no group and leaves a text of each class for training', () => {
    fc.assert(
      fc.property(setup, ({ texts, fraction, seed }) => {
        const labels = texts.map(([label]) => label);
        const groups = texts.map(([, group]) => group);
        const { train, test } = stratifiedSplit(labels, { fraction, seed, groups });
        expect([...train, ...test].sort((a, b) => a - b)).toEqual(texts.map((_, i) => i));
        const sides = (side: Int32Array) => new Set([...side].flatMap((i) => groups[i] ?? []));
        for (const group of sides(test)) expect(sides(train)).not.toContain(group);
        expect(new Set([...train].map((i) => labels[i]))).toEqual(new Set(labels));
        expect(stratifiedSplit(labels, { fraction, seed, groups })).toEqual({ train, test });
      }),
    );
  });

  it('takes the share of each class, as closely as groups allow, and depends on the seed', () => {
    const random = new Random(3);
    const groups = Array.from({ length: 3000 }, () => `customer ${random.int(400)}`);
    const labels = groups.map(() => (random.float() < 0.1 ? 1 : 0));
    const { test } = stratifiedSplit(labels, { fraction: 0.2, seed: 1, groups });
    const shareOf = (label: number) =>
      [...test].filter((i) => labels[i] === label).length / labels.filter((each) => each === label).length;
    expect(shareOf(0)).toBeCloseTo(0.2, 1);
    expect(shareOf(1)).toBeCloseTo(0.2, 1);
    expect(stratifiedSplit(labels, { fraction: 0.2, seed: 2, groups }).test).not.toEqual(test);
  });

  it('takes a large group where all are large, but not the last of a class', () => {
    const { test } = stratifiedSplit([0, 1, 0, 1, 0, 1], { fraction: 0.1, groups: [1, 1, 2, 2, 3, 3] });
    expect(test).toHaveLength(2);
    expect(stratifiedSplit([0, 0, 1, 1], { fraction: 0.5, groups: ['a', 'a', 'b', 'b'] }).test).toHaveLength(0);
  });

  it('splits texts with several classes', () => {
    const labels = [0, 1, 0, 1, 0, 1];
    const labelOffsets = [0, 2, 3, 4, 4, 6];
    const { train, test } = stratifiedSplit({ labels, labelOffsets }, { fraction: 0.4, groups: [1, 1, 2, 2, 3] });
    expect([...train, ...test].sort()).toEqual([0, 1, 2, 3, 4]);
    expect(test.length).toBeGreaterThan(0);
  });

  it('refuses groups that do not fit', () => {
    expect(() => stratifiedSplit([0, 1], { groups: ['a'] })).toThrow(/Expected a group for each of 2 texts for groups/);
    expect(() => stratifiedSplit([0, 1], { groups: 'ab' as never })).toThrow(/an array for groups/);
  });
});

describe('equal texts', () => {
  it('are found by tokens and classes', async () => {
    const texts = numbered([[1, 2], [3], [1, 2], [1, 2], [], []]);
    const classes = [0, 0, 0, 1, 0, 0];
    const found = await sameTexts(texts, (i) => Int32Array.of(classes[i]!), turns());
    expect([...found!]).toEqual([0, 1, 0, 3, 4, 4]);
    expect(await sameTexts(numbered([[1], [2], [1, 1]]), () => new Int32Array(0), turns())).toBe(undefined);
    expect(await sameTexts(numbered([]), () => new Int32Array(0), turns())).toBe(undefined);
  });

  it('of another set are counted, those with an unknown word excluded', async () => {
    expect(await textsIn(numbered([[1, 2], [2, 1], [0], [3]]), numbered([[1, 2], [0], [3], [3]]), 0, turns())).toBe(2);
  });

  const setup = fc.record({
    labels: fc.array(fc.nat(3), { maxLength: 80 }),
    fraction: fc.double({ min: 0.01, max: 0.9, noNaN: true }),
    seed: fc.nat(1000),
  });

  it('stay on one side, and a split without any is the same as before', () => {
    fc.assert(
      fc.property(setup, fc.nat(9), ({ labels, fraction, seed }, many) => {
        const { length } = labels;
        const split = (same?: Int32Array) =>
          splitTexts({ labels, labelOffsets: undefined, length }, { fraction, random: new Random(seed), same });
        expect(split(Int32Array.from(labels.keys()))).toEqual(split());
        // Of each class, some texts are the same.
        const same = numbersOfGroups(labels.map((label, i) => (i % 10 < many ? `class ${label}` : i)));
        const { train, test } = split(same);
        for (const i of test) {
          const size = same.filter((number) => number === same[i]).length;
          const all = labels.filter((label) => label === labels[i]).length;
          const wanted = Math.min(Math.max(1, Math.round(fraction * all)), all - 1);
          // What is repeated more often than texts are wanted may be needed for training too.
          if (size <= wanted) expect([...train].some((j) => same[j] === same[i])).toBe(false);
        }
        expect(new Set([...train].map((i) => labels[i]))).toEqual(new Set(labels));
      }),
    );
  });

  it('are parted only if a class has few others', () => {
    const split = (same: number[]) => {
      const labels = new Array<number>(same.length).fill(0);
      const classes = { labels, labelOffsets: undefined, length: same.length };
      return splitTexts(classes, { fraction: 0.1, random: new Random(1), same: Int32Array.from(same) });
    };
    // Two texts of 50 rows each: half of the rows would be too many.
    expect(split(Array.from({ length: 100 }, (_, i) => i % 2)).test).toHaveLength(10);
    // Pairs where one row is wanted: two are near enough.
    const pairs = Array.from({ length: 10 }, (_, i) => i >> 1);
    const { test } = split(pairs);
    expect(test).toHaveLength(2);
    expect(pairs[test[0]!]).toBe(pairs[test[1]!]);
  });

  it('with several classes stay on one side too', () => {
    fc.assert(
      fc.property(fc.array(fc.subarray([0, 1, 2]), { maxLength: 60 }), fc.nat(1000), (sets, seed) => {
        const labels = sets.flat();
        const labelOffsets = [0];
        for (const set of sets) labelOffsets.push(labelOffsets.at(-1)! + set.length);
        const classes = { labels, labelOffsets, length: sets.length };
        const split = (same?: Int32Array) => splitTexts(classes, { fraction: 0.3, random: new Random(seed), same });
        expect(split(Int32Array.from(sets.keys()))).toEqual(split());
        const same = numbersOfGroups(sets.map((set, i) => (i % 2 ? i : `set ${set}`)));
        const { train, test } = split(same);
        for (const i of test) {
          const rows = (set: readonly number[]) =>
            set.length === 0
              ? sets.filter(({ length }) => length === 0).length
              : Math.min(...set.map((label) => labels.filter((each) => each === label).length));
          const size = same.filter((number) => number === same[i]).length;
          if (size <= 0.6 * rows(sets[i]!)) expect([...train].some((j) => same[j] === same[i])).toBe(false);
        }
      }),
    );
  });

  it('are in one part of a cross-validation', () => {
    const classes = Array.from({ length: 60 }, (_, i) => i % 3);
    const units = Int32Array.from(classes, (_, i) => i % 20);
    const same = Int32Array.from(classes, (_, i) => (i < 30 ? i : i - 30));
    const fold = stratifiedFolds(classes, 5, 1, { same });
    for (const [i, first] of same.entries()) expect(fold[i]).toBe(fold[first]);
    const different = Int32Array.from(classes.keys());
    expect(stratifiedFolds(classes, 5, 1, { same: different })).toEqual(stratifiedFolds(classes, 5, 1));
    // A class of one text is in all parts.
    const one = stratifiedFolds(classes, 5, 1, { same: Int32Array.from(classes) });
    expect(one).toEqual(stratifiedFolds(classes, 5, 1));
    const groups = stratifiedFolds(classes, 5, 1, { groups: units });
    for (const [i, unit] of units.entries()) expect(groups[i]).toBe(groups[unit]);
    for (let part = 0; part < 5; part++) expect(groups.filter((each) => each === part)).toHaveLength(12);
  });
});
