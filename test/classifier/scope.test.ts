import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeDataset } from '../../src/data/sets/encode.js';
import { TextClassifier, type TrainOptions } from '../../src/index.js';
import {
  checkedScope,
  energiesOf,
  entropyOf,
  isOutOfScope,
  scopeOf,
  unknownShares,
} from '../../src/models/classifier/scope.js';
import { Vocab } from '../../src/text/vocab.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const SMALL = { embeddingDim: 8, hiddenSize: 8, threads: 1, epochs: 3 } as const;

describe('texts unlike those of the training', () => {
  const validation = topicTexts(100, 7);
  const others = ['quarterly revenue fell sharply', 'zyx', '', 'which planet orbits nearest', 'a stochastic gradient'];
  const kinds: [string, TrainOptions][] = [
    ['a network and a linear model', {}],
    ['several networks', { members: 2 }],
    ['a network alone', { linear: false }],
    ['a linear model alone', { recurrent: false }],
    ['several labels a text', { multiLabel: true }],
  ];
  it.each(kinds)('are found by %s', async (name, options) => {
    const small = options.recurrent === false ? { threads: 1 } : SMALL;
    await using model = await TextClassifier.train(topicTexts(240), { ...small, ...options, validation });
    const own = validation.map(({ text }) => text);
    const plain = await model.predictMany(own);
    const found = await model.predictMany(own, { outOfScope: true });
    expect(found.map(({ outOfScope: _, ...rest }) => rest)).toEqual(plain.map((each) => ({ ...each })));
    expect(found.filter(({ outOfScope }) => outOfScope).length).toBeLessThanOrEqual(5);
    const strange = await model.predictMany(others, { outOfScope: true, topK: 1 });
    expect(strange.map(({ outOfScope }) => outOfScope)).toEqual(others.map(() => true));
    expect(plain[0]).not.toHaveProperty('outOfScope');
    const path = join(folder, `${name}.safetensors`);
    await model.save(path);
    await using loaded = await TextClassifier.load(path, { threads: 1 });
    const mixed = [...own.slice(0, 30), ...others];
    const flags = [...found.slice(0, 30), ...strange].map(({ outOfScope }) => outOfScope);
    const again = await loaded.predictMany(mixed, { outOfScope: true, minProbability: 1 });
    expect(again.map(({ outOfScope }) => outOfScope)).toEqual(flags);
    for (const [at, text] of mixed.entries())
      expect((await loaded.predict(text, { outOfScope: true })).outOfScope).toBe(flags[at]);
  });

  it('cannot be told by a model without validation rows, with few of them, or compressed', async () => {
    await using plain = await TextClassifier.train(topicTexts(120), SMALL);
    await expect(plain.predict('a', { outOfScope: true })).rejects.toThrow(/validation, of at least 20 rows/);
    await using few = await TextClassifier.train(topicTexts(120), { ...SMALL, validation: validation.slice(0, 19) });
    await expect(few.predictMany(['a'], { outOfScope: true })).rejects.toThrow(/validation, of at least 20 rows/);
    await using whole = await TextClassifier.train(topicTexts(120), { ...SMALL, validation });
    await using small = await whole.compress({ bits: 8 });
    await expect(small.predict('a', { outOfScope: true })).rejects.toThrow(/this model is compressed/);
    await expect(whole.predict('a', { outOfScope: 1 as never })).rejects.toThrow(/outOfScope/);
  });
});

describe('the signals', () => {
  const vocab = Vocab.fromTokens(['<unk>', 'a', 'b'], { unkToken: '<unk>' });
  const classes = ['x', 'y', 'z'];
  const dataset = () =>
    encodeDataset(
      ['a b', 'c', 'a c'].map((text) => ({ text, label: 'x' })),
      { tokenizer: (text: string) => text.split(' '), vocab, classes },
    );

  it('are torch.logsumexp, its like for several labels, entropy, and unknown words', async () => {
    const rows = await dataset();
    const raw = Float32Array.of(1, 2, 3, -40, 0, 40, 0.5, 0.5, 0.5);
    const engine = { rawScores: async (_: Int32Array, lengths: Int32Array) => raw.slice(0, 3 * lengths.length) };
    // -torch.logsumexp(raw.view(3, 3), 1), and -torch.nn.functional.softplus(raw.view(3, 3)).sum(1)
    const expected = [-3.4076059644, -40, -1.5986122887];
    const several = [-6.488776, -40.693147, -2.922231];
    for (const [multiLabel, energies] of [
      [false, expected],
      [true, several],
    ] as const)
      for (const [at, energy] of (await energiesOf(engine, rows, multiLabel)).entries())
        expect(energy).toBeCloseTo(energies[at]!, 5);
    expect([...unknownShares(rows, 0)]).toEqual([0, 1, 0.5]);
    expect(entropyOf(Float32Array.of(0.5, 0.25, 0.25, 0), false)).toBeCloseTo(1.5 * Math.LN2, 6);
    expect(entropyOf(Float32Array.of(0.5, 1, 0), true)).toBeCloseTo(Math.LN2, 6);
  });

  it('flag one row in twenty, and what is stranger in one way or in all', () => {
    const rows = 1_000;
    const rising = (step: number) => Float64Array.from({ length: rows }, (_, row) => ((row * step) % rows) / rows);
    const signals = { unknown: rising(7), entropy: rising(11), energy: rising(13) };
    const scope = scopeOf(signals)!;
    const flagged = Array.from({ length: rows }, (_, row) => isOutOfScope(scope, signals, row)).filter(Boolean).length;
    expect(flagged).toBe(50);
    expect(scope.unknown).toHaveLength(40);
    const one = (unknown: number, entropy: number, energy: number) =>
      isOutOfScope(
        scope,
        { unknown: Float64Array.of(unknown), entropy: Float64Array.of(entropy), energy: Float64Array.of(energy) },
        0,
      );
    expect([one(2, 0.5, 0.5), one(0.5, 0.5, 0.5), one(2, 2, 2), one(0, 0, 0), one(0.5, 2, 0.5)]).toEqual([
      true,
      false,
      true,
      false,
      true,
    ]);
    expect(checkedScope(JSON.parse(JSON.stringify(scope)))).toEqual(scope);
    const few = { unknown: rising(7).slice(0, 19), entropy: rising(7).slice(0, 19), energy: undefined };
    expect(scopeOf(few)).toBeUndefined();
    const damaged: unknown[] = [
      null,
      {},
      { ...scope, limit: 'x' },
      { ...scope, unknown: [2, 1] },
      { ...scope, entropy: [] },
      { ...scope, energy: [null] },
    ];
    for (const value of damaged) expect(() => checkedScope(value)).toThrow(/damaged/);
  });
});
