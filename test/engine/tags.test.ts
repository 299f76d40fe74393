import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { engineOn } from '../../src/engine/create.js';
import type { EngineConfig } from '../../src/engine/engine.js';
import { kernelEngine } from '../../src/engine/kernels.js';
import {
  type Cell,
  type Decoder,
  scoresOfRow,
  TAG_SCORES,
  type TagsHead,
  tokenWork,
} from '../../src/engine/network.js';
import { noEngine } from '../../src/engine/none.js';
import { torchEngine } from '../../src/engine/torch.js';
import { torchHalf } from '../support/halves.mjs';
import { opened } from '../support/opened.js';
import { golden, readArrays } from '../support/safetensors.js';
import { stepOptions } from '../support/steps.js';
import { largestDifference } from '../support/weights.js';

interface Case {
  name: string;
  cell: Cell;
  decoder: Decoder;
  numLayers: number;
  bidirectional: boolean;
  tags: number;
  allowed: Record<'start' | 'end' | 'between', number[]> | null;
  weights: number[] | null;
  smoothing: number;
  tokens: number[];
  gold: number[];
  loss: number;
  correct: number;
}

// Made by scripts/golden/tags.py, which the Rust tests read too.
const { cases, lengths, ...sizes } = JSON.parse(readFileSync(join(golden, 'tags.json'), 'utf8')) as {
  cases: Case[];
  lengths: number[];
} & Pick<EngineConfig, 'vocabSize' | 'embeddingDim' | 'hiddenSize' | 'paddingIdx'>;
const data = readArrays(join(golden, 'tags.safetensors'));
const floats = (name: string) => Float32Array.from(data[name]!.values as ArrayLike<number>);

const never = (flags: readonly number[]) => Uint8Array.from(flags, (flag) => 1 - flag);
function headOf({ tags: outputs, decoder, allowed }: Pick<Case, 'tags' | 'decoder' | 'allowed'>): TagsHead {
  if (!allowed) return { kind: 'tags', outputs, decoder };
  const { start, end, between } = allowed;
  return {
    kind: 'tags',
    outputs,
    decoder,
    forbidden: { start: never(start), end: never(end), between: never(between) },
  };
}
function configOf(
  one: Pick<Case, 'cell' | 'numLayers' | 'bidirectional' | 'tags' | 'decoder' | 'allowed'>,
): EngineConfig {
  const { cell, numLayers, bidirectional } = one;
  const none = { dropout: 0, embeddingDropout: 0, wordDropout: 0, unknownIdx: -1, seed: 1, threads: 2 };
  return { ...sizes, ...none, cell, numLayers, bidirectional, head: headOf(one) };
}
const PLAIN = { cell: 'lstm', numLayers: 1, bidirectional: true, tags: 3, decoder: 'crf', allowed: null } as const;

describe('a head of tags', () => {
  it.each(cases)('$name: answers, loss and gradients are those of PyTorch', async (one) => {
    const engine = opened(kernelEngine(configOf(one)));
    const names = Object.keys(data).filter(
      (name) => name.startsWith(`${one.name}/`) && `${one.name}/d.${name.split('/')[1]}` in data,
    );
    await engine.loadState(
      names.map((name) => ({
        name: name.slice(one.name.length + 1),
        dtype: 'float32',
        shape: [...data[name]!.shape],
        data: new Uint8Array(floats(name).buffer),
      })),
    );
    const [tokens, rows] = [Int32Array.from(one.tokens), Int32Array.from(lengths)];
    const answers = floats(`${one.name}/answers`);
    expect(largestDifference(await engine.scores(tokens, rows), answers)).toBeLessThan(3e-6);
    expect(largestDifference(engine.scoresNow!(tokens, rows)!, answers)).toBeLessThan(3e-6);
    expect(largestDifference(await engine.rawScores(tokens, rows), floats(`${one.name}/emissions`))).toBeLessThan(3e-5);
    const before = await engine.state();
    const loss = { weights: one.weights ?? [], smoothing: one.smoothing };
    const chunk = { tokens, lengths: rows, targets: Int32Array.from(one.gold), batchSizes: Int32Array.of(rows.length) };
    const stats = await engine.train(chunk, stepOptions(Float64Array.of(1), { optimizer: 'sgd', loss }));
    expect(Math.abs(stats.loss / stats.answers - one.loss)).toBeLessThan(3e-6 * (1 + one.loss));
    expect(stats).toMatchObject({
      answers: tokens.length,
      rows: rows.length,
      correct: one.correct,
      nonFiniteBatch: -1,
    });
    for (const [at, { name, data: bytes }] of (await engine.state()).entries()) {
      const now = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
      const then = before[at]!.data;
      const gradient = new Float32Array(then.buffer, then.byteOffset, now.length).map((value, i) => value - now[i]!);
      expect(largestDifference(gradient, floats(`${one.name}/d.${name}`)), name).toBeLessThan(5e-6);
    }
  });

  it('says how many scores a row has, also without a network', async () => {
    const { head } = configOf(PLAIN);
    expect([
      scoresOfRow(head, 7),
      scoresOfRow({ kind: 'classes', outputs: 4, multiLabel: false, pooling: 'max' }, 7),
    ]).toEqual([21, 4]);
    const none = noEngine({ head });
    const [tokens, rows] = [Int32Array.of(1, 2, 3), Int32Array.of(2, 1)];
    expect(await none.scores(tokens, rows)).toHaveLength(3 * TAG_SCORES);
    expect(await none.rawScores(tokens, rows)).toHaveLength(9);
    const engine = opened(kernelEngine(configOf(PLAIN)));
    expect(await engine.scores(tokens, rows)).toHaveLength(3 * TAG_SCORES);
    expect(engine.workPerToken).toBe(tokenWork(configOf(PLAIN)));
    expect(engine.scoreTexts ?? engine.scoreTextNow).toBeUndefined();
  });

  it('refuses what does not fit, with what was expected', async () => {
    const config = configOf(PLAIN);
    const engine = opened(kernelEngine(config));
    const chunk = { tokens: Int32Array.of(2, 3), lengths: Int32Array.of(2), batchSizes: Int32Array.of(1) };
    const step = stepOptions(Float64Array.of(0.1));
    const train = (targets: number[], options = step) =>
      engine.train({ ...chunk, targets: Int32Array.from(targets) }, options);
    await expect(train([1])).rejects.toMatchObject({
      code: 'INVALID_SHAPE',
      message: expect.stringContaining('2 tokens but 1 tags'),
    });
    await expect(train([1, 3])).rejects.toMatchObject({
      code: 'OUT_OF_RANGE',
      message: expect.stringContaining('tag 3 of token 1'),
    });
    const smoothed = { ...step, loss: { weights: [], smoothing: 0.1 } };
    await expect(train([1, 2], smoothed)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', option: 'labelSmoothing' });
    await expect(engine.explain(chunk.tokens, -1)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const forbidden = {
      start: Uint8Array.of(0, 1, 1),
      end: new Uint8Array(3),
      between: new Uint8Array(9).fill(1, 1, 2),
    };
    const strict = opened(kernelEngine({ ...config, head: { kind: 'tags', outputs: 3, decoder: 'crf', forbidden } }));
    const path = { ...chunk, targets: Int32Array.of(0, 1) };
    await expect(strict.train(path, step)).rejects.toThrow('tag 1 must not follow tag 0, as at token 1 of row 0');
    const short = { ...forbidden, end: new Uint8Array(2) };
    const broken = () =>
      kernelEngine({ ...config, head: { kind: 'tags', outputs: 3, decoder: 'crf', forbidden: short } });
    expect(broken).toThrow('forbidden.end has 2 values instead of 3');
    await expect(engineOn('cpu', { ...config, members: 2 })).rejects.toMatchObject({ option: 'members' });
  });

  it.runIf(torchHalf)('is refused on libtorch', () => {
    expect(() => torchEngine(configOf(PLAIN))).toThrow('taggers run on the CPU kernels, not on libtorch');
  });
});
