import { describe, expect, it } from 'vitest';
import { engineOn } from '../../src/engine/create.js';
import type { Chunk, EngineConfig } from '../../src/engine/engine.js';
import { ensemble, memberSeeds } from '../../src/engine/ensemble.js';
import { kernelEngine } from '../../src/engine/kernels.js';
import { torchEngine } from '../../src/engine/torch.js';
import { Random } from '../../src/index.js';
import { torchHalf } from '../support/halves.mjs';
import { opened } from '../support/opened.js';
import { stepOptions } from '../support/steps.js';

const CONFIG: EngineConfig = {
  cell: 'gru',
  embeddingDim: 6,
  hiddenSize: 5,
  numLayers: 1,
  bidirectional: true,
  dropout: 0.3,
  embeddingDropout: 0,
  wordDropout: 0.2,
  vocabSize: 30,
  head: { kind: 'classes', outputs: 3, multiLabel: false, pooling: 'max' },
  paddingIdx: 1,
  unknownIdx: 0,
  seed: 7,
  threads: 1,
};
const SEEDS = memberSeeds(CONFIG.seed, 3);
const TOKENS = Int32Array.of(2, 3, 4, 5, 9, 8);
const LENGTHS = Int32Array.of(4, 2);

const three = async () => opened(await engineOn('cpu', { ...CONFIG, members: 3 }));
const singles = () => SEEDS.map((seed) => opened(kernelEngine({ ...CONFIG, seed })));

function chunk(seed: number): Chunk {
  const random = new Random(seed);
  const lengths = Int32Array.from({ length: 40 }, () => 1 + random.int(6));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  return {
    lengths,
    tokens: Int32Array.from({ length: total }, () => 2 + random.int(28)),
    targets: Int32Array.from({ length: 40 }, () => random.int(3)),
    batchSizes: new Int32Array(5).fill(8),
  };
}
const step = (lr = 0.02) => stepOptions(new Float64Array(5).fill(lr));

/** The mean as float32 numbers make it, element by element. */
function meanOf(rows: readonly Float32Array[]): number[] {
  return [...rows[0]!].map((_, i) =>
    Math.fround(rows.reduce((sum, row) => Math.fround(sum + row[i]!), 0) / rows.length),
  );
}

describe('an ensemble', () => {
  it('begins with the seed itself, and draws the others from it', () => {
    expect(SEEDS[0]).toBe(7);
    expect(new Set([...SEEDS, ...memberSeeds(8, 3)]).size).toBe(6);
    expect(memberSeeds(7, 5).slice(0, 3)).toEqual(SEEDS);
    expect(memberSeeds(7, 1)).toEqual([7]);
  });

  it('is the mean of the single networks that take the same steps', async () => {
    const together = await three();
    const apart = singles();
    for (const seed of [1, 2]) {
      const stats = await together.train(chunk(seed), step());
      const own = [];
      for (const single of apart) own.push(await single.train(chunk(seed), step()));
      expect(stats.loss).toBeCloseTo(own.reduce((sum, { loss }) => sum + loss, 0) / 3, 10);
      expect(stats.correct).toBe(own.reduce((sum, { correct }) => sum + correct, 0) / 3);
      expect(stats).toMatchObject({ rows: 40, nonFiniteBatch: -1 });
    }
    const scores = await Promise.all(apart.map((single) => single.scores(TOKENS, LENGTHS)));
    expect(new Set(scores.map(([first]) => first)).size).toBe(3);
    expect([...(await together.scores(TOKENS, LENGTHS))]).toEqual(meanOf(scores));
    expect([...together.scoresNow!(TOKENS, LENGTHS)!]).toEqual(meanOf(scores));
    const raw = await Promise.all(apart.map((single) => single.rawScores(TOKENS, LENGTHS)));
    expect([...(await together.rawScores(TOKENS, LENGTHS))]).toEqual(meanOf(raw));
    expect(together.workPerToken).toBe(3 * apart[0]!.workPerToken);
  });

  it('explains by the mean of the contributions to the output that is most probable together', async () => {
    const together = await three();
    const apart = singles();
    await together.train(chunk(3), step());
    for (const single of apart) await single.train(chunk(3), step());
    const row = TOKENS.subarray(0, 4);
    const scores = await together.scores(row, Int32Array.of(4));
    const chosen = await together.explain(row, -1);
    expect(chosen.output).toBe(scores.indexOf(Math.max(...scores)));
    expect(chosen.scores).toEqual(scores);
    for (const output of [0, 1, 2]) {
      const { contributions, raw } = await together.explain(row, output);
      const own = await Promise.all(apart.map((single) => single.explain(row, output)));
      for (const [i, value] of meanOf(own.map((one) => one.contributions)).entries())
        expect(contributions[i]).toBeCloseTo(value, 6);
      for (const [i, value] of meanOf(own.map((one) => one.raw)).entries()) expect(raw[i]).toBeCloseTo(value, 6);
    }
  });

  it('resumes to the same bits', async () => {
    const [whole, first, second] = [await three(), await three(), await three()];
    for (const seed of [1, 2]) await whole.train(chunk(seed), step());
    await first.train(chunk(1), step());
    const [stored, weights] = [await first.trainingState(false), await first.trainingState(true)];
    expect(weights.length).toBeGreaterThan(stored.length);
    await second.restore(stored);
    await second.loadState(weights.filter(({ name }) => !name.startsWith('training.')));
    await second.restore(stored);
    await second.train(chunk(2), step());
    expect(await second.state()).toEqual(await whole.state());
    const names = (await whole.state()).map(({ name }) => name);
    expect(names.filter((name) => name.endsWith('embedding.weight'))).toEqual([
      'embedding.weight',
      'member.2.embedding.weight',
      'member.3.embedding.weight',
    ]);
    expect(stored.map(({ name }) => name)).toContain('training.member.2.steps');
  });

  it('refuses, before anything changes, a state that lacks a member, or has one of another shape, or one too many', async () => {
    const [engine, four] = [await three(), opened(await engineOn('cpu', { ...CONFIG, members: 4, seed: 1 }))];
    const before = await engine.state();
    const other = await four.state();
    const refused = async (entries: typeof other, message: RegExp) => {
      await expect(engine.loadState(entries)).rejects.toMatchObject({
        code: 'STATE_MISMATCH',
        message: expect.stringMatching(message),
      });
      expect(await engine.state()).toEqual(before);
    };
    const of = (...members: number[]) =>
      other.filter(({ name }) => members.includes(Number(/^member\.(\d)/.exec(name)?.[1] ?? 1)));
    await refused(of(1, 2), /member\.3\.\S+ is missing/);
    await refused(of(1, 2, 3, 4), /member\.4\./);
    await refused(
      of(1, 2, 3).map((entry) => (entry.name === 'member.2.fc.bias' ? { ...entry, shape: [1, 3] } : entry)),
      /member\.2\.fc\.bias has the shape \[1,3\], fc\.bias has \[3\]/,
    );
    await refused(
      [...of(1, 2, 3), { ...of(1)[0]!, name: 'member.3.more' }],
      /member\.3\.more exists, but more does not/,
    );
    await engine.loadState(of(1, 2, 3));
    expect(await engine.state()).toEqual(of(1, 2, 3));
  });

  it('gives all members the word vectors', async () => {
    const engine = await three();
    await engine.setWordVectors(Int32Array.of(4), new Float32Array(6).fill(0.5));
    const embeddings = (await engine.state()).filter(({ name }) => name.endsWith('embedding.weight'));
    for (const { data } of embeddings) {
      const values = new Float32Array(data.slice(4 * 6 * 4, 5 * 6 * 4).buffer);
      expect([...values]).toEqual(new Array(6).fill(0.5));
    }
  });

  it('says which batch was not finite in any member, and does not go on with the others', async () => {
    const engine = await three();
    const begun = await engine.state();
    const data = new Uint8Array(new Float32Array(3).fill(Number.NaN).buffer);
    await engine.loadState(begun.map((entry) => (entry.name === 'member.2.fc.bias' ? { ...entry, data } : entry)));
    expect((await engine.train(chunk(1), step())).nonFiniteBatch).toBe(0);
    const left = new Map((await engine.state()).map(({ name, data }) => [name, data]));
    const same = begun.filter((entry) => Buffer.compare(left.get(entry.name)!, entry.data) === 0);
    expect(same.some(({ name }) => name === 'fc.weight')).toBe(false);
    expect(same.filter(({ name }) => name.startsWith('member.3.'))).toHaveLength(begun.length / 3);
  });

  it('frees its members, and those that there were when one could not be made', async () => {
    const engine = await engineOn('cpu', { ...CONFIG, members: 2 });
    engine.close();
    await expect((async () => engine.scores(TOKENS, LENGTHS))()).rejects.toMatchObject({ code: 'DISPOSED' });
    await expect(engineOn('cpu', { ...CONFIG, members: 2, embeddingDim: 0 })).rejects.toThrow();
  });

  it.runIf(torchHalf)('works on libtorch as on the kernels', async () => {
    const members = SEEDS.map((seed) => torchEngine({ ...CONFIG, seed }));
    const libtorch = opened(ensemble([members[0]!, ...members.slice(1)]));
    const kernels = await three();
    await libtorch.loadState(await kernels.state());
    expect(libtorch.scoresNow).toBeUndefined();
    const [asked, right] = [await libtorch.scores(TOKENS, LENGTHS), await kernels.scores(TOKENS, LENGTHS)];
    for (const [i, value] of asked.entries()) expect(value).toBeCloseTo(right[i]!, 6);
    await libtorch.train(chunk(1), step());
    const stored = await libtorch.trainingState(true);
    await libtorch.train(chunk(2), step());
    const whole = await libtorch.state();
    await libtorch.loadState(stored.filter(({ name }) => !name.startsWith('training.')));
    await libtorch.restore(stored.filter(({ name }) => name.startsWith('training.')));
    await libtorch.train(chunk(2), step());
    expect(await libtorch.state()).toEqual(whole);
  });
});
