import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.js';
import { torchHalf } from '../support/halves.mjs';
import { resultOf, runProgram } from './program.js';

const folder = temporaryFolder();

// RECURRA_ROUNDS=100 for the long form.
const rounds = Number(process.env.RECURRA_ROUNDS ?? 4);
const works = ['train', 'predict', ...(torchHalf ? ['module'] : [])];

describe('the end of the process in the middle of work', () => {
  const ends: [how: string, code: number | null, signal: string | null][] = [
    ['exit', 7, null],
    ['throw', 1, null],
    ['reject', 1, null],
    ['kill', null, 'SIGTERM'],
  ];
  it.concurrent.each(works)('while it does %s gives the exit code that it would have without', async (what) => {
    for (let round = 0; round < rounds; round++) {
      const [how, code, signal] = ends[round % ends.length]!;
      const ended = await runProgram('endProcess.mjs', [what, how, String(150 + ((round * 137) % 400))]);
      expect(ended, `${how}, round ${round}`).toMatchObject({ code, signal });
    }
  });

  it.concurrent.each(works)('while its worker threads do %s gives the exit code', async (what) => {
    const ended = await runProgram('exitOverWorkers.mjs', [what, '60']);
    expect(ended).toMatchObject({ code: 7, signal: null });
  });
});

describe('worker threads that work at the same time', () => {
  const ways = works.flatMap((what) => ['terminate', 'exit', 'throw'].map((how): [string, string] => [what, how]));
  it.concurrent.each(ways)('do %s and end by %s, again and again', async (what, how) => {
    const few = Math.ceil(rounds / 3);
    expect(await resultOf('workers.mjs', [what, how, String(few)])).toEqual({ done: few });
  });
});

it.runIf(torchHalf)('the library loaded from two paths works in both, one after the other and at once', async () => {
  const { same, results } = await resultOf<{ same: boolean; results: object[] }>('twoCopies.mjs', [folder]);
  expect(same).toBe(false);
  expect(results).toHaveLength(4);
  for (const result of results) expect(result).toEqual(results[0]);
});
