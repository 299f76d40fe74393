import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bestOf, type Outcome, secondsTo } from '../../bench/tagger/measure.js';
import { type Measured, tablesOf } from '../../bench/tagger/report.js';
import { taggerFigures } from '../../scripts/docs/tagging.js';
import { between } from '../../scripts/docs/write.js';
import { checkout, pageText } from '../support/guide.js';

const outcome = (program: string, curve: [number, number][], one: number): Outcome => ({
  program,
  scores: [0.9, 0.92],
  fit: { seconds: 20, curve },
  speeds: { train: program === 'spacy' ? null : 100 / one, one, many: 1_000 / one },
  versions: {},
});

it('says when a training was as good as another', () => {
  const ours = outcome('recurra', [[1, 0.8], [2, 0.9], [3, 0.95]], 10); // biome-ignore format: a curve is a line
  const theirs = outcome('spacy', [[10, 0.7], [20, 0.9], [30, 0.85]], 40); // biome-ignore format: a curve is a line
  expect(bestOf(theirs.fit)).toEqual({ seconds: 20, score: 0.9 });
  expect(secondsTo(ours.fit, 0.9)).toBe(2);
  expect(secondsTo(ours.fit, 0.96)).toBeUndefined();
  const tables = tablesOf({ set: 's', title: 'S', measure: 'accuracy', rows: 7, outcomes: [ours, theirs] });
  expect(tables).toContain('| recurra | 91.0 ± 1.0 | 20.0 | 10 | 10 | 100 |');
  expect(tables).toContain('| spaCy | 10x (2.0 s and 20.0 s to 90.0 on dev) |  | 4.0x | 4.0x |');
});

it('in docs/benchmarks.md are the figures of the results', () => {
  const measured = JSON.parse(readFileSync(join(checkout, 'bench/tagger/results.json'), 'utf8')) as Measured;
  const page = pageText('docs/benchmarks.md');
  expect(page).toBe(between(page, 'tagging', `\n${taggerFigures(measured)}`));
});
