import { describe, expect, it } from 'vitest';
import { LanguageModel, reportModel, reportPage, Seq2Seq, TextTagger } from '../../src/index.js';

const rows = Array.from({ length: 40 }, (_, at) => ({
  tokens: at % 2 === 0 ? ['Ada', 'Byron', 'lives', 'in', 'Rome'] : ['he', 'saw', 'Bob', 'in', 'Paris'],
  tags: at % 2 === 0 ? ['B-PER', 'I-PER', 'O', 'O', 'B-LOC'] : ['O', 'O', 'B-PER', 'O', 'B-LOC'],
}));

describe('a report of another kind of model', () => {
  it('sorts the errors of a tagger', async () => {
    await using model = await TextTagger.train(rows, { epochs: 12, hiddenSize: 16, lr: 0.02, seed: 1 });
    const test = [
      ...rows.slice(0, 10),
      // Found as they were learned, but called otherwise here: borders, label, nothing there.
      { tokens: ['Ada', 'Byron', 'lives', 'in', 'Rome'], tags: ['B-PER', 'O', 'O', 'O', 'B-PER'] },
      { tokens: ['he', 'saw', 'Bob', 'in', 'Paris'], tags: ['O', 'O', 'O', 'O', 'B-LOC'] },
      { tokens: ['he', 'saw', 'Bob', 'in', 'Paris'], tags: ['B-PER', 'O', 'B-PER', 'O', 'B-LOC'] },
    ];
    const report = await reportModel(model, test);
    const evaluation = await model.evaluate(test);
    expect(report.errors).toEqual({ right: 23, label: 1, borders: 1, both: 0, missed: 1, spurious: 1 });
    expect(report.rows).toBe(13);
    expect(report.sentences.map(({ row }) => row).sort()).toEqual([11, 12, 13]);
    expect(report.sentences.find(({ row }) => row === 11)).toEqual({
      row: 11,
      text: 'Ada Byron lives in Rome',
      truth: [
        { start: 0, end: 1, label: 'PER' },
        { start: 4, end: 5, label: 'PER' },
      ],
      predicted: [
        { start: 0, end: 2, label: 'PER' },
        { start: 4, end: 5, label: 'LOC' },
      ],
    });
    expect(report.overall!.f1).toBeCloseTo((2 * 23) / (26 + 26), 12);
    expect(report.accuracy.value).toBeCloseTo(evaluation.accuracy, 12);
    expect(reportPage(report)).toContain('"kind":"tagger"');
    await expect(reportModel(model, test, { labels: true })).rejects.toMatchObject({ option: 'labels' });
  });

  it('has the perplexity of a language model by place', async () => {
    const texts = ['abcabcabc', 'abcabc', 'cab'];
    await using model = await LanguageModel.train(texts, { window: 2, epochs: 8, hiddenSize: 8, seed: 1 });
    const report = await reportModel(model, texts, { seed: 4 });
    expect(report.perplexity).toBe((await model.evaluate(texts)).perplexity);
    expect(report.positions.map(({ from, to, units }) => [from, to, units])).toEqual([
      [1, 1, 3],
      [2, 2, 3],
      [3, 4, 5],
      [5, 8, 6],
      [9, 16, 1],
    ]);
    const scores = await Promise.all(texts.map((text) => model.score(text)));
    const loss = scores.reduce((sum, { logProbabilities }) => sum - logProbabilities[0]!, 0) / 3;
    expect(report.positions[0]!.perplexity).toBeCloseTo(Math.exp(loss), 9);
    expect(report.hardest[0]!.perplexity).toBe(Math.max(...scores.map(({ perplexity }) => perplexity)));
    expect(report.samples.map(({ seed }) => seed)).toEqual([4, 5, 6]);
    expect(reportPage(report)).toContain('"kind":"language"');
  });

  it('has the worst answers of a model of pairs', async () => {
    const pairs = Array.from({ length: 60 }, (_, at) => ({
      source: 'ab'.repeat(1 + (at % 3)),
      target: at % 2 ? 'x' : 'yy',
    }));
    await using model = await Seq2Seq.train(pairs, { epochs: 2, hiddenSize: 8, seed: 1 });
    const test = [
      { source: 'ab', target: 'zzzz' },
      { source: 'abab', target: 'z' },
    ];
    const report = await reportModel(model, test);
    const evaluation = await model.evaluate(test);
    expect(report).toMatchObject({ rows: 2, unitErrorRate: evaluation.unitErrorRate, bleu: evaluation.bleu.score });
    expect(report.worst.map(({ row }) => row).sort()).toEqual([1, 2]);
    expect(report.groupings[0]!.groups.map(({ name, rows: count }) => [name, count])).toEqual([['1 to 5', 2]]);
    expect(reportPage(report)).toContain('"kind":"seq2seq"');
  });
});
