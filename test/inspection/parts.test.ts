import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DuplicateFinder } from '../../src/inspection/duplicates.js';
import { beginning } from '../../src/inspection/found.js';
import { HashTable } from '../../src/inspection/hashTable.js';
import { evenness, LabelCounter } from '../../src/inspection/labels.js';
import { LengthCounter } from '../../src/inspection/lengths.js';
import { bandKeys, shingles, similarity } from '../../src/inspection/shingles.js';
import { comparable, textHash } from '../../src/inspection/textKey.js';

it('a table of hashes remembers what a Map does, however it grows', () => {
  const entries = fc.array(fc.tuple(fc.integer({ min: 1, max: 2 ** 53 - 1 }), fc.integer({ min: 1, max: 1e9 })), {
    maxLength: 4_000,
    size: 'max',
  });
  fc.assert(
    fc.property(entries, (pairs) => {
      const table = new HashTable();
      const map = new Map(pairs);
      for (const [hash, row] of pairs) table.set(table.slot(hash), row, -row);
      expect(table.size).toBe(map.size);
      for (const [hash, row] of map) {
        const slot = table.found(hash)!;
        expect([table.rowAt(slot), table.noteAt(slot)]).toEqual([row, -row]);
      }
      expect(table.found(2 ** 52 + 12_345)).toBe(map.has(2 ** 52 + 12_345) ? expect.any(Number) : undefined);
    }),
    { numRuns: 20 },
  );
});

it('texts that differ in case, blanks and compatibility forms alone are one', () => {
  expect(comparable('  Ｗhere\n IS\u00a0it? ')).toBe('where is it?');
  expect(textHash('abc')).not.toBe(textHash('acb'));
  expect(textHash('')).toBeGreaterThan(0);
});

it('lengths are exact up to 4,096, and 1.1 % too large at most beyond', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(100_000), { minLength: 1, maxLength: 300 }), (lengths) => {
      const counter = new LengthCounter();
      for (const length of lengths) counter.add(length);
      const sorted = [...lengths].sort((a, b) => a - b);
      const found = counter.lengths;
      expect([found.min, found.max]).toEqual([sorted[0], sorted.at(-1)]);
      expect(found.mean).toBeCloseTo(lengths.reduce((a, b) => a + b) / lengths.length, 6);
      for (const [quantile, share] of [
        [found.median, 0.5],
        [found.p95, 0.95],
        [found.p99, 0.99],
      ] as const) {
        const exact = sorted[Math.ceil(share * lengths.length) - 1]!;
        if (exact <= 4_096) expect(quantile).toBe(exact);
        expect(quantile).toBeGreaterThanOrEqual(Math.floor(exact * 0.9999));
        expect(quantile).toBeLessThanOrEqual(exact * 1.011);
      }
    }),
  );
});

it('the similarity of texts is that of the sets of their shingles', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 60 }), fc.string({ maxLength: 60 }), (a, b) => {
      const [first, second] = [shingles(a), shingles(b)];
      const shared = first.filter((hash) => second.includes(hash)).length;
      const either = new Set([...first, ...second]).size;
      expect(similarity(first, second)).toBe(either === 0 ? 0 : shared / either);
      expect(similarity(first, first)).toBe(first.length > 0 ? 1 : 0);
    }),
  );
  expect(shingles('?! ...')).toHaveLength(0);
  expect(shingles('ab')).toHaveLength(1);
  expect(similarity(shingles('my card is lost'), shingles('my card -- is lost!'))).toBe(1);
});

it('texts that share most shingles have a key in common, and others hardly ever', () => {
  const words = Array.from({ length: 400 }, (_, i) => `w${(i * 7919) % 1000}`);
  let near = 0;
  let far = 0;
  for (let i = 0; i < 100; i++) {
    const text = words.slice(i, i + 30).join(' ');
    const changed = text.replace(/w\d+$/, 'other');
    const another = words.slice(i + 150, i + 180).join(' ');
    const keys = new Set(bandKeys(shingles(text)));
    if (bandKeys(shingles(changed)).some((key) => keys.has(key))) near++;
    if (bandKeys(shingles(another)).some((key) => keys.has(key))) far++;
  }
  expect(near).toBe(100);
  expect(far).toBeLessThan(20);
});

it('a repeated text is told with its first row, and a conflict where the labels differ', () => {
  const finder = new DuplicateFinder(2);
  const add = (key: string, labels: string[], row: number) =>
    finder.add(key, labels, () => ({ row, labels, text: key }), { row, line: row === 1 ? undefined : row + 3 });
  expect(add('a', ['x', 'y'], 1)).toBe(true);
  expect(add('a', ['y', 'x', 'y'], 2)).toBe(false);
  expect(add('a', ['x'], 3)).toBe(false);
  expect(add('b', ['x'], 4)).toBe(true);
  expect(finder.repeated).toEqual({
    rows: 2,
    examples: [
      { row: 2, labels: ['y', 'x', 'y'], text: 'a', first: 1 },
      { row: 3, labels: ['x'], text: 'a', first: 1, firstLabels: ['x', 'y'] },
    ],
  });
  expect(finder.conflicting.rows).toBe(1);
  expect([finder.distinct, finder.firstOf('b'), finder.firstOf('a'), finder.firstOf('c')]).toEqual([
    2,
    { first: 4, firstLine: 7 },
    { first: 1 },
    undefined,
  ]);
});

it('labels that differ by case, blanks, punctuation or accents alone look like one', () => {
  const counter = new LabelCounter();
  for (const label of ['Café', 'cafe', 'tea', 'card-lost', 'card lost', 'card_lost', '__proto__']) counter.add([label]);
  counter.add([]);
  counter.add(['tea', 'cafe']);
  counter.add(['tea', 'tea']);
  expect(counter.similar).toEqual([
    ['cafe', 'Café'],
    ['card lost', 'card-lost', 'card_lost'],
  ]);
  expect([counter.without, counter.several, counter.has('__proto__'), counter.has('x')]).toEqual([1, 1, true, false]);
  expect(counter.labels[0]).toEqual({ label: 'tea', rows: 3, share: 3 / 10 });
  expect(
    evenness([
      { label: 'a', rows: 5, share: 0.5 },
      { label: 'b', rows: 5, share: 0.5 },
    ]),
  ).toBeCloseTo(1, 12);
  expect(evenness([])).toBe(1);
});

it('the beginning of a text ends between characters', () => {
  const text = `${'a'.repeat(119)}🙂b`;
  expect(beginning(text)).toBe(`${'a'.repeat(119)}…`);
  expect(beginning('🙂')).toBe('🙂');
});
