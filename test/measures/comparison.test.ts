import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { comparePredictions } from '../../src/measures/index.js';

interface Case {
  cells: [number, number, number, number];
  pValue: number;
  interval: [number, number];
}

const { cases } = JSON.parse(readFileSync(new URL('../fixtures/golden/comparison.json', import.meta.url), 'utf8')) as {
  cases: Case[];
};

it.each(cases)("has McNemar's p-value and the interval of $cells", ({ cells, pValue, interval }) => {
  const rows = (first: string, second: string, count: number) =>
    Array.from({ length: count }, () => ({ truth: 'a', first, second }));
  const [both, onlyFirst, onlySecond, none] = cells;
  const all = [
    ...rows('a', 'a', both),
    ...rows('a', 'b', onlyFirst),
    ...rows('b', 'a', onlySecond),
    ...rows('c', 'b', none),
  ];
  const found = comparePredictions(
    all.map(({ truth }) => truth),
    all.map(({ first }) => first),
    all.map(({ second }) => second),
  );
  expect([found.bothRight, found.onlyFirst, found.onlySecond, found.bothWrong]).toEqual(cells);
  expect(found.pValue / pValue).toBeCloseTo(1, 9);
  expect(found.interval[0]).toBeCloseTo(interval[0], 12);
  expect(found.interval[1]).toBeCloseTo(interval[1], 12);
  expect(found.difference).toBeCloseTo(found.secondAccuracy - found.firstAccuracy, 12);
});

it('refuses lists that do not fit', () => {
  expect(() => comparePredictions(['a'], ['a', 'b'], ['a'])).toThrow(/first has 2/);
  expect(() => comparePredictions([], [], [])).toThrow(/no rows/);
  expect(() => comparePredictions(['a'], ['a'], [1 as never])).toThrow(/second\[0\]/);
});
