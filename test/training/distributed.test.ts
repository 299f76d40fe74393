import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/index.js';
import { temporaryFolder } from '../support/folder.js';
import { torchHalf } from '../support/halves.mjs';
import { type RankEnd, type RanksToRun, runRanks } from '../support/ranks.js';
import { topicTexts } from '../support/texts.js';

/** How often a rank is killed; a long run sets more. */
const ROUNDS = Number(process.env.RECURRA_RANK_KILLS ?? 2);

const folder = temporaryFolder();
const rows = topicTexts(240);
const small = { hiddenSize: 6, epochs: 2, threads: 1, seed: 3, dropout: 0 };
const classify = {
  ...small,
  embeddingDim: 8,
  batchSize: 8,
  lr: 1e-2,
  embeddingDropout: 0,
  wordDropout: 0,
  validation: 0.2,
};

const tagged = Array.from({ length: 90 }, (_, i) => {
  const tokens = Array.from({ length: 1 + ((i * 5) % 7) }, (_, j) => `w${(i * 3 + j * j) % 17}`);
  return { tokens, tags: tokens.map((token) => (Number(token.slice(1)) % 3 === 0 ? 'A' : 'B')) };
});
const texts = Array.from(
  { length: 60 },
  (_, i) => `the ${['cat', 'dog', 'cow'][i % 3]} says ${['meow', 'woof', 'moo'][i % 3]} ${i % 7}`,
);

const language = { ...small, embeddingDim: 8, batchSize: 2, window: 10, validation: 0.2 };
const pairs = texts.slice(0, 40).map((text, i) => ({ source: `${i} ${text.slice(4, 12)}`, target: text.slice(4, 9) }));

function train(given: Partial<RanksToRun>): Promise<RankEnd[]> {
  return runRanks({ size: 2, folder, task: 'classify', options: classify, rows, ...given });
}

/** The history of one rank, and that all ranks have the same and the same model. */
function same(ends: readonly RankEnd[]): [number, number][] {
  for (const { last, code, model } of ends) {
    expect(last.type, JSON.stringify(last)).toBe('result');
    expect(code).toBe(0);
    expect(last.history).toEqual(ends[0]!.last.history);
    expect(readFileSync(model).equals(readFileSync(ends[0]!.model))).toBe(true);
  }
  return ends[0]!.last.history!;
}

function near(ours: [number, number][], theirs: [number, number][]): void {
  expect(ours.length).toBe(theirs.length);
  for (const [epoch, figures] of ours.entries())
    for (const [at, figure] of figures.entries()) expect(figure).toBeCloseTo(theirs[epoch]![at]!, 5);
}

const double = <T extends { batchSize: number }>(options: T) => ({ ...options, batchSize: 2 * options.batchSize });

describe.runIf(torchHalf)('a training in several processes', () => {
  it('learns what one process with the rows of all ranks learns, to the same bits on each', async () => {
    const options = { ...classify, clipGradNorm: 0.5, optimizer: 'adamw', members: 2 };
    const [ends, alone] = [await train({ options }), await train({ size: 1, options: double(options) })];
    near(same(ends), same(alone));
    const starts = ends.map(({ lines }) => lines.find(({ type }) => type === 'start'));
    expect(starts.map((start) => [start?.rank, start?.ranks])).toEqual([
      [0, 2],
      [1, 2],
    ]);
    expect(alone[0]!.lines.find(({ type }) => type === 'start')).toMatchObject({ rank: 0, ranks: 1 });
  }, 60_000);

  it.each([
    [
      'tag',
      {
        ...small,
        embeddingDim: 8,
        batchSize: 4,
        embeddingDropout: 0,
        wordDropout: 0,
        validation: 0.2,
        subwords: false,
      },
      tagged,
    ],
    ['language', language, texts],
    ['seq2seq', { ...small, embeddingDim: 8, batchSize: 4, validation: 0.2 }, pairs],
  ] as const)(
    'does so for the task %s',
    async (task, options, given) => {
      const [ends, alone] = [
        await train({ task, options, rows: given }),
        await train({ size: 1, task, options: double(options), rows: given }),
      ];
      near(same(ends), same(alone));
    },
    60_000,
  );

  it('resumes a language model, whose streams leave states on every rank, in the middle of an epoch', async () => {
    const options = { ...language, window: 4, epochs: 4, dropout: 0.2 };
    const given = { task: 'language', rows: texts } as const;
    const whole = await train({ ...given, options });
    const path = join(folder, 'language checkpoint');
    const again = { ...options, checkpoint: { path, everySteps: 7 }, resume: true };
    const ends = await train({
      ...given,
      options: (rank: number) => ({ ...again, ...(rank === 0 && { abortAt: 50 }) }),
    });
    for (const { last } of ends) expect(last).toMatchObject({ code: 'ABORTED' });
    const resumed = await train({ ...given, options: again });
    expect(resumed[0]!.lines.find(({ type }) => type === 'start')!.step).toBeGreaterThan(40);
    expect([same(resumed), readFileSync(resumed[1]!.model).equals(readFileSync(whole[0]!.model))]).toEqual([
      same(whole),
      true,
    ]);
  }, 60_000);

  it('neither hangs nor skews the mean where ranks have no row in a batch', async () => {
    const few = rows.slice(0, 7);
    const options = { ...classify, validation: undefined, batchSize: 1 };
    const ends = await train({ size: 3, options, rows: few });
    near(same(ends), same(await train({ size: 1, options: { ...options, batchSize: 3 }, rows: few })));
  }, 60_000);

  it('ends on all ranks at the same step where one is aborted', async () => {
    const ends = await train({
      options: (rank: number) => ({ ...classify, epochs: 2000, ...(rank === 1 && { abortAt: 30 }) }),
    });
    for (const { last, code } of ends) expect([last.name, last.code, code]).toEqual(['TrainingError', 'ABORTED', 1]);
    const steps = ends.map(({ lines }) => lines.filter(({ type }) => type === 'step').at(-1)!.step!);
    expect(steps[0]).toBe(steps[1]);
    expect(steps[0]).toBeGreaterThanOrEqual(30);
    expect(ends[0]!.last.message).toContain('on rank 1');
  }, 60_000);

  it('refuses ranks with other options or rows, naming both sides', async () => {
    const options = (rank: number) => ({ ...classify, hiddenSize: 6 + rank });
    const others = (rank: number) => rows.slice(rank);
    for (const [ends, words] of [
      [await train({ options }), 'hiddenSize is 6 on rank 0 and 7 on rank 1'],
      [await train({ rows: others }), 'the data is'],
    ] as const)
      for (const { last, code } of ends) {
        expect([last.name, last.code, last.rank, code]).toEqual(['DistributedError', 'DISTRIBUTED', 1, 1]);
        expect(last.message).toContain(words);
      }
  }, 60_000);

  it('tells all ranks why one of them failed before the first step', async () => {
    const broken = (rank: number) => (rank === 1 ? [...rows.slice(1), { text: 'no label' }] : rows);
    const [first, second] = (await train({ rows: broken })) as [RankEnd, RankEnd];
    expect(second.last).toMatchObject({ name: 'DataError', code: 'INVALID_ROW' });
    expect(first.last).toMatchObject({ name: 'DistributedError', code: 'DISTRIBUTED', rank: 1 });
    expect(first.last.message).toContain(second.last.message);
  }, 60_000);

  it(
    `resumes to the same bits after a rank was killed, ${ROUNDS} times`,
    async () => {
      const random = new Random(Number(process.env.RECURRA_KILL_SEED ?? 5));
      const options = { ...classify, epochs: 5, dropout: 0.2, wordDropout: 0.1 };
      const whole = await train({ options });
      same(whole);
      let kills = 0;
      for (let round = 0; kills < ROUNDS; round++) {
        const path = join(folder, `checkpoint ${round}`);
        const again = { ...options, checkpoint: { path, everySteps: 2 }, resume: true };
        const victim = random.int(2);
        let [moment, at] = [1 + random.int(35), 0];
        const ends = await train({
          options: again,
          onLine(rank, _, children) {
            if (rank !== victim || --moment !== 0) return;
            at = performance.now();
            children[rank]!.kill('SIGKILL');
          },
        });
        // A training that was done before the signal came counts for nothing.
        if (ends[victim]!.signal !== 'SIGKILL') continue;
        kills++;
        const other = ends[1 - victim]!;
        expect(other.last, JSON.stringify(other.last)).toMatchObject({
          type: 'error',
          name: 'DistributedError',
          code: 'DISTRIBUTED',
        });
        expect(other.code).toBe(1);
        expect(other.at - at).toBeLessThan(5_000);
        const resumed = await train({ options: again });
        same(resumed);
        const bytes = (end: RankEnd) => readFileSync(end.model);
        expect(bytes(resumed[0]!).equals(bytes(whole[0]!)), `${existsSync(path)}`).toBe(true);
      }
    },
    30_000 + 20_000 * ROUNDS,
  );
});
