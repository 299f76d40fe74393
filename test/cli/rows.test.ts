import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readCsv, TextClassifier } from '../../src/index.js';
import { COLUMNS, recurra, SMALL } from '../support/cli.js';
import { temporaryFolder } from '../support/folder.js';
import { all } from '../support/rows.js';
import { topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);
const texts = topicTexts(400);
const [jan, feb, test, other] = ['jan.csv', 'feb.jsonl', 'test.csv', 'other.csv'].map(path) as [
  string,
  string,
  string,
  string,
];
const model = path('model.safetensors');
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

beforeAll(() => {
  const table = (from: number, to: number, row: (i: number) => string) =>
    texts
      .slice(from, to)
      .map((_, i) => row(from + i))
      .join('\n');
  writeFileSync(jan, `id,body,topic\n${table(0, 200, (i) => `${i},${quoted(texts[i]!.text)},${texts[i]!.label}`)}\n`);
  const objects = texts.slice(200, 360).map(({ text, label }) => JSON.stringify({ topic: label, body: text }));
  writeFileSync(feb, `${objects.join('\n')}\n`);
  writeFileSync(
    test,
    `topic,"the id","body"\n${table(360, 400, (i) => `${texts[i]!.label},"0${i}, ""x""",${quoted(texts[i]!.text)}`)}\n`,
  );
  writeFileSync(other, 'id,message,kind\n1,the dog,animal\n');
  const trained = recurra(['train', jan, feb, ...COLUMNS, ...SMALL, '--out', model, '--json']);
  expect(trained.status).toBe(0);
  expect(trained.json().at(-1)).toMatchObject({ event: 'end', rows: 360, bytes: statSync(model).size });
});

describe('commands with several files', () => {
  it('train, evaluate and inspect all rows', () => {
    const trained = recurra(['train', jan, feb, ...COLUMNS, '--no-recurrent', '--out', path('linear.safetensors')]);
    expect(trained.out).toMatch(/linear\.safetensors \(\d+(\.\d)? [kM]B\): 360 rows, 3 labels/);
    const [measured] = recurra(['evaluate', model, jan, feb, '--json']).json().slice(-1);
    expect(measured).toMatchObject({ rows: 360 });
    const predictions = path('p.jsonl');
    recurra(['evaluate', model, test, feb, '--predictions', predictions]);
    const rows = readFileSync(predictions, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect([rows[39], rows[40]]).toMatchObject([
      { file: test, line: 41 },
      { file: feb, line: 1 },
    ]);
    const inspected = recurra(['inspect', jan, test, '--text', 'body', '--label', 'topic']);
    expect(inspected.out).toMatch(/^240 rows/);
    const copies = path('copies.csv');
    writeFileSync(copies, `body,topic\n${quoted(texts[3]!.text)},${texts[3]!.label}\n`);
    expect(recurra(['inspect', jan, copies, ...COLUMNS]).out).toContain(
      `row 201 in line 2 of ${copies} ["${texts[3]!.label}"] like row 4 in line 5 of ${jan}`,
    );
    expect(
      recurra(['inspect', jan, test, ...COLUMNS, '--json'])
        .json()
        .at(-1),
    ).toMatchObject({ files: [jan, test] });
  });

  it('compare, report and tune on all rows', () => {
    expect(recurra(['compare', model, model, jan, test, '--json']).json().at(-1)).toMatchObject({ rows: 240 });
    const page = path('report.html');
    expect(recurra(['report', model, test, feb, '--out', page]).out).toMatch(/200 rows/);
    const tuned = recurra([
      'tune',
      jan,
      test,
      ...COLUMNS,
      '--trials',
      '2',
      '--out',
      path('tuned.safetensors'),
      '--json',
    ]);
    expect(tuned.json().at(-1)).toMatchObject({ rows: 240, bytes: statSync(path('tuned.safetensors')).size });
    expect(recurra(['evaluate', path('tuned.safetensors'), test]).status).toBe(0);
  });

  it('name the file of an error', () => {
    const { status, err } = recurra(['train', jan, other, ...COLUMNS, '--out', path('none.safetensors')]);
    expect([status, err]).toEqual([
      1,
      expect.stringContaining(`${other}:1: there is no column "body"; there are "id"`),
    ]);
    expect(recurra(['train', jan, jan, ...COLUMNS]).err).toMatch(/jan\.csv is given twice/);
    expect(recurra(['train', jan, model, ...COLUMNS, '--out', model]).err).toMatch(/the file of the rows/);
    expect(recurra(['evaluate', model, test, path('x.conll')]).err).toMatch(/x\.conll contains tokens with tags/);
  });
});

describe('a model', () => {
  it('remembers its columns', () => {
    expect(recurra(['evaluate', model, test, '--json']).json().at(-1)).toMatchObject({ rows: 40 });
    expect(recurra(['predict', model, '--file', test]).out.trim().split('\n')).toHaveLength(40);
    const { status, err } = recurra(['evaluate', model, other]);
    expect(status).toBe(1);
    expect(err).toContain(
      'the model was trained on the text "body" and the label "topic"; name the columns of this file with --text and --label',
    );
    // A flag wins, for one column or for both.
    expect(recurra(['evaluate', model, other, '--text', 'message', '--label', 'kind']).status).toBe(0);
    expect(recurra(['evaluate', model, other, '--text', 'message']).err).toMatch(
      /no column "topic".*name the column of this file with --label \[/,
    );
    expect(recurra(['evaluate', model, test, '--text', 'bdy']).err).not.toMatch(/the model was trained/);
    expect(recurra(['predict', model, '--file', other, '--csv']).err).toMatch(/trained on the text "body"/);
    // Where each line is a text, there are no columns.
    writeFileSync(path('lines.txt'), 'the dog\n');
    expect(recurra(['predict', model, '--file', path('lines.txt')]).out).toMatch(/^animal/);
    const small = path('small.safetensors');
    const compressed = recurra(['compress', model, '--bits', '8', '--out', small, '--eval', test]);
    expect([compressed.status, compressed.out]).toEqual([0, expect.stringMatching(/after: {2}accuracy/)]);
    expect(recurra(['evaluate', small, test]).status).toBe(0);
  });
});

describe('recurra predict with a table of answers', () => {
  it('writes CSV that joins back', async () => {
    const out = path('answers.csv');
    const run = recurra(['predict', model, test, '--out', out, '--keep', 'the id', '--keep', 'topic', '--top-k', '2']);
    expect(run.out).toMatch(/answers\.csv: 40 rows/);
    const lines = readFileSync(out, 'utf8').split('\n');
    expect(lines[0]).toBe('the id,topic,predicted,probability,predicted_2,probability_2');
    expect(lines[1]).toMatch(/^"0360, ""x""",\w+,\w+,0\.\d+,\w+,0\.\d+$/);
    expect(lines).toHaveLength(42);
    const kept = await all(readCsv(out, { text: 'the id', label: 'topic' }));
    expect(kept.map(({ text }) => text)).toEqual(texts.slice(360).map((_, i) => `0${360 + i}, "x"`));
    const loaded = await TextClassifier.load(model);
    const answers = await loaded.predictMany(texts.slice(360).map(({ text }) => text));
    const found = await all(readCsv(out, { text: 'probability', label: 'predicted' }));
    expect(found.map(({ label }) => label)).toEqual(answers.map(({ label }) => label));
    expect(Number(found[0]!.text)).toBeCloseTo(answers[0]!.probability, 5);
    await loaded.close();
    // Nothing else is left in the folder.
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('writes to standard output, with text and line where no column is kept', () => {
    expect(recurra(['predict', model, '--file', test, '--csv', '--keep', '2']).out.split('\n')[0]).toBe(
      'the id,predicted,probability',
    );
    expect(recurra(['predict', model, 'the dog, the "cat"', '--csv']).out).toMatch(
      /^text,predicted,probability\n"the dog, the ""cat""",animal,[\d.]+\n$/,
    );
    expect(recurra(['predict', model, '--csv'], 'the dog\nthe soup\n').out).toMatch(
      /^line,text,predicted,probability\n1,the dog,animal,[\d.]+\n2,the soup,food,[\d.]+\n$/,
    );
    const unsure = recurra(['predict', model, 'the dog', '--csv', '--min-probability', '1']).out;
    expect(unsure).toMatch(/\nthe dog,,0\.\d+\n$/);
    writeFileSync(path('none.csv'), 'body\n');
    const empty = recurra(['predict', model, '--file', path('none.csv'), '--csv', '--keep', 'body', '--bom']);
    expect(empty.out).toBe('\ufeffbody,predicted,probability\n');
  });

  it('writes TSV and JSON lines by the name of the file, and keeps columns in JSON', () => {
    recurra(['predict', model, '--file', test, '--out', path('a.tsv'), '--keep', 'topic']);
    expect(readFileSync(path('a.tsv'), 'utf8')).toMatch(/^topic\tpredicted\tprobability\n\w+\t\w+\t0/);
    recurra(['predict', model, test, feb, '--out', path('a.jsonl'), '--keep', 'topic']);
    const rows = readFileSync(path('a.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(rows).toHaveLength(200);
    expect(rows[40]).toMatchObject({ kept: { topic: texts[200]!.label }, line: 1, text: texts[200]!.text });
    const [event] = recurra(['predict', model, '--file', test, '--json', '--keep', 'the id']).json();
    expect(event).toMatchObject({ event: 'prediction', kept: { 'the id': '0360, "x"' } });
    recurra(['predict', model, test, '--out', path('answers'), '--keep', 'topic']);
    const [first] = readFileSync(join(path('answers'), 'test.csv.jsonl'), 'utf8').split('\n');
    expect(JSON.parse(first!)).toMatchObject({ kept: { topic: texts[360]!.label } });
  });

  it('joins the labels of a text that has several', () => {
    const several = path('several.csv');
    const rows = texts.map(({ text, label }, i) => `${quoted(text)},${i % 2 ? `${label};odd` : label}`);
    writeFileSync(several, `body,topics\n${rows.join('\n')}\n`);
    const out = path('several.safetensors');
    const flags = ['--text', 'body', '--label', 'topics', '--label-separator', ';', '--multi-label', '--no-recurrent'];
    expect(recurra(['train', several, ...flags, '--out', out]).status).toBe(0);
    // The separator is remembered too.
    expect(recurra(['evaluate', out, several]).status).toBe(0);
    const csv = recurra(['predict', out, 'the dog and the horse', '--csv', '--min-probability', '0']).out;
    expect(csv).toMatch(/^text,predicted,probability\nthe dog and the horse,(\w+(;\w+)*)?,([\d.]+(;[\d.]+)*)?\n$/);
  });

  it('leaves an existing file as it is if the work fails', () => {
    const out = path('kept.csv');
    writeFileSync(out, 'old');
    expect(recurra(['predict', model, test, other, '--out', out]).status).toBe(1);
    expect(readFileSync(out, 'utf8')).toBe('old');
    expect(recurra(['predict', model, test, '--out', test]).err).toMatch(/the file of the rows/);
  });

  it.each([
    [['x', '--keep', 'id'], /--keep needs --csv, --json or --out/],
    [['x', '--csv', '--keep', 'id'], /carries over columns of a file; name it with --file/],
    [['--csv', '--json'], /--csv and --json exclude each other/],
    [['--csv', '--out', 'x.csv'], /--csv writes to standard output/],
    [['x', '--bom'], /--bom needs --csv/],
    [['--filter', '--keep', 'id'], /--keep does not apply/],
    [['x.csv', '--out', 'x.csv.gz'], /answers are written uncompressed/],
    [['x.csv', '--out', 'y.csv', '--shard', '1/2'], /--shard needs --out DIR/],
    [['--file', test, '--csv', '--keep', 'ID'], /there is no column "ID"/],
    [['--file', test, '--csv', '--keep', 'id', '--keep', 'predicted'], /there is no column/],
  ])('refuses %j', (flags, message) => {
    const { status, err } = recurra(['predict', model, ...(flags as string[])], '');
    expect(status).toBeGreaterThan(0);
    expect(err).toMatch(message as RegExp);
  });

  it('refuses a kept column with the name of an answer, and other names in a later file', () => {
    writeFileSync(path('own.csv'), 'body,predicted\nthe dog,x\n');
    expect(recurra(['predict', model, '--file', path('own.csv'), '--csv', '--keep', 'predicted']).err).toMatch(
      /the answers have a column "predicted" too/,
    );
    writeFileSync(path('later.csv'), 'key,body,topic\n1,the dog,animal\n');
    const out = path('mixed.csv');
    expect(
      recurra(['predict', model, jan, path('later.csv'), '--text', 'body', '--keep', '1', '--out', out]).err,
    ).toMatch(/other names than in the first file, where one is "id"/);
    expect(existsSync(out)).toBe(false);
  });
});

describe('groups', () => {
  it('are split off as a whole', () => {
    const file = path('grouped.csv');
    const rows = texts.map(({ text, label }, i) => `${quoted(text)},${label},c${i % 40}`);
    writeFileSync(file, `body,topic,customer\n${rows.join('\n')}\n`);
    const flags = [file, ...COLUMNS, '--no-recurrent', '--out', path('grouped.safetensors'), '--group'];
    const trained = recurra(['train', ...flags, 'customer', '--validation', '0.1', '--json']);
    // 40 customers of 10 texts each.
    expect(trained.json().at(-1).rows % 10).toBe(0);
    expect(recurra(['train', ...flags, 'custmer', '--validation', '0.1']).err).toMatch(/did you mean "customer"/);
    expect(recurra(['train', ...flags, 'customer']).err).toMatch(/--group needs --validation with a share/);
    expect(recurra(['train', ...flags, 'body', '--validation', file]).status).toBe(2);
  });

  it('are reported where validation rows are a file with the same texts', () => {
    const { err } = recurra([
      'train',
      jan,
      ...COLUMNS,
      '--no-recurrent',
      '--validation',
      jan,
      '--out',
      path('x.safetensors'),
    ]);
    expect(err).toMatch(/200 of 200 rows of validation have the text of a training row, so the figures are too good/);
  });
});

describe('errors about options', () => {
  it.each([
    [
      ['train', jan, '--hidden-size', '0'],
      'Expected an integer from 1 to 65536 for --hidden-size but received number 0',
    ],
    [['train', jan, '--momentum', '0.9'], "--momentum applies to optimizer 'sgd' only"],
    [['train', jan, '--patience', '2'], '--patience needs validation'],
    [['train', jan, '--min-freq', '2000'], '--min-freq 2000 leaves no word'],
    [['train', jan, '--no-linear', '--no-recurrent'], 'with --no-recurrent only the linear model is left'],
    [['train', jan, '--embedding-words', '5'], '--embedding-words needs embeddings'],
    [['train', jan, '--class-weights', 'tool=0'], 'for --class-weights["tool"] but received'],
    [['train', jan, '--device', 'tpu'], 'for --device but received'],
    [['predict', model, 'x', '--min-probability', '2'], 'for --min-probability but received number 2'],
    [['predict', model, 'x', '--precision', '2'], 'for --precision but received number 2'],
    [['compress', model, '--max-size', '10'], '--max-size: expected at least'],
    [['serve', model, '--port', '100000'], 'for --port but received number 100000'],
    [['evaluate', model, test, '--min-probability', '3'], 'for --min-probability but received number 3'],
    [['explain', model, 'the dog', '--label', 'cats'], 'has no label "cats"'],
  ])('name the flag: %j', (args, message) => {
    const columns = args[0] === 'train' ? [...COLUMNS, '--out', path('none.safetensors')] : [];
    const { status, err } = recurra([...(args as string[]), ...columns]);
    expect(err).toContain(message);
    expect(status).toBeGreaterThan(0);
  });
});
