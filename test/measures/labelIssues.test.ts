import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { findLabelIssues } from '../../src/measures/index.js';

interface Case {
  labels: number[];
  probabilities: number[][];
  issues: number[];
}

const { cases } = JSON.parse(
  readFileSync(new URL('../fixtures/golden/label_issues.json', import.meta.url), 'utf8'),
) as { cases: Case[] };

it.each(cases)(
  'finds the rows that cleanlab finds, in its order: $labels.length rows',
  ({ labels, probabilities, issues }) => {
    const names = labels.map(String);
    expect(findLabelIssues(names, probabilities).map(({ row }) => row)).toEqual(issues);
  },
);

it('says what a row is, and what it probably should be', () => {
  const found = findLabelIssues(
    ['a', 'b', 'b'],
    [
      [0.9, 0.1],
      [0.2, 0.8],
      [0.95, 0.05],
    ],
  );
  expect(found).toEqual([{ row: 2, label: 'b', suggested: 'a', selfConfidence: 0.05, suggestedProbability: 0.95 }]);
});

it('refuses what are no probabilities, and takes labels that no row has', () => {
  expect(() =>
    findLabelIssues(
      ['a', 'b'],
      [
        [0.5, 0.4],
        [0, 1],
      ],
    ),
  ).toThrow(/probabilities that add up to 1/);
  expect(() => findLabelIssues(['a'], [[0.5, 0.5]])).toThrow(/give the option labels/);
  expect(findLabelIssues(['a'], [[0.4, 0.6]], { labels: ['a', 'b'] })).toEqual([]);
});
