import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Measured, tableOf } from '../../bench/seq2seq/report.js';
import { sequenceFigures } from '../../scripts/docs/sequences.js';
import { between } from '../../scripts/docs/write.js';
import { checkout, pageText } from '../support/guide.js';

it('writes figures with their ratio', () => {
  const row = { work: 'one' as const, shape: 'LSTM 128', ours: 71.4, theirs: 1_000.2, setting: 'packed', ratio: 14.01 };
  expect(tableOf([row]).split('\n')[2]).toBe(
    '| greedy decoding of one word of 8 letters | LSTM 128 | 71 | 1,000 | us | 14.0x | packed |',
  );
});

it('in docs/benchmarks.md are the figures of the results', () => {
  const measured = JSON.parse(readFileSync(join(checkout, 'bench/seq2seq/results.json'), 'utf8')) as Measured;
  const page = pageText('docs/benchmarks.md');
  expect(page).toBe(between(page, 'sequences', `\n${sequenceFigures(measured)}`));
});
