import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findDoubtfulRows, inspectRows, type Row, TextClassifier } from '../../src/index.js';
import { adviceOnDoubts } from '../../src/inspection/advice.js';
import { COLUMNS, recurra } from '../support/cli.js';
import { temporaryFolder } from '../support/folder.js';
import { topicCsv, topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);

const ROWS: Row[] = [
  { text: 'Where is my card, please?', label: 'card' },
  { text: 'where  is my card, PLEASE?', label: 'card' },
  { text: 'Where is my card please', label: 'Card ' },
  { text: 'Where is my card, please?', label: 'loan' },
  { text: ' \n', label: 'loan' },
  { text: 'I would like to borrow some money for a new house in the country', label: 'loan' },
];

it('finds what is wrong with rows, and says what to do', async () => {
  const found = await inspectRows(ROWS, {
    maxLength: 10,
    against: [
      { text: 'WHERE IS MY CARD, PLEASE?', label: 'card' },
      { text: 'I would like to borrow some money for a new house in the countryside', label: 'house' },
      { text: 'something else', label: 'card' },
    ],
  });
  expect(found).toMatchObject({ rows: 6, distinctTexts: 3, tokenizer: 'basic_english' });
  expect(found.labels!.counts.map(({ label, rows }) => [label, rows])).toEqual([
    ['loan', 3],
    ['card', 2],
    ['Card ', 1],
  ]);
  expect(found.labels!.similar).toEqual([['card', 'Card ']]);
  expect(found.labels!.imbalance).toBe(3);
  expect(found.duplicates.examples.map(({ row, first, firstLabels }) => [row, first, firstLabels])).toEqual([
    [2, 1, undefined],
    [4, 1, ['card']],
  ]);
  expect(found.conflicts.rows).toBe(1);
  expect(found.nearDuplicates).toMatchObject({ rows: 1, comparedWith: 3 });
  expect(found.nearDuplicates.examples[0]).toMatchObject({ row: 3, other: 1, similarity: 1 });
  expect([found.emptyTexts.rows, found.longTexts.rows]).toEqual([1, 1]);
  expect(found.longTexts.examples[0]!.row).toBe(6);
  expect(found.characters).toMatchObject({ min: 2, max: 64 });
  expect(found.scripts).toEqual([{ name: 'Latin', share: 1 }]);
  expect(found.languages).toEqual([{ name: 'English', share: 1 }]);
  expect(found.against).toMatchObject({
    rows: 3,
    repeated: { rows: 1 },
    resembling: { rows: 1 },
    unknownLabels: ['house'],
  });
  expect(found.advice.map(({ about }) => about)).toEqual([
    'against',
    'against',
    'labels',
    'similarLabels',
    'conflicts',
    'duplicates',
    'emptyTexts',
    'longTexts',
    'rows',
  ]);
  expect(found.advice[2]!.message).toBe(
    '3 labels have fewer than 10 rows: "loan", "card", "Card ". Collect more rows of them, or merge them with others.',
  );
});

it('takes texts alone, in any script, and looks up words in a file of vectors', async () => {
  writeFileSync(path('few.vec'), '2 2\n猫 1 2\n狗 3 4\n');
  const rows = [{ text: '猫和狗' }, { text: '猫在这里睡觉' }];
  const found = await inspectRows(rows, { embeddings: path('few.vec'), nearRows: 0 });
  expect(found.labels).toBeUndefined();
  expect(found.tokenizer).toBe('unicode_words');
  expect(found.scripts[0]).toEqual({ name: 'Han', share: 1 });
  expect(found.coverage).toMatchObject({ found: 2, fileWords: 2 });
  expect(found.coverage!.tokensCovered).toBeGreaterThan(0.3);
  expect(found.nearDuplicates).toMatchObject({ rows: 0, comparedWith: 0 });
  expect(found.advice.map(({ about }) => about)).toEqual(['coverage']);
});

it('shows both rows of a pair, with their labels if they differ', async () => {
  const rows = [
    { text: 'I would like to borrow some money for a new House in the country', label: 'loan', line: 2 },
    { text: 'I would like to borrow some money for a new house in that country', label: 'house', line: 5 },
    { text: 'i would like to borrow some money for a new house in this country', label: 'loan' },
  ];
  const { examples } = (await inspectRows(rows, { similarity: 0.5 })).nearDuplicates;
  expect(examples.map(({ row, other, otherLine, otherText }) => [row, other, otherLine, otherText])).toEqual([
    [2, 1, 2, rows[0]!.text],
    [3, 1, 2, rows[0]!.text],
  ]);
  expect(examples.map(({ otherLabels }) => otherLabels)).toEqual([['loan'], undefined]);
});

it('does not take a misspelt label for a text without one', async () => {
  for (const field of ['labels', 'Label', 'labell']) {
    await expect(inspectRows([{ text: 'a', [field]: 'x' }] as never), field).rejects.toThrow(
      `found the fields "text", "${field}"; rename "${field}" to "label"`,
    );
  }
  const { labels } = await inspectRows([{ text: 'a', channel: 'x' }] as never);
  expect(labels).toBeUndefined();
  await expect(TextClassifier.train([{ text: 'a', labels: 'x' }] as never)).rejects.toThrow(
    /rename "labels" to "label"/,
  );
});

it('says where a row is none, that there are none, and stops when it is told', async () => {
  const bad = [{ text: 'a', label: 'x' }, { text: 1, label: 'x', line: 7 } as never];
  await expect(inspectRows(bad)).rejects.toMatchObject({ code: 'INVALID_ROW', line: 7 });
  await expect(inspectRows([{ text: 'a' }], { against: [{} as never] })).rejects.toThrow(/row 1: expected/);
  await expect(inspectRows(['a b'] as never)).rejects.toThrow(/row 1: expected .* but found string "a b"$/);
  await expect(inspectRows([])).rejects.toMatchObject({ code: 'EMPTY_DATASET' });
  await expect(inspectRows('rows.csv' as never)).rejects.toThrow(/Expected rows: an array/);
  await expect(inspectRows([{ text: 'a' }], { similarity: 0 })).rejects.toMatchObject({ option: 'similarity' });
  await expect(inspectRows([{ text: 'a' }], { examplse: 3 } as never)).rejects.toThrow(/examples/);
  await expect(inspectRows([{ text: 'a' }], { signal: AbortSignal.abort() })).rejects.toMatchObject({
    code: 'ABORTED',
  });
});

it('finds labels that were changed, by models that have not seen them', async () => {
  const rows = topicTexts(300).map((row) => ({ ...row }));
  const changed = [10, 50, 131, 200];
  for (const row of changed) rows[row]!.label = rows[row]!.label === 'food' ? 'tool' : 'food';
  const parts: number[] = [];
  const found = await findDoubtfulRows(rows, { folds: 4, onProgress: ({ fold }) => parts.push(fold) });
  expect(parts).toEqual([0, 1, 2, 3, 4]);
  // The text of the fourth is "steel for": one word says little, so no model is sure of it.
  expect(found.map(({ row }) => row - 1)).toEqual([200, 10, 50]);
  const clean = topicTexts(300);
  for (const { row, suggested, probability, suggestedProbability } of found) {
    expect(suggested).toBe(clean[row - 1]!.label);
    expect(probability).toBeLessThan(suggestedProbability);
  }
  await expect(findDoubtfulRows([{ text: 'a', label: ['x', 'y'] }])).rejects.toMatchObject({ code: 'INVALID_ROW' });
  await expect(findDoubtfulRows([{ text: 'a', label: 'x' }])).rejects.toThrow(/the same label/);
});

it('refuses rows whose labels cannot be judged, and stops when it is told', async () => {
  const rows = topicTexts(30).filter(({ label }) => label === 'food');
  const search = (more: readonly Row[]) => findDoubtfulRows([...rows, ...more]);
  await expect(search([{ text: 'a saw', label: 'tool' }])).rejects.toThrow(/two labels need two rows .* here one has$/);
  const single = [...rows.slice(0, 1), { text: 'a saw', label: 'tool' }];
  await expect(findDoubtfulRows(single)).rejects.toThrow(/here none has$/);
  await expect(search([{ text: 'a', label: ['x', 'y'], line: 30 }])).rejects.toThrow(
    /^30: expected a text and exactly one label/,
  );
  const stop = new AbortController();
  const { signal } = stop;
  const stopped = findDoubtfulRows(topicTexts(60), { signal, onProgress: ({ fold }) => fold === 1 && stop.abort() });
  await expect(stopped).rejects.toMatchObject({
    name: 'RecurraError',
    code: 'ABORTED',
    message: 'the search for doubtful labels was aborted',
  });
});

it('writes one row, one label and one text as such', () => {
  writeFileSync(path('one.csv'), 'body,topic\na saw,tool\n');
  const { out } = recurra(['inspect', path('one.csv'), ...COLUMNS]);
  expect(out).toMatch(/^1 row, 1 different text\n\n1 label \(/);
});

it('lists all rows of a finding if asked to', () => {
  const repeated = Array.from({ length: 9 }, (_, i) => ({ text: `where is my new card number ${i}`, label: 'card' }));
  writeFileSync(path('near.csv'), topicCsv(repeated));
  const few = recurra(['inspect', path('near.csv'), ...COLUMNS]).out;
  expect(few).toMatch(
    / {2}row 2 in line 3 \["card"\] like row 1, [\d.]+ %: where is my new card number 1\n {4}row 1 in line 2: where is my new card number 0\n/,
  );
  expect(few).toContain('  and 3 more; --all shows them\n');
  const all = recurra(['inspect', path('near.csv'), ...COLUMNS, '--all']).out;
  expect(all).toContain('where is my new card number 8');
  expect(all).not.toContain('--all');
  expect(recurra(['inspect', path('near.csv'), '--text', 'body']).out).toContain('\nno labels were read: give --label');
  const both = recurra(['inspect', path('near.csv'), ...COLUMNS, '--all', '--examples', '7']);
  expect([both.status, both.err]).toEqual([2, expect.stringMatching(/--all and --examples exclude each other/)]);
});

it('is a command, whose findings are also data', () => {
  const csv = topicCsv(topicTexts(120));
  writeFileSync(path('rows.csv'), csv);
  writeFileSync(path('test.csv'), topicCsv(topicTexts(120).slice(0, 2)));
  const both = ['inspect', path('rows.csv'), ...COLUMNS, '--against', path('test.csv')];
  const run = recurra([...both, '--labels', '--folds', '2', '--threads', '1']);
  expect(run.err).toMatch(/judging part 2 of 2/);
  expect(run.status).toBe(0);
  expect(run.out).toMatch(/3 labels \(evenness 1\.00\)\n {2}animal +40 +33\.33 %/);
  expect(run.out).toMatch(
    /in the test file and here: 2 rows\n {2}row 1 in line 2 of .*test\.csv .* like row 1 in line 2 of .*rows\.csv: /,
  );
  const json = recurra([...both, '--json'])
    .json()
    .at(-1);
  expect(json).toMatchObject({ event: 'end', rows: 120, against: { repeated: { rows: 2 }, file: path('test.csv') } });
  expect(json.against.repeated.examples[1]).toMatchObject({ line: 3, first: 2, firstLine: 3 });
  expect(json.advice[0]).toMatchObject({ about: 'against' });
  expect(
    recurra(['inspect', path('rows.csv'), '--text', 'body', '--json'])
      .json()
      .at(-1).labels,
  ).toBeUndefined();

  const refused = (args: string[], message: RegExp) => {
    const failed = recurra(['inspect', ...args]);
    expect(failed.err).toMatch(message);
    expect(failed.status).toBe(2);
  };
  refused([path('rows.csv'), '--text', 'body', '--labels'], /give --label to say where they are/);
  refused([path('rows.csv'), ...COLUMNS, '--folds', '3'], /--folds applies to --labels only/);
  refused(['names.conll'], /names\.conll contains tokens with tags, which cannot be inspected; give a file of texts/);
  refused(['-', ...COLUMNS, '--labels'], /reads the rows twice/);
  refused(['-', ...COLUMNS, '--against', '-'], /cannot both be standard input/);
});

it('lists bad rows and empty columns, and goes on', () => {
  const file = path('bad.csv');
  writeFileSync(file, 'topic,body,note\ntool,a saw,\n,a cat,x\nfood,a pie,\nfood\n');
  const args = ['inspect', file, '--text', 'body', '--text', 'note', '--label', 'topic'];
  const { status, out } = recurra(args);
  expect(status).toBe(0);
  expect(out).toContain(`bad rows, which are left out here: 2 rows\n  ${file}:3:1: the label is empty\n`);
  expect(out).toContain('empty columns: "note" in 2 rows\n');
  expect(out).toContain('2 rows are bad, and training stops at the first.');
  const end = recurra([...args, '--json'])
    .json()
    .at(-1);
  expect(end).toMatchObject({ badRows: { rows: 2 }, emptyCells: [{ column: 'note', rows: 2 }] });
});

it('says what to do about doubtful labels', () => {
  expect(adviceOnDoubts(0)).toEqual([]);
  expect(adviceOnDoubts(1)[0]).toMatchObject({
    about: 'doubtfulLabels',
    message: expect.stringMatching(/^1 row probably has a wrong label\. Read it /),
  });
});
