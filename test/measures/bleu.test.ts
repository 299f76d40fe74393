import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type BleuOptions, type BleuScore, corpusBleu, editDistance, sentenceBleu } from '../../src/index.js';
import { golden } from '../support/safetensors.js';

interface Case {
  hypotheses: string[];
  references: string[][];
  results: { options: BleuOptions; corpus: BleuScore; sentences: number[] }[];
}
const cases = JSON.parse(readFileSync(join(golden, 'bleu.json'), 'utf8')) as Case[];

/** Both sides compute in float64; their `exp` and `log` may differ in the last place. */
function close(ours: number, theirs: number): void {
  expect(Math.abs(ours - theirs), `${ours} ${theirs}`).toBeLessThanOrEqual(1e-12 * Math.max(1, theirs));
}

describe('BLEU', () => {
  it('is that of sacrebleu, for corpora and sentences', () => {
    let positive = 0;
    for (const { hypotheses, references, results } of cases) {
      for (const { options, corpus, sentences } of results) {
        const { score, precisions, brevityPenalty, ...lengths } = corpusBleu(hypotheses, references, options);
        close(score, corpus.score);
        close(brevityPenalty, corpus.brevityPenalty);
        for (const [n, precision] of precisions.entries()) close(precision, corpus.precisions[n]!);
        expect(lengths).toEqual({
          hypothesisLength: corpus.hypothesisLength,
          referenceLength: corpus.referenceLength,
        });
        for (const [i, expected] of sentences.entries()) {
          close(sentenceBleu(hypotheses[i]!, references[i]!, options).score, expected);
          if (expected > 0) positive++;
        }
      }
    }
    expect(cases.length).toBe(14);
    expect(positive).toBeGreaterThan(300);
  });

  it('refuses what does not fit', () => {
    expect(() => corpusBleu([], [])).toThrow(expect.objectContaining({ code: 'EMPTY_DATASET' }));
    expect(() => corpusBleu(['a'], [])).toThrow(expect.objectContaining({ code: 'INVALID_SHAPE' }));
    expect(() => corpusBleu(['a'], [[]])).toThrow(/references\[0\]/);
    expect(() => corpusBleu([7 as never], ['a'])).toThrow(/hypotheses\[0\]/);
    expect(() => sentenceBleu('a', 'a', { tokenize: 'zh' as never })).toThrow(/tokenize/);
    expect(() => sentenceBleu('a', 'a', { smooth: 'exp' } as never)).toThrow(/did you mean smoothing|Unknown option/);
  });
});

describe('editDistance', () => {
  /** The definition, without a table. */
  const defined = (a: string, b: string): number => {
    if (a === '' || b === '') return a.length + b.length;
    const replaced = defined(a.slice(1), b.slice(1)) + (a[0] === b[0] ? 0 : 1);
    return Math.min(defined(a.slice(1), b) + 1, defined(a, b.slice(1)) + 1, replaced);
  };

  it('counts insertions, deletions and replacements', () => {
    expect(editDistance('kitten', 'sitting')).toBe(3);
    expect(editDistance(['HH', 'AH', 'L', 'OW'], ['HH', 'EH', 'L', 'OW', 'Z'])).toBe(2);
    expect(editDistance([], [1, 2])).toBe(2);
    for (const a of ['', 'a', 'abba', 'babab'])
      for (const b of ['', 'b', 'aab', 'bbaab']) expect(editDistance(a, b)).toBe(defined(a, b));
  });
});
