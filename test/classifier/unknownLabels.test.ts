import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EvaluatedRow, TextClassifier } from '../../src/index.js';
import { topicTexts } from '../support/texts.js';

const rows = [
  ...topicTexts(9_000).map((row, i) => ({ ...row, line: i + 2 })),
  { text: 'milk', label: 'drink', line: 9_002 },
  { text: 'tea', label: 'drink', line: 9_003 },
  { text: 'grass', label: 'plant', line: 9_004 },
];

describe('evaluation of labels that the model does not have', () => {
  let model: TextClassifier;
  beforeAll(async () => {
    model = await TextClassifier.train(topicTexts(90), { recurrent: false });
  });
  afterAll(() => model.close());

  it.each(['an array', 'an async generator'])('lists all of them with their rows, from %s', async (kind) => {
    const source = async function* () {
      yield* rows;
    };
    await expect(model.evaluate(kind === 'an array' ? rows : source())).rejects.toMatchObject({
      code: 'UNKNOWN_LABEL',
      line: 9_002,
      message: expect.stringMatching(
        /^9002: 3 of 9,003 rows have an unknown label: "drink" \(2 rows, first line 9002\), "plant" \(1 row, first line 9004\); the known ones are "animal", "food", "tool"; unknownLabels: 'wrong' \(--unknown-labels wrong\)/,
      ),
    });
  });

  it('counts them as wrong by option', async () => {
    const told: EvaluatedRow[] = [];
    const onPrediction = (row: EvaluatedRow) => {
      told.push(row);
    };
    const known = await model.evaluate(rows.slice(0, 9_000));
    const all = await model.evaluate(rows, { unknownLabels: 'wrong', onPrediction });
    expect(all.rows).toBe(9_003);
    expect(all.labels).toEqual(['animal', 'food', 'tool', 'drink', 'plant']);
    expect(all.accuracy).toBeCloseTo((known.accuracy * 9_000) / 9_003, 12);
    expect(all.perLabel.slice(3)).toMatchObject([
      { label: 'drink', recall: 0, support: 2, predicted: 0 },
      { label: 'plant', recall: 0, support: 1, predicted: 0 },
    ]);
    expect(told.at(-1)).toMatchObject({ text: 'grass', label: 'plant', line: 9_004 });
    await expect(model.evaluate(rows, { unknownLabels: 'skip' as never })).rejects.toThrow(/'error' or 'wrong'/);
  });

  it('also of a model of several labels', async () => {
    const several = topicTexts(90).map(({ text, label }) => ({ text, label: [label] }));
    using many = await TextClassifier.train(several, { recurrent: false, multiLabel: true });
    const mixed = [...several, { text: 'milk', label: ['drink', 'food'] }];
    await expect(many.evaluate(mixed)).rejects.toThrow(
      /1 of 91 rows has an unknown label: "drink" \(1 row, first row 91\)/,
    );
    const told: EvaluatedRow[] = [];
    const onPrediction = (row: EvaluatedRow) => {
      told.push(row);
    };
    const evaluation = await many.evaluate(mixed, { unknownLabels: 'wrong', onPrediction });
    expect(evaluation.labels).toEqual(['animal', 'food', 'tool', 'drink']);
    expect(evaluation.perLabel[3]).toMatchObject({ support: 1, predicted: 0, recall: 0, averagePrecision: 1 / 91 });
    expect(told.at(-1)!.label).toEqual(['food', 'drink']);
  });
});
