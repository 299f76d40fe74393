import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Result, readResults } from '../../bench/quality/results.js';
import { qualityFigures } from '../../scripts/docs/quality.js';
import { between } from '../../scripts/docs/write.js';
import { checkout, pageText } from '../support/guide.js';

function result(set: string, program: string, seed: number, accuracy: number): Result {
  const figures = {
    macroF1: accuracy - 0.1,
    logLoss: 0.25,
    calibration: 0.01,
    seconds: 2.04,
    microseconds: 7,
    bytes: 4.4e6,
  };
  const about = { rows: 10_003, testRows: 100, labels: 77, threads: 2, code: program, processor: 'one', load: 0 };
  return { set, program, seed, accuracy, ...figures, ...about, date: '2026-11-29T00:00:00Z' };
}

const RESULTS = [
  result('banking77', 'recurra', 0, 0.1),
  // Measured again: the last one counts.
  result('banking77', 'recurra', 0, 0.92),
  result('banking77', 'recurra', 1, 0.94),
  result('banking77', 'scikit-learn', 0, 0.912),
  result('banking77', 'fasttext-words', 0, 0.7),
  result('banking77', 'fasttext-subwords', 0, 0.8),
  result('ag-news', 'recurra', 0, 0.9),
  result('ag-news', 'scikit-learn', 0, 0.925),
];

describe('the figures of quality', () => {
  it('are means of the seeds, with the better of the two settings of fastText', () => {
    const { page, choosing, picture, svg } = qualityFigures(RESULTS);
    expect(choosing).toBe(
      [
        '| data | rows, labels | recurra | `members: 3` | scikit-learn | fastText |',
        '|---|---|---|---|---|---|',
        '| AG News | 10,003, 77 | 90.0 |  | 92.5 |  |',
        '| banking77 | 10,003, 77 | 93.0 ±1.0 |  | 91.2 | 80.0 |',
        '',
      ].join('\n'),
    );
    expect(page).toContain('| banking77 | 10,003, 77 | 83.0 |  |  |  | 81.2 | 70.0 |');
    expect(page).toContain("behind scikit-learn's, it is so by 2.5 points at most");
    expect(page).toContain('4.4, 7');
    expect(picture).toContain(
      "scikit-learn's linear support vector machine on 1 of 2 data sets, and as fastText on 1 of 1",
    );
    // A set that not all three were measured on is not in the picture.
    expect(picture).toContain('banking77: recurra 7.0; scikit-learn 8.8; fastText 20.0.');
    expect(picture).not.toContain('AG News');
    expect(svg.match(/<rect class="ours"/g)).toHaveLength(2);
  });

  it('in the pages are those of the results', () => {
    const { page, choosing, picture, svg } = qualityFigures(readResults(join(checkout, 'bench/quality/results.jsonl')));
    expect(pageText('docs/images/quality.svg')).toBe(svg);
    const pages = { 'docs/quality.md': page, 'docs/choosing-a-model.md': choosing, 'README.md': picture };
    for (const [file, figures] of Object.entries(pages))
      expect(pageText(file)).toBe(between(pageText(file), 'quality', figures));
  });
});
