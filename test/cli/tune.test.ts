import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { COLUMNS, COMMAND, recurra } from '../support/cli.js';
import { temporaryFolder } from '../support/folder.js';
import { topicCsv, topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const csv = join(folder, 'rows.csv');
writeFileSync(csv, topicCsv(topicTexts(90)));
const SMALL = ['--embedding-dim', '8', '--hidden-size', '8', '--threads', '1'];

it('shows each trial and the best settings, and saves the model', () => {
  const out = join(folder, 'model');
  const { status, out: shown, err } = recurra(['tune', csv, ...COLUMNS, ...SMALL, '--trials', '3', '--out', out]);
  expect(status).toBe(0);
  expect(err).toMatch(/90 rows, 3 labels/);
  expect(err).toMatch(/rung 1, trial 1: \d+\.\d\d % the linear model alone \(/);
  expect(err).toMatch(/rung 3, trial 2: .* the defaults \(/);
  expect(shown).toMatch(/settings +score +to the defaults +loss +trainings/);
  expect(shown).toMatch(/(the defaults|members 3|the linear model alone) won/);
  expect(shown).toMatch(
    /recurra train --embedding-dim 8 --hidden-size 8 --threads 1.* gives the same model|recurra train .*--no-recurrent/,
  );
  const predicted = recurra(['predict', out, 'cheese soup', '--json']).json();
  expect(predicted[0].label).toBe('food');
});

it('with --json writes JSON lines alone', () => {
  const flags = ['--trials', '2', '--metric', 'f1:tool', '--max-size', '1MB', '--json', '--out', join(folder, 'j')];
  const { status, json } = recurra(['tune', csv, ...COLUMNS, ...SMALL, ...flags]);
  expect(status).toBe(0);
  const lines: { event: string }[] = json();
  expect(lines[0]).toMatchObject({ event: 'start', rows: 90, labels: 3, rungs: [1, 3, 5] });
  expect(lines[1]).toMatchObject({
    event: 'trial',
    trial: 1,
    rung: 1,
    name: 'the linear model alone',
    secondsLeft: null,
  });
  expect(lines.filter(({ event }) => event === 'retrain')).toHaveLength(1);
  expect(lines.at(-1)).toMatchObject({
    event: 'end',
    rows: 90,
    interrupted: false,
    winner: { score: expect.any(Number) },
  });
});

it('saves the best so far at Ctrl-C', async () => {
  const out = join(folder, 'interrupted');
  const run = spawn(process.execPath, [...COMMAND, 'tune', csv, ...COLUMNS, '--minutes', '5', '--out', out]);
  let err = '';
  let sent = false;
  run.stderr.on('data', (data) => {
    err += data;
    if (!sent && err.includes('trial 2')) {
      sent = true;
      run.kill('SIGINT');
    }
  });
  const status = await new Promise((resolve) => run.on('close', resolve));
  expect(status).toBe(130);
  expect(err).toMatch(/stopping; a model of the best settings so far/);
  expect(err).toMatch(/it is saved in .*interrupted \[ABORTED\]/);
  expect(existsSync(out)).toBe(true);
});

it('refuses what it cannot tune', () => {
  const tags = recurra(['tune', 'some.conll']);
  expect([tags.status, tags.err]).toEqual([2, expect.stringContaining('which a tagger learns from; give --task tag')]);
  const size = recurra(['tune', csv, ...COLUMNS, '--max-size', '2 elephants']);
  expect([size.status, size.err]).toEqual([2, expect.stringContaining('Expected a size such as 1.6MB')]);
});
