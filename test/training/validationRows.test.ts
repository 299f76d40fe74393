import { describe, expect, it } from 'vitest';
import { type Row, TextClassifier, type TrainingEvent, type TrainOptions } from '../../src/index.js';
import { topicTexts } from '../support/texts.js';

const SMALL: TrainOptions = { embeddingDim: 8, hiddenSize: 8, epochs: 2, linear: false, seed: 1 };
const faq = (rows: number): Row[] => Array.from({ length: rows }, (_, i) => ({ text: `word${i} a`, label: `l${i}` }));

/** Trains and returns what was warned of the validation rows. */
async function warnings(rows: Row[], options: TrainOptions): Promise<string[]> {
  const events: TrainingEvent[] = [];
  await using _ = await TextClassifier.train(rows, { ...SMALL, ...options, onEvent: (event) => events.push(event) });
  return events.flatMap((event) =>
    event.type === 'warning' && event.about === 'validation' ? [event.error.message] : [],
  );
}

describe('a validation part', () => {
  it('without rows is refused before the training', async () => {
    const events: TrainingEvent[] = [];
    for (const linear of [false, true]) {
      await expect(
        TextClassifier.train(faq(10), { ...SMALL, linear, validation: 0.1, onEvent: (event) => events.push(event) }),
      ).rejects.toMatchObject({
        code: 'EMPTY_DATASET',
        message: expect.stringContaining(
          'a validation share of 0.1 of 10 rows has no rows: each of the 10 labels has one row',
        ),
      });
    }
    await expect(TextClassifier.train(faq(10), { ...SMALL, validation: [] })).rejects.toThrow('no validation rows');
    expect(events.map(({ type }) => type)).toEqual(['end', 'end']);
  });

  it('of few rows, or that lacks labels, is warned of with the numbers', async () => {
    const two: Row = { text: 'word0 b', label: 'l0' };
    expect(await warnings([...faq(6), two], { validation: 0.1 })).toEqual([
      expect.stringMatching(
        /^the validation part has 1 row, too few .*; 5 of 6 labels have no validation row \("l1", "l2", "l3", \.\.\.\), .*: give more rows/,
      ),
    ]);
    const rows = topicTexts(60);
    expect(await warnings(rows, { validation: rows.slice(0, 30).filter(({ label }) => label !== 'tool') })).toEqual([
      expect.stringMatching(/^1 of 3 labels have no validation row \("tool"\)/),
    ]);
    const several = rows.map(({ text, label }) => ({ text, label: [label] }));
    expect(await warnings(several, { multiLabel: true, validation: several.slice(0, 4) })).toEqual([
      expect.stringContaining('the validation part has 4 rows'),
    ]);
  });

  it('that says something is not warned of', async () => {
    expect(await warnings(topicTexts(300), { validation: 0.1 })).toEqual([]);
    expect(await warnings(faq(6), {})).toEqual([]);
  });
});
