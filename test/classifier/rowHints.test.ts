import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Rows, readCsv, TextClassifier, type TrainingEvent, type TrainOptions } from '../../src/index.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const ALONE: TrainOptions = { recurrent: false };

/** The warnings of a training, as `about: message`. */
async function warnings(rows: Rows, options: TrainOptions): Promise<string[]> {
  const found: string[] = [];
  const onEvent = (event: TrainingEvent) => {
    if (event.type === 'warning') found.push(`${event.about}: ${event.error.message}`);
  };
  await (await TextClassifier.train(rows, { ...options, onEvent })).close();
  return found;
}

describe('rows that may be read otherwise than meant', () => {
  it('are told as warnings of the training: labels that differ in what is hard to see', async () => {
    const labels = ['Billing', 'billing', 'billing\u00a0', 'caf\u00e9', 'cafe\u0301', 'other'];
    const rows = labels.flatMap((label, i) => [0, 1].map((k) => ({ text: `word${i} part${k}`, label })));
    expect(await warnings(rows, ALONE)).toEqual([
      expect.stringMatching(
        /^rows: labels differ only .*: "Billing" \(2 rows\) and "billing" \(2 rows\) and "billing\\u00a0" \(2 rows\); "cafe\\u0301" \(2 rows\) and "café" \(2 rows\)$/,
      ),
    ]);
    expect(await warnings(topicTexts(30), ALONE)).toEqual([]);
  });

  it('text and label that are swapped, and labels of one row each', async () => {
    const rows = topicTexts(60).map(({ label }, i) => ({ text: label, label: `text number ${i}` }));
    expect(await warnings(rows, ALONE)).toContainEqual(
      'rows: there are 60 labels in 60 rows, but only 3 different texts: text and label seem to be swapped',
    );
    const answers = rows.map(({ label }) => ({ text: label, label: `answer ${label}` }));
    expect(await warnings(answers, ALONE)).toContainEqual(
      expect.stringMatching(/60 labels in 60 rows, so that hardly/),
    );
  });

  it('what the reader noted', async () => {
    const file = join(folder, 'head.csv');
    writeFileSync(
      file,
      `text,label\n${topicTexts(9)
        .map(({ text, label }) => `${text} x,${label}\n`)
        .join('')}`,
    );
    expect(await warnings(readCsv(file, { text: 1, label: 2 }), ALONE)).toEqual([
      expect.stringMatching(/^rows: .*head\.csv:1: the first line is read as a row/),
    ]);
  });

  it('frozen vectors that are random', async () => {
    const small = { embeddingDim: 4, hiddenSize: 4, epochs: 1, linear: false };
    const message =
      /^options: freezeEmbeddings \(--freeze-embeddings\) without embeddings, unlabelled or encoder freezes random/;
    expect(await warnings(topicTexts(30), { ...small, freezeEmbeddings: 1 })).toEqual([expect.stringMatching(message)]);
    const learned = { ...small, freezeEmbeddings: 1, unlabelled: ['cat dog', 'soup bread'] };
    expect(await warnings(topicTexts(30), learned)).toEqual([]);
  });
});

describe('options that do nothing', () => {
  it('are told where there is no network: those of the network, and no others', async () => {
    const shared = { seed: 1, threads: 1, classWeights: 'balanced', maxLinearBytes: 10_000 } as const;
    expect(await warnings(topicTexts(30), { ...ALONE, ...shared })).toEqual([]);
    expect(await warnings(topicTexts(30), { ...ALONE, ...shared, hiddenSize: 8, epochs: 2, maxLength: 9 })).toEqual([
      'options: hiddenSize, epochs, maxLength are options of the network, but recurrent: false (--no-recurrent) trains ' +
        'only the linear model: remove them, or train a network',
    ]);
    expect(await warnings(topicTexts(30), { ...ALONE, members: 1 })).toEqual([
      expect.stringMatching(/^options: members is an option of the network, .* remove it/),
    ]);
  });
});

describe('rows that leave nothing to learn', () => {
  it('say how many were left out, and why', async () => {
    const file = join(folder, 'blank.csv');
    writeFileSync(file, 'text,label\na,\nb,\n');
    const rows = readCsv(file, { text: 'text', label: 'label', onBadRow: 'skip' });
    const message =
      /no rows to train on; .*; 2 rows are invalid and were skipped, the first because: .*:2:2: the label is empty/;
    await expect(TextClassifier.train(rows, ALONE)).rejects.toThrow(message);
    using model = await TextClassifier.train(topicTexts(30), ALONE);
    await expect(model.evaluate(rows)).rejects.toThrow(/no rows to evaluate; 2 rows are invalid/);
  });

  it.each([{}, { validation: 0.2 }])('a minFreq that leaves no word is refused with %j', async (options) => {
    const rows = topicTexts(60);
    await expect(TextClassifier.train(rows, { ...options, minFreq: 5_000 })).rejects.toMatchObject({
      option: 'minFreq',
      message: expect.stringMatching(/^minFreq 5000 leaves no word/),
    });
    await (await TextClassifier.train(rows, { ...options, ...ALONE, minFreq: 5_000 })).close();
  });
});

describe('rows by API', () => {
  it('may have labels that are numbers or booleans, written as JSON lines are read', async () => {
    const labels = [1, 2, true, 10n, 0.5, '1'];
    const rows = labels.flatMap((label, i) => [
      { text: `word${i}`, label },
      { text: `word${i} more`, label },
    ]);
    using model = await TextClassifier.train(rows, ALONE);
    expect(model.labels).toEqual(['0.5', '1', '10', '2', 'true']);
    const evaluation = await model.evaluate([{ text: 'word1', label: 2 }]);
    expect(evaluation).toMatchObject({ rows: 1, accuracy: 1 });
    using many = await TextClassifier.train(
      topicTexts(12).map(({ text }, i) => ({ text, label: [i % 2, true] })),
      { ...ALONE, multiLabel: true },
    );
    expect(many.labels).toEqual(['0', '1', 'true']);
  });

  it.each([
    [{ text: 5, label: 'a' }, 'text: number 5, label: string "a"'],
    [{ text: 'a', label: Number.NaN }, 'text: string "a", label: number NaN'],
    [{ text: 'a', label: 2 ** 60 }, 'label: number 11529215046068'],
    [{ text: 'a', label: null }, 'label: null'],
    [{ text: 'a', label: ['b', {}] }, 'label: array of 2 with Object'],
    [{ body: 'a', class: 'b' }, 'found the fields "body", "class"'],
    [{ text: 'a', label: '' }, 'row 1: the label is empty'],
    [{ text: 'a', label: [''] }, 'row 1: the label is empty'],
  ])('%j is refused, with what each field is', async (row, message) => {
    await expect(TextClassifier.train([row as never], ALONE)).rejects.toThrow(message);
  });

  it.each(['error', 'wrong'] as const)(
    'without a label are refused by an evaluation too, with unknownLabels %s',
    async (unknownLabels) => {
      using model = await TextClassifier.train(topicTexts(30), ALONE);
      const rows = [...topicTexts(3), { text: 'a', label: '' }];
      await expect(model.evaluate(rows, { unknownLabels })).rejects.toMatchObject({
        code: 'INVALID_ROW',
        message: expect.stringContaining('row 4: the label is empty'),
      });
    },
  );
});
