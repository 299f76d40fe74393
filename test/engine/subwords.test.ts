import { describe, expect, it } from 'vitest';
import { engineOn } from '../../src/engine/create.js';
import type { Chunk, EngineConfig } from '../../src/engine/engine.js';
import { kernelEngine } from '../../src/engine/kernels.js';
import { torchEngine } from '../../src/engine/torch.js';
import { Random } from '../../src/index.js';
import { type FeatureOptions, type Forms, formsNow, formsOf } from '../../src/text/forms.js';
import { opened } from '../support/opened.js';
import { stepOptions } from '../support/steps.js';

const FEATURES: FeatureOptions = { buckets: 400, minn: 2, maxn: 4, lowercase: true, shape: true };
const CONFIG: EngineConfig = {
  cell: 'lstm',
  embeddingDim: 4,
  subwords: { buckets: 400, dim: 8 },
  hiddenSize: 6,
  numLayers: 1,
  bidirectional: true,
  dropout: 0.1,
  embeddingDropout: 0.1,
  wordDropout: 0.2,
  vocabSize: 3,
  head: { kind: 'classes', outputs: 2, multiLabel: false, pooling: 'max' },
  paddingIdx: 1,
  unknownIdx: 0,
  seed: 5,
  threads: 2,
};

/** Words whose ending is their class; all of them are unknown to the vocabulary. */
function words(count: number, seed: number): { words: string[]; classes: Int32Array } {
  const random = new Random(seed);
  const classes = Int32Array.from({ length: count }, () => random.int(2));
  const letters = () => Array.from({ length: 5 }, () => String.fromCharCode(97 + random.int(26))).join('');
  return { words: Array.from(classes, (of) => letters() + (of === 1 ? 'ing' : 'ed')), classes };
}

const zeros = (count: number) => new Int32Array(count);

async function chunk(seed: number): Promise<Chunk & { forms: Forms }> {
  const { words: list, classes } = words(64, seed);
  return {
    forms: opened(await formsOf(list, zeros(64), FEATURES)),
    tokens: Int32Array.from({ length: 64 }, (_, i) => i),
    lengths: new Int32Array(64).fill(1),
    targets: classes,
    batchSizes: new Int32Array(4).fill(16),
  };
}
const step = () => stepOptions(new Float64Array(4).fill(0.02));

describe('a network with subwords', () => {
  it('tells apart words that it never saw, by what their characters say', async () => {
    const engine = opened(kernelEngine(CONFIG));
    for (let round = 0; round < 12; round++) await engine.train(await chunk(round), step());
    const { words: list, classes } = words(50, 99);
    const forms = opened(formsNow(list, zeros(50), FEATURES));
    const tokens = Int32Array.from({ length: 50 }, (_, i) => i);
    const ones = new Int32Array(50).fill(1);
    const scores = await engine.scores(tokens, ones, forms);
    const right = classes.filter((of, i) => scores[2 * i + of]! > 0.5).length;
    expect(right).toBeGreaterThan(46);
    expect([...engine.scoresNow!(tokens.subarray(0, 5), ones.subarray(0, 5), forms)!]).toEqual(
      [...scores.subarray(0, 10)].map((score) => expect.closeTo(score, 6)),
    );
    const explained = await engine.explain(Int32Array.of(3), classes[3]!, forms);
    expect([...explained.scores]).toEqual([...scores.subarray(6, 8)].map((score) => expect.closeTo(score, 6)));
    expect(Math.abs(explained.contributions[0]!)).toBeGreaterThan(0.1);
  });

  it('resumes to the same bits, as one network and as several', async () => {
    for (const members of [1, 2]) {
      const [whole, again] = [0, 1].map(() => engineOn('cpu', { ...CONFIG, members }));
      const [first, second] = [opened(await whole!), opened(await again!)];
      await first.train(await chunk(1), step());
      await second.restore(await first.trainingState(false));
      for (const engine of [first, second]) await engine.train(await chunk(2), step());
      expect(await second.state()).toEqual(await first.state());
      const names = (await first.state()).map(({ name }) => name);
      expect(names.slice(0, 2)).toEqual(['embedding.weight', 'subwords.weight']);
    }
  });

  it('refuses forms that are missing, of no use, closed or of another network', async () => {
    const [with_, without] = [opened(kernelEngine(CONFIG)), opened(kernelEngine({ ...CONFIG, subwords: undefined }))];
    const { forms, ...rest } = await chunk(1);
    await expect(with_.train(rest, step())).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', option: 'forms' });
    await expect(without.train({ ...rest, forms }, step())).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const one = Int32Array.of(1);
    await expect(with_.scores(one, one)).rejects.toThrow(/needs the forms of its words/);
    await expect(without.scores(one, one, forms)).rejects.toThrow(/takes ids of words, but received forms/);
    await expect(with_.scores(Int32Array.of(64), one, forms)).rejects.toThrow(
      'form 64 at place 0 is outside the 64 forms',
    );
    const far = opened(formsNow(['a', 'b'], Int32Array.of(2, 3), FEATURES));
    await expect(with_.scores(one, one, far)).rejects.toThrow("a form's word 3 is outside the vocabulary of 3 words");
    const wide = opened(formsNow(['a', 'abc'], zeros(2), { ...FEATURES, buckets: 1 << 20 }));
    await expect(with_.scores(one, one, wide)).rejects.toThrow('outside the 400 buckets');
    const closed = formsNow(['a'], zeros(1), FEATURES);
    closed.close();
    closed.close();
    await expect(with_.scores(Int32Array.of(0), one, closed)).rejects.toMatchObject({ code: 'DISPOSED' });
    expect(() => torchEngine(CONFIG)).toThrow(/run on the CPU kernels, not on libtorch/);
  });
});

describe('forms', () => {
  it('are added in parts', async () => {
    const { words: list } = words(3000, 3);
    const forms = opened(await formsOf(list, zeros(3000), FEATURES));
    expect(forms.size).toBe(3000);
    forms.add(['one', 'more'], zeros(2));
    expect(forms.size).toBe(3002);
  });

  it('refuse options and words that do not fit', () => {
    expect(() => formsNow(['a'], zeros(1), { ...FEATURES, buckets: 0 })).toThrow('subwords.buckets must be at least 1');
    for (const [minn, maxn] of [
      [3, 2],
      [0, 2],
      [1, 17],
    ] as const)
      expect(() => formsNow(['a'], zeros(1), { ...FEATURES, minn, maxn })).toThrow(/subwords.minn and subwords.maxn/);
    expect(() => formsNow(['a'], zeros(2), FEATURES)).toThrow('1 words but 2 ids');
    expect(() => formsNow(['a'], Int32Array.of(-1), FEATURES)).toThrow('word 0 has the id -1');
    const odd = opened(formsNow(['', '\0', '\ud800', 'x'.repeat(1 << 20)], zeros(4), { ...FEATURES, maxn: 0 }));
    expect(odd.size).toBe(4);
  });
});
