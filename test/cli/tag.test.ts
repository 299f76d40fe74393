import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { tokensInText } from '../../src/index.js';
import { recurra } from '../support/cli.js';
import { temporaryFolder } from '../support/folder.js';
import { placeRows } from '../support/places.js';

const folder = temporaryFolder();
const [jsonl, conll, model] = ['rows.jsonl', 'rows.conll', 'model'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
const SMALL = ['--embedding-dim', '16', '--hidden-size', '16', '--lr', '0.02', '--seed', '1', '--subwords', '500'];
const rows = placeRows(120);

beforeAll(() => {
  writeFileSync(jsonl, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const sentences = rows.map(({ text, spans }) =>
    tokensInText(text).map(({ token, start }) => {
      const span = spans.find((each) => start >= each.start && start < each.end);
      return `${token} x ${span === undefined ? 'O' : `${start === span.start ? 'B' : 'I'}-${span.label}`}\n`;
    }),
  );
  writeFileSync(conll, sentences.map((lines) => `${lines.join('')}\n`).join(''));
  const args = ['train', conll, '--task', 'tag', ...SMALL, '--epochs', '8', '--validation', jsonl, '--out', model];
  const { status, err, out } = recurra(args);
  expect(err).toMatch(/epoch 8\/8: loss .*validation loss [\d.]+, accuracy [\d.]+ %, F1 [\d.]+ %/);
  expect(status).toBe(0);
  expect(out).toMatch(/: 120 rows, 2 labels, epoch \d of 8 kept \(the best F1 on validation\), .*F1/);
});

describe('the command line for taggers', () => {
  it('measures on files of either kind', () => {
    const plain = recurra(['evaluate', model, conll]);
    expect(plain.err).toBe('');
    expect(plain.out).toMatch(/LOC .*120\n.*micro average/s);
    expect(plain.out).toMatch(/120 sentences, \d+ tokens, token accuracy [\d.]+ %, F1 [\d.]+ %, calibration error/);
    const predictions = join(folder, 'predictions.jsonl');
    const json = recurra(['evaluate', model, jsonl, '--json', '--predictions', predictions]).json().at(-1);
    expect(json).toMatchObject({ event: 'end', scheme: 'IOB2', sentences: 120, labels: ['LOC', 'PER'] });
    expect(json.microAverage.f1).toBeGreaterThan(0.9);
    const [first] = readFileSync(predictions, 'utf8').split('\n');
    expect(JSON.parse(first!)).toMatchObject({ tags: expect.any(Array), predicted: expect.any(Array) });
  });

  it('answers files of either kind into a folder, and objects with a text or tokens in a pipe', () => {
    const out = join(folder, 'answers');
    expect(recurra(['predict', model, jsonl, conll, '--out', out]).out).toMatch(/: 2 files, 240 rows, /);
    const answers = ['rows.jsonl', 'rows.conll'].map((name) =>
      readFileSync(join(out, `${name}.jsonl`), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );
    expect(answers[0]!.map(({ text }) => text)).toEqual(rows.map(({ text }) => text));
    expect(answers[0]!.map(({ tags }) => tags)).toEqual(answers[1]!.map(({ tags }) => tags));
    const piped = recurra(
      ['predict', model, '--filter'],
      '{"text":"In New York"}\n{"id":1,"tokens":["Bob","runs"]}\n',
    ).json();
    expect(piped).toMatchObject([
      { prediction: { tags: ['O', 'B-LOC', 'I-LOC'] } },
      { id: 1, prediction: { tags: ['B-PER', 'O'] } },
    ]);
  });

  it('gives spans as JSON lines, and in brackets for people', () => {
    const text = 'In New York, 😀 Bob  likes it';
    const [answer] = recurra(['predict', model, text, '--json']).json();
    expect(answer).toMatchObject({ event: 'prediction', text });
    expect(
      answer.spans.map(({ start, end, label }: { start: number; end: number; label: string }) => [
        text.slice(start, end),
        label,
      ]),
    ).toEqual([
      ['New York', 'LOC'],
      ['Bob', 'PER'],
    ]);
    const { out } = recurra(['predict', model], `${text}\n\nEve lives in Rome.\n`);
    expect(out).toMatch(/^In \[New York\]\(LOC [\d.]+ %\), 😀 \[Bob\]\(PER [\d.]+ %\) {2}likes it\n\n\[Eve\]\(PER/);
  });

  it('gives a file of tokens its tags as a column more', () => {
    const file = join(folder, 'some.conll');
    writeFileSync(file, '# a remark\r\n-DOCSTART- -X-\n\nBob x\nlives x\nin x\nRome x\n\n\nEve x');
    const { out, status } = recurra(['predict', model, '--file', file]);
    expect(status).toBe(0);
    expect(out).toBe('# a remark\n-DOCSTART- -X-\n\nBob x B-PER\nlives x O\nin x O\nRome x B-LOC\n\n\nEve x B-PER\n');
    const sentences = recurra(['predict', model, '--file', file, '--json']).json();
    expect(sentences).toMatchObject([
      { event: 'prediction', tokens: ['Bob', 'lives', 'in', 'Rome'], tags: ['B-PER', 'O', 'O', 'B-LOC'] },
      { event: 'prediction', tokens: ['Eve'], tags: ['B-PER'] },
    ]);
    const tabs = join(folder, 'some.conllu');
    writeFileSync(tabs, '# id\n1-2\tInRome\n1\tIn\n2\tRome\n\n');
    expect(recurra(['predict', model, '--file', tabs]).out).toBe('# id\n1-2\tInRome\t_\n1\tIn\tO\n2\tRome\tB-LOC\n\n');
  });

  it('reads JSON lines of tokens, with tags and without', () => {
    const [tagged, tokens] = ['tagged.jsonl', 'tokens.jsonl'].map((name) => join(folder, name)) as [string, string];
    const sentence = { tokens: ['Eve', 'lives', 'in', 'New', 'York'], tags: ['B-PER', 'O', 'O', 'B-LOC', 'I-LOC'] };
    const lines = [sentence, { text: 'Bob', spans: [{ start: 0, end: 3, label: 'PER' }] }, sentence];
    writeFileSync(tagged, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const measured = recurra(['evaluate', model, tagged, '--json']).json().at(-1);
    expect(measured).toMatchObject({ event: 'end', sentences: 3, tokens: 11 });
    const trained = recurra(['train', tagged, '--task', 'tag', ...SMALL, '--epochs', '1', '--out', join(folder, 'm')]);
    expect(trained.out).toMatch(/: 3 rows, 2 labels/);
    writeFileSync(tokens, `{"tokens":${JSON.stringify(sentence.tokens)}}\n\n{"text":"Bob  likes it"}\n{"tokens":[]}`);
    const answers = recurra(['predict', model, '--file', tokens, '--json']).json();
    expect(answers.map(({ line, text, tags }) => [line, text, tags])).toEqual([
      [1, undefined, sentence.tags],
      [3, 'Bob  likes it', ['B-PER', 'O', 'O']],
      [4, undefined, []],
    ]);
    const { out } = recurra(['predict', model, '--format', 'jsonl'], readFileSync(tokens, 'utf8'));
    expect(out).toMatch(
      /^\[Eve\]\(PER [\d.]+ %\) lives in \[New York\]\(LOC [\d.]+ %\)\n\[Bob\]\(PER [\d.]+ %\) {2}likes it\n\n$/,
    );
    writeFileSync(tagged, '{"tokens":["a","b"],"tags":["O"]}\n');
    const refused = recurra(['evaluate', model, tagged]);
    expect(refused.err).toMatch(/tagged\.jsonl:1: there are 2 tokens and 1 tags; expected a tag for each token/);
    expect(recurra(['predict', model, 'Bob', '--top-k', '2'])).toMatchObject({
      status: 2,
      err: expect.stringContaining('--top-k does not apply to a tagger'),
    });
  });

  it.each([
    [
      ['train', conll, '--task', 'tag', '--format', 'csv'],
      2,
      /a file of tags is written as conll, conllu, spans or jsonl, not as csv/,
    ],
    [['train', conll, '--task', 'tag', '--tag', '9'], 1, /there is no column 9.*\[MISSING_COLUMN\]/],
    [['train', conll, '--task', 'tag', '--tag', '1'], 1, /token and tag are both column 1/],
    [['train', conll, '--task', 'tag', '--scheme', 'none', '--decoder', 'hmm'], 2, /Allowed choices are crf, softmax/],
    [['evaluate', model, conll, '--label', 'x'], 2, /--label does not apply to a file of tags/],
    [['train', 'rows.csv', '--task', 'tag'], 2, /rows\.csv is a table of texts by its name, but a tagger needs/],
    [['predict', model, '--file', conll, '--text', '2'], 2, /rows\.conll has one token per line, so --text does not/],
    [['explain', model, 'Bob'], 2, /recurra explain works with models of kind "classifier"/],
  ])('refuses %j', (args, status, message) => {
    const run = recurra(args);
    expect(run.err).toMatch(message);
    expect(run.status).toBe(status);
  });
});
