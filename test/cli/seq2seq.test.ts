import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Seq2Seq } from '../../src/index.js';
import { recurra } from '../support/cli.js';
import { temporaryFolder } from '../support/folder.js';
import { numberPairs } from '../support/numbers.js';

const folder = temporaryFolder();
const [csv, model] = ['numbers.csv', 'model'].map((name) => join(folder, name)) as [string, string];
const SMALL = [
  '--embedding-dim',
  '32',
  '--hidden-size',
  '32',
  '--batch-size',
  '8',
  '--lr',
  '0.005',
  '--dropout',
  '0.1',
];

beforeAll(() => {
  const rows = numberPairs(240).map(({ source, target }) => `${source},${target}\n`);
  writeFileSync(csv, `digits,words\n${rows.join('')}`);
  const columns = ['--source', 'digits', '--target', 'words', '--target-units', 'tokens'];
  const rest = ['--epochs', '20', '--validation', '0.1', '--out', model];
  const { status, err, out } = recurra(['train', csv, '--task', 'seq2seq', ...columns, ...SMALL, ...rest]);
  expect(err).toMatch(/epoch 20\/20: loss .*validation loss [\d.]+, accuracy \d+\.\d+ %, unit errors [\d.]+ %/);
  expect(status).toBe(0);
  expect(out).toMatch(
    /: 21\d pairs, 12 different source units, 12 target units, epoch \d+ of 20 kept \(the fewest unit errors on validation\), .*accuracy/,
  );
});

describe('the command line for models of pairs', () => {
  it('answers a file into a folder, and objects in a pipe', () => {
    const texts = join(folder, 'digits.txt');
    const out = join(folder, 'answers');
    writeFileSync(texts, '123\n\n456\n');
    expect(recurra(['predict', model, texts, '--beam-size', '2', '--out', out]).out).toMatch(/: 1 file, 3 rows, /);
    const lines = readFileSync(join(out, 'digits.txt.jsonl'), 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { source: '123', line: 1, text: 'one two three' },
      { source: '', line: 2, text: '' },
      { source: '456', line: 3, text: 'four five six' },
    ]);
    const piped = recurra(
      ['predict', model, '--filter', '--text', 'n', '--beam-size', '4', '--n-best', '2'],
      '{"n":407}',
    ).json();
    expect(piped).toMatchObject([{ n: 407, prediction: { text: 'four zero seven' } }]);
    expect(piped[0].prediction.candidates).toHaveLength(2);
  });

  it('writes what belongs to texts of arguments, files and standard input', () => {
    expect(recurra(['predict', model, '407', '999'])).toMatchObject({
      status: 0,
      err: '',
      out: 'four zero seven\nnine nine nine\n',
    });
    expect(recurra(['predict', model], '123\n\n456\n').out).toBe('one two three\n\nfour five six\n');
    const best = recurra(['predict', model, '407', '--beam-size', '4', '--n-best', '2']).out.split('\n');
    expect(best.length).toBe(3);
    expect(best[0]).toMatch(/^1\t-\d\.\d{4}\tfour zero seven$/);
    expect(best[1]).toMatch(/^2\t-\d+\.\d{4}\t/);
    const [line] = recurra(['predict', model, '407', '--alignments', '--json']).json();
    expect(line).toMatchObject({ event: 'prediction', source: '407', text: 'four zero seven', knownUnits: 3 });
    expect(line.candidates[0].alignments.map((row: number[]) => row.length)).toEqual([3, 3, 3]);
  });

  it('reads the sources of a table by either name', () => {
    const table = join(folder, 'sources.csv');
    writeFileSync(table, 'digits,words\n407,four zero seven\n');
    for (const flag of ['--source', '--text'])
      expect(recurra(['predict', model, '--file', table, flag, 'digits']).out).toBe('four zero seven\n');
    const both = recurra(['predict', model, '--file', table, '--source', 'digits', '--text', 'digits']);
    expect([both.status, both.err]).toEqual([2, expect.stringMatching(/name the same column here; give one of them/)]);
    const neither = recurra(['predict', model, '--file', table]);
    // The model remembers its columns.
    expect([neither.status, neither.out]).toEqual([0, 'four zero seven\n']);
  });

  it('measures a model on a file', async () => {
    const held = join(folder, 'held.tsv');
    writeFileSync(held, '407\tfour zero seven\n12\tonce two\n12\tone two\n');
    const { status, out } = recurra(['evaluate', model, held, '--source', '1', '--target', '2', '--beam-size', '3']);
    expect(status).toBe(0);
    expect(out).toMatch(/^2 sources, 100\.00 % answered right \(0\.00 % wrong\)\n0 edits in 5 units, 0\.00 %\nBLEU /);
    const file = join(folder, 'predictions');
    const columns = ['--source', '1', '--target', '2', '--predictions', file];
    const [end] = recurra(['evaluate', model, held, ...columns, '--json']).json();
    const loaded = await Seq2Seq.load(model);
    const rows = [
      { source: '407', target: 'four zero seven' },
      { source: '12', target: 'once two', references: ['one two'] },
    ];
    expect(end).toMatchObject({ event: 'end', skipped: 0, ...(await loaded.evaluate(rows)) });
    await loaded.close();
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { source: '407', right: true },
      { source: '12', text: 'one two', references: ['once two', 'one two'], right: true },
    ]);
  });

  it('refuses what does not fit', () => {
    const refused = (args: string[], message: RegExp) =>
      expect(recurra(args)).toMatchObject({ status: 2, err: expect.stringMatching(message) });
    refused(['train', csv, '--task', 'seq2seq', '--pooling', 'max'], /--pooling does not apply to --task seq2seq/);
    refused(['train', csv, '--task', 'seq2seq', '--text', 'a'], /--text does not apply to --task seq2seq/);
    refused(['train', csv, '--text', 'a', '--label', 'b', '--attention', 'luong'], /--attention does not apply/);
    refused(['predict', model, '1', '--n-best', '2'], /at most --beam-size, 1, for --n-best/);
    refused(['predict', model, '1', '--alignments'], /--alignments needs --json/);
    refused(['explain', model, '1'], /works with models of kind "classifier"/);
    refused(['evaluate', model, csv, '--label', 'b'], /--label does not apply to a model of pairs/);
    const { status, err } = recurra(['train', csv, '--task', 'seq2seq', '--out', join(folder, 'none')]);
    expect([status, err]).toEqual([1, expect.stringMatching(/there is no column "source".*\[MISSING_COLUMN\]/s)]);
  });
});
