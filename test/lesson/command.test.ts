import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadLessonData } from '../../examples/lesson/data.js';
import { MODELS } from '../../examples/lesson/models.js';
import { runLesson } from '../../examples/lesson/train.js';
import { temporaryFolder } from '../support/folder.js';

const folder = temporaryFolder();
const data = join(folder, 'ag_news');

// What AG News looks like: label from 1, title, description, quoted; quotation marks doubled, backslashes for line ends.
const WORDS = [
  ['minister', 'border', 'talks', 'troops'],
  ['match', 'coach', 'season', 'goal'],
  ['shares', 'profit', 'oil', 'market'],
  ['software', 'chip', 'internet', 'space'],
];

function rows(count: number): string {
  const lines = Array.from({ length: count }, (_, i) => {
    const label = i % 4;
    const word = (k: number) => WORDS[label]![(i + k) % 4]!;
    const tail = ` ${word(2)}, and more`.repeat(i % 3);
    return `"${label + 1}","${word(0)} on ""${word(1)}""","(AP) The ${word(1)} of ${word(3)}\\and${tail}."`;
  });
  return `${lines.join('\n')}\n`;
}

function lesson(...args: string[]) {
  const { RECURRA_DATA: _, ...env } = process.env;
  const run = spawnSync(process.execPath, ['--import', 'tsx', 'examples/lesson/main.ts', ...args], {
    encoding: 'utf8',
    env,
  });
  return { status: run.status, lines: run.stdout.trim().split('\n'), err: run.stderr };
}

beforeAll(() => {
  mkdirSync(data);
  writeFileSync(join(data, 'train.csv'), rows(3300));
  writeFileSync(join(data, 'test.csv'), rows(40));
});

describe('npm run lesson', () => {
  it.each(['rnn', 'lstm', 'lstm-packed', 'gru'])('trains %s and ends with one JSON object', (network) => {
    const rowsToTake = network === 'rnn' ? [] : ['--rows', '160'];
    const { status, lines, err } = lesson(network, '--data', data, '--seed', '3', ...rowsToTake);
    expect(err).toBe('');
    expect(status).toBe(0);
    const last = JSON.parse(lines.at(-1)!);
    expect(Object.keys(last)).toEqual([
      'model',
      'seed',
      'rows',
      'lossPerSample',
      'trainAccuracy',
      'testAccuracy',
      'seconds',
    ]);
    expect(last).toMatchObject({ model: network, seed: 3, rows: network === 'rnn' ? 3300 : 160 });
    // The sum of the means of batches of 16 over the samples: at first log(4) / 16.
    expect(last.lossPerSample).toBeGreaterThan(0);
    expect(last.lossPerSample).toBeLessThan(0.12);
    expect(lines.at(-2)).toMatch(/^test accuracy [01]\.\d{4} on 40 rows$/);
    if (network === 'rnn') {
      expect(lines.find((line) => line.startsWith('3200: '))).toMatch(/^3200: acc=0\.\d+$/);
      // Its words tell the class; the network finds that out within these batches.
      expect(last.testAccuracy).toBeGreaterThan(0.9);
      expect(last.trainAccuracy).toBeGreaterThan(0.5);
    }
  });

  it('gives the same figures for the same seed, and others for another', async () => {
    const loaded = await loadLessonData(data, 64);
    const train = async (seed: number) => {
      const { seconds: _, ...figures } = await runLesson(MODELS['lstm-packed']!, loaded, { seed, epochs: 2 });
      return figures;
    };
    const first = await train(1);
    expect(await train(1)).toEqual(first);
    expect((await train(2)).lossPerSample).not.toBe(first.lossPerSample);
  });

  it('says where to get AG News when it is not there', () => {
    const { status, err } = lesson('rnn', '--data', join(folder, 'nowhere'));
    expect(status).toBe(1);
    expect(err).toContain(join(folder, 'nowhere'));
    expect(err).toContain('torchtext.datasets.AG_NEWS');
  });

  it.each([
    [['foo'], /expected one of rnn, lstm, lstm-packed, gru, not "foo"/],
    [[], /expected one of/],
    [['rnn', '--seed', '1.5'], /--seed must be a whole number of at least 0, not "1.5"/],
    [['rnn', '--rows', '0'], /--rows must be a whole number of at least 1/],
    [['rnn', '--speed', '9'], /--speed/],
  ])('refuses the arguments %j', (args, message) => {
    const { status, err } = lesson(...args);
    expect(status).toBe(2);
    expect(err).toMatch(message);
    expect(err).toContain('usage: npm run lesson -- rnn|lstm|lstm-packed|gru');
  });
});
