import { expect, it } from 'vitest';
import { boundOf, shareOf, withBounds } from '../../bench/roofline/bound.js';
import type { Level, MeasuredSet, Work } from '../../bench/roofline/types.js';
import { comparedResults, comparisonPage, PREDICTIONS, shortShape } from '../../scripts/docs/comparison.js';
import { rooflineFigures, rooflineResults } from '../../scripts/docs/roofline.js';
import { between } from '../../scripts/docs/write.js';
import { pageText } from '../support/guide.js';

const level = (level: string, size: number | null, read: number): Level => ({
  threads: 1,
  level,
  size,
  read,
  write: read / 2,
  rows512: read / 4,
  rows64: read / 8,
});
const set: MeasuredSet = {
  isa: 'avx2',
  peaks: [{ threads: 1, flops: 100, flopsPerCycle: 32, gigahertz: 4, share: 1, divisions: 10 }],
  memory: [level('L1', 1000, 80), level('memory', null, 8)],
  kernels: [],
};
const nothing: Work = { flops: 0, divisions: 0, reads: 0, writes: 0, set: 0 };

it('takes the slowest unit as the bound, and bytes from where they fit', () => {
  const bound = (work: Partial<Work>) => boundOf({ ...nothing, ...work }, set, 1);
  expect(bound({ flops: 200, reads: 80 })).toEqual({ bound: 2, limit: 'multiply-adds' });
  expect(bound({ flops: 200, reads: 80, set: 1001 })).toEqual({ bound: 10, limit: 'reading, memory' });
  expect(bound({ divisions: 30, writes: 40 })).toEqual({ bound: 3, limit: 'divisions' });
  expect(bound({ writes: 200 })).toEqual({ bound: 5, limit: 'writing, L1' });
  expect(bound({ rows: 2, lines: 2, set: 2000 })).toEqual({ bound: 2, limit: 'lines in no order, memory' });
  expect(() => boundOf(nothing, set, 2)).toThrow('rates of 2 threads');
});

it('bounds a whole by the sum of its parts', () => {
  const row = (part: string, seconds: number, work: Work | null) => ({
    kernel: 'k',
    shape: 's',
    part,
    threads: 1,
    seconds,
    work,
  });
  const rows = withBounds({
    ...set,
    kernels: [
      row('all', 8, null),
      row('a', 4, { ...nothing, flops: 200 }),
      row('b', 2, { ...nothing, divisions: 20 }),
      row('c', 1, null),
    ],
  });
  expect(rows.map(shareOf)).toEqual([0.5, 0.5, 1, undefined]);
});

it('calls a shape by what it differs in', () => {
  const rest = 'batch 16, 44 tokens, vocabulary 95812';
  expect(shortShape(`LSTM 64 -> 32, ${rest}`)).toEqual({ name: "the lesson's", group: "The lesson's network" });
  expect(shortShape(`LSTM 64 -> 256, ${rest}`)).toEqual({ name: 'hidden 256', group: 'Width' });
  expect(shortShape('GRU 64 -> 32, 2 layers, batch 16, 10 tokens even, vocabulary 5000')).toEqual({
    name: 'GRU, 2 layers, 10 tokens even, 5,000 words',
    group: 'Several at once',
  });
});

it('has the figures of the results in docs/benchmarks.md', () => {
  const rooflines = rooflineResults();
  const page = pageText('docs/benchmarks.md');
  expect(page).toBe(between(page, 'roofline', `\n${rooflineFigures(rooflines)}`));
  const bare = (text: string) => text.replace(/(<!-- figures of .* -->\n)[\s\S]*?(<!-- end -->)/g, '$1$2');
  expect(bare(page)).toBe(comparisonPage(comparedResults(), comparedResults(PREDICTIONS), rooflines));
});

it('has a peak that counts', () => {
  const sets = rooflineResults().flatMap(({ sets }) => sets);
  for (const { isa, peaks } of sets.filter(({ isa }) => isa !== 'portable'))
    for (const { share } of peaks) expect(share, isa).toBeGreaterThan(0.9);
});
