import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { COLUMNS, COMMAND, recurra, SMALL, trainedModel } from '../support/cli.js';

const { folder, csv, model } = trainedModel();
const at = (name: string) => join(folder, name);

it.each([
  ['--out', csv],
  ['--checkpoint', csv],
  ['--tensorboard', csv],
  ['--embeddings', '%', '--out', '%'],
  ['--validation', '%', '--out', '%'],
  ['--tokenizer', '%.json', '--out', '%.json'],
])('a training does not write over what it reads: %s', (...flags) => {
  for (const name of ['input', 'input.json']) writeFileSync(at(name), 'precious');
  const content = readFileSync(csv, 'utf8');
  const run = recurra(['train', csv, ...COLUMNS, ...flags.map((flag) => flag.replace('%', at('input')))]);
  expect([run.status, run.err]).toEqual([2, expect.stringMatching(/ would overwrite the file of /)]);
  expect([readFileSync(csv, 'utf8'), readFileSync(at('input'), 'utf8')]).toEqual([content, 'precious']);
});

it('standard input may be a file too', () => {
  const stdin = openSync(csv, 'r');
  const args = [...COMMAND, 'train', '-', ...COLUMNS, '--out', csv];
  const run = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: [stdin, 'pipe', 'pipe'] });
  closeSync(stdin);
  expect([run.status, run.stderr]).toEqual([2, expect.stringContaining('would overwrite the file of the rows')]);
});

it.each([csv, model])('an evaluation neither: %s', (file) => {
  const run = recurra(['evaluate', model, csv, ...COLUMNS, '--predictions', file]);
  expect([run.status, run.err]).toEqual([2, expect.stringContaining('would overwrite')]);
});

it('what cannot be written is found before the rows are read', () => {
  for (const out of ['', '/dev/null', 'x'.repeat(300), at('none/model')]) {
    const run = recurra(['train', at('none.csv'), ...COLUMNS, ...SMALL, '--out', out]);
    expect([run.status, run.out]).toEqual([out === '' ? 2 : 1, '']);
    expect(run.err).toMatch(
      out === '' ? /Expected the path of a file for --out/ : /the model cannot be written to .*\[IO\]/,
    );
  }
});
