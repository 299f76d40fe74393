import { describe, expect, it } from 'vitest';
import { RecurraError } from '../../src/core/errors.js';
import { Random } from '../../src/core/random.js';
import type { Candidate, SearchParts } from '../../src/tuning/candidates.js';
import { rungsOf } from '../../src/tuning/rungs.js';
import { LabelSets, Scorer } from '../../src/tuning/score.js';
import { Search } from '../../src/tuning/search.js';

type Settings = { right: number; luck?: number; fails?: boolean; takes?: number };
type Model = { name: string; closed: boolean; close(): void };

const ROWS = 2_000;
const BASE: Candidate<Settings> = { name: 'base', options: { right: 0.8 } };

/** A search over candidates that are right in a known share of the rows. */
function searchOf(candidates: Candidate<Settings>[], more: Partial<SearchParts<Settings, Model>> = {}) {
  const sets = new LabelSets();
  const [right, wrong] = [sets.idOf('right'), sets.idOf('wrong')];
  const models: Model[] = [];
  const measured: string[] = [];
  const classes = new Int32Array(ROWS);
  const search = new Search<Settings, Model>({
    baselines: [BASE],
    preferred: BASE,
    candidates: candidates.values(),
    rungs: rungsOf({ classes, validationRows: 0, share: 0.2, seed: 0, counted: true }),
    trials: 100,
    scorer: new Scorer('accuracy', sets),
    heldRows: ROWS,
    allRows: ROWS,
    seconds: undefined,
    signal: undefined,
    async measure({ name, options }, part, signal) {
      measured.push(`${name} ${part.id}`);
      if (options.fails) throw new RecurraError('NON_FINITE_LOSS', 'the loss became NaN');
      const until = performance.now() + (options.takes ?? 0);
      while (performance.now() < until && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, 1));
      if (signal.aborted) throw new RecurraError('ABORTED', 'the training was aborted');
      const model: Model = {
        name,
        closed: false,
        close() {
          this.closed = true;
        },
      };
      models.push(model);
      // The same rows are hard for all of the same luck.
      const given = Int32Array.from(part.held, (row) =>
        new Random(row, options.luck ?? 0).float() < options.right ? right : wrong,
      );
      const truth = new Int32Array(part.held.length).fill(right);
      return { answers: { rows: part.held, truth, given }, loss: 1 - options.right, model };
    },
    onTrial() {},
    onFailure() {},
    ...more,
  });
  return { search, models, measured };
}

const named = (right: number, name = `at ${right}`): Candidate<Settings> => ({ name, options: { right } });

describe('a search', () => {
  it('finds what is clearly better, and measures the best third of each rung further', async () => {
    const others = [0.5, 0.6, 0.7, 0.75, 0.9, 0.76, 0.77, 0.78, 0.79].map((right) => named(right));
    const { search, models, measured } = searchOf(others);
    const { winner, board, model } = await search.run();
    expect(winner.name).toBe('at 0.9');
    expect(winner.difference).toBeCloseTo(0.1, 1);
    expect(winner.answers.size).toBe(5);
    // 10 on the first rung, the baseline and 3 of 9 on two parts more, the baseline and 1 of 3 on two parts more.
    expect(measured).toHaveLength(10 + 4 * 2 + 2 * 2);
    expect(board.map(({ rung }) => rung)).toEqual([2, 2, 1, 1, 0, 0, 0, 0, 0, 0]);
    expect(model?.name).toBe('at 0.9');
    expect(models.filter(({ closed }) => !closed)).toEqual([model]);
  });

  it('keeps the baseline where nothing is better by more than chance', async () => {
    const lucky = Array.from({ length: 12 }, (_, luck) => ({
      name: `luck ${luck}`,
      options: { right: 0.8, luck: luck + 1 },
    }));
    const { search } = searchOf(lucky);
    const { winner, board } = await search.run();
    expect(winner.name).toBe('base');
    expect(Math.max(...board.map(({ difference }) => difference))).toBeGreaterThan(0.005);
  });

  it('leaves out what cannot be trained', async () => {
    const failed: string[] = [];
    const { search } = searchOf([{ name: 'bad', options: { right: 1, fails: true } }, named(0.9)], {
      onFailure: ({ name }) => failed.push(name),
    });
    expect((await search.run()).winner.name).toBe('at 0.9');
    expect(failed).toEqual(['bad']);
  });

  it('stops when its time is up', async () => {
    const slow = Array.from(
      { length: 50 },
      (_, i): Candidate<Settings> => ({
        name: `slow ${i}`,
        options: { right: 0.9, takes: 20 },
      }),
    );
    const base = { name: 'base', options: { right: 0.8, takes: 20 } };
    const { search, measured } = searchOf(slow, { seconds: 0.6, baselines: [base], preferred: base });
    const began = performance.now();
    const { winner } = await search.run();
    expect(measured.length).toBeLessThan(45);
    expect(winner.name).toMatch(/^(slow|base)/);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('says so when the first trial takes longer than there is time', async () => {
    const base = { name: 'base', options: { right: 0.8, takes: 60_000 } };
    const { search } = searchOf([], { seconds: 0.05, baselines: [base], preferred: base });
    await expect(search.run()).rejects.toThrow('before the first trial was done; give more minutes');
  });

  it('gives the best so far when it is aborted', async () => {
    const controller = new AbortController();
    let trials = 0;
    const { search, models } = searchOf([named(0.9), named(0.5)], {
      signal: controller.signal,
      onTrial: () => {
        if (++trials === 2) controller.abort();
      },
    });
    const { winner, aborted, model } = await search.run();
    expect([winner.name, aborted, model?.name, model?.closed]).toEqual(['at 0.9', true, 'at 0.9', false]);
    expect(models).toHaveLength(2);
  });
});

describe('the rungs', () => {
  it('hold every row out once, then again in other parts', () => {
    const classes = Int32Array.from({ length: 50 }, (_, row) => row % 2);
    const rungs = rungsOf({ classes, validationRows: 0, share: 0.2, seed: 3, counted: false });
    expect(rungs.map(({ parts }) => parts.length)).toEqual([1, 3, 5, 10, 20]);
    const { parts } = rungs[3]!;
    for (const half of [parts.slice(0, 5), parts.slice(5)])
      expect(half.flatMap(({ held }) => [...held]).sort((a, b) => a - b)).toEqual([...classes.keys()]);
    expect([...parts[0]!.held]).not.toEqual([...parts[5]!.held]);
    for (const { train, held } of parts) expect(new Set([...train, ...held]).size).toBe(50);
  });

  it('train on some of many rows at first', () => {
    const rungs = rungsOf({ classes: new Int32Array(100_000), validationRows: 0, share: 0.2, seed: 0, counted: true });
    expect(rungs.map(({ parts }) => [parts.length, parts[0]!.train.length, parts[0]!.held.length])).toEqual([
      [1, 8_000, 10_000],
      [1, 24_000, 10_000],
      [1, 72_000, 10_000],
      [1, 80_000, 10_000],
      [3, 80_000, 10_000],
      [5, 80_000, 10_000],
    ]);
  });

  it('use validation rows of their own', () => {
    const classes = new Int32Array(30);
    const [first] = rungsOf({ classes, validationRows: 7, share: 0.2, seed: 0, counted: true });
    expect([first!.parts[0]!.train.length, first!.parts[0]!.held.length]).toEqual([30, 7]);
  });
});
