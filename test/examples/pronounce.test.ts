import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { aligned } from '../../examples/pronounce/aligned.js';
import { differentWords, readWords } from '../../examples/pronounce/words.js';
import { temporaryFolder } from '../support/folder.js';

const folder = temporaryFolder();

it('has words to learn from, and others to measure on', () => {
  const { train, validation, test } = readWords();
  const words = [train, validation, test].map(differentWords);
  expect(words.map(({ length }) => length)).toEqual([116_236, 2_892, 5_792]);
  expect([train, validation, test].map(({ length }) => length)).toEqual([124_386, 3_087, 6_186]);
  expect(new Set(words.flat()).size).toBe(116_236 + 2_892 + 5_792);
  // Stress is left out, several pronunciations of a word are not.
  const all = [...train, ...validation, ...test];
  expect(all.filter(({ source }) => source === 'tomato').map(({ target }) => target)).toEqual([
    'T AH M EY T OW',
    'T AH M AA T OW',
  ]);
  expect(new Set(all.flatMap(({ target }) => target.split(' '))).size).toBe(39);
});

it('shows letters by the phoneme that looked at them most', () => {
  const rows = [
    [0.9, 0.1, 0.2, 0],
    [0.1, 0.1, 0.1, 1],
    [0, 0.8, 0.7, 0],
  ];
  expect(aligned([...'abcd'], ['X', 'Y', 'Z'], rows)).toBe('a:X d:Y bc:Z');
  expect(aligned(['a'], ['X', 'Y'], [[1], [0]])).toBe('a:X -:Y');
});

it('learns from few words, and says how many of those held out it gets wrong', () => {
  const args = ['--import', import.meta.resolve('tsx'), resolve('examples/main.ts'), 'pronounce', '--words', '2000'];
  const { status, stdout } = spawnSync(process.execPath, [...args, '--epochs', '3', '--beam', '1'], {
    encoding: 'utf8',
    // The model is saved where it runs.
    cwd: folder,
  });
  expect(status).toBe(0);
  expect(existsSync(join(folder, 'models', 'pronounce.safetensors'))).toBe(true);
  expect(stdout).toMatch(/^21\d\d pronunciations of 2000 words to learn from, 5792 words held out\n/);
  expect(stdout.match(/^ {2}\S*:[A-Z]+( \S+:[A-Z]+)*( {3}\(right: [A-Z ]+.*\))?$/gm)?.length).toBe(10);
  const [, words, phonemes] = /word error rate ([\d.]+) %, phoneme error rate ([\d.]+) %/.exec(stdout)!;
  expect(Number(words)).toBeLessThanOrEqual(100);
  // Answers of the one phoneme that is most frequent would have some 90 %.
  expect(Number(phonemes)).toBeLessThan(80);
}, 120_000);
