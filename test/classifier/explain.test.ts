import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  basicEnglish,
  HuggingFaceTokenizer,
  TextClassifier,
  type TrainOptions,
  unicodeWords,
} from '../../src/index.js';
import { groupSizeOf, logitsWithout } from '../../src/models/classifier/occlusion.js';
import { locateTokens } from '../../src/text/locate.js';
import { modelTokenizer, readingOf } from '../../src/text/reading.js';
import { loadFile, nn, type Tensor, tensor } from '../../src/torch/index.js';
import { temporaryFolder } from '../support/folder.js';
import { torchHalf } from '../support/halves.mjs';
import { topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const SIZES: TrainOptions = { linear: false, embeddingDim: 12, hiddenSize: 10, batchSize: 16, lr: 1e-2, seed: 1 };
let model: TextClassifier;
beforeAll(async () => {
  model = await TextClassifier.train(topicTexts(300), { ...SIZES, maxLength: 6 });
});
afterAll(() => model.close());

class Net extends nn.Module {
  embedding;
  rnn;
  fc;
  constructor(
    words: number,
    { embeddingDim, hiddenSize, bidirectional, cell, numLayers }: TextClassifier['settings'],
    labels: number,
  ) {
    super();
    this.embedding = new nn.Embedding(words, embeddingDim);
    const options = { batchFirst: true, bidirectional, numLayers };
    this.rnn =
      cell === 'gru' ? new nn.GRU(embeddingDim, hiddenSize, options) : new nn.RNN(embeddingDim, hiddenSize, options);
    this.fc = new nn.Linear(hiddenSize * (bidirectional ? 2 : 1), labels);
  }
  forward(x: Tensor, pooling: string): Tensor {
    const [output] = this.rnn.forward(x);
    return this.fc.forward(pooling === 'mean' ? output.mean({ dim: 1 }) : output.max({ dim: 1 }).values);
  }
}

describe('gradient times input', () => {
  it.runIf(torchHalf).each([
    { cell: 'gru', pooling: 'max', bidirectional: true, numLayers: 1 },
    { cell: 'rnn', pooling: 'mean', bidirectional: false, numLayers: 2 },
  ] as const)('is that of autograd through the saved weights: $cell, $pooling', async (options) => {
    const trained = await TextClassifier.train(topicTexts(120), { ...SIZES, ...options, epochs: 2 });
    const path = join(folder, options.cell);
    await trained.save(path);
    const net = new Net(trained.vocab.length, trained.settings, trained.labels.length);
    net.loadStateDict((await loadFile(path)).tensors as nn.StateDict);
    const ids = trained.vocab.encode(['the', 'cat', 'zyx', 'with', 'the', 'hammer']);
    const embedded = net.embedding.forward(tensor([[...ids]], { dtype: 'int64' })).detach();
    embedded.requiresGrad = true;
    const logits = net.forward(embedded, options.pooling);
    for (const [index, label] of trained.labels.entries()) {
      embedded.grad = null;
      logits.at(0).at(index).backward({ retainGraph: true });
      const expected = embedded.grad!.mul(embedded.detach()).sum({ dim: 2 }).toTypedArray() as Float32Array;
      const { tokens, logit } = await trained.explain('the cat zyx with the hammer', {
        label,
        method: 'gradientInput',
      });
      expect(Math.abs(logit - logits.at(0).at(index).item())).toBeLessThan(1e-5);
      for (const [i, { contribution }] of tokens.entries()) {
        expect(Math.abs(contribution - expected[i]!), `${label}, token ${i}`).toBeLessThan(1e-5);
      }
    }
    await trained.close();
  });
});

describe('occlusion', () => {
  it('is how much the logit falls without the token', async () => {
    const words = ['a', 'small', 'dog', 'zyx', 'tail'];
    for (const label of model.labels) {
      const { tokens, logit } = await model.explain(words.join(' '), { label, method: 'occlusion' });
      for (const [at, { contribution }] of tokens.entries()) {
        const without = await model.explain(words.toSpliced(at, 1).join(' '), { label });
        expect(Math.abs(contribution - (logit - without.logit)), `${label} ${words[at]}`).toBeLessThan(1e-5);
      }
    }
  });

  it('of the only token leaves what the model says of an empty text', async () => {
    const label = 'animal';
    const { tokens, logit } = await model.explain('dog', { label, method: 'occlusion' });
    const empty = await model.explain('', { label });
    expect(tokens).toHaveLength(1);
    expect(Math.abs(tokens[0]!.contribution - (logit - empty.logit))).toBeLessThan(1e-5);
  });

  it('of a text of more tokens than one call takes is the same, token by token', async () => {
    const long = await TextClassifier.train(topicTexts(60), { ...SIZES, epochs: 1 });
    const text = topicTexts(400, 3)
      .map((row) => row.text)
      .join(' ');
    const tokens = basicEnglish(text).slice(0, 700);
    const label = 'food';
    const all = await long.explain(tokens.join(' '), { label, method: 'occlusion' });
    expect(all.tokens).toHaveLength(700);
    for (const at of [0, 373, 374, 375, 699]) {
      const without = await long.explain(tokens.toSpliced(at, 1).join(' '), { label });
      expect(Math.abs(all.tokens[at]!.contribution - (all.logit - without.logit))).toBeLessThan(1e-5);
    }
    await long.close();
  });
});

describe('occlusion of a long text', () => {
  /** An engine whose logits are the sum and the number of a row's ids. */
  const adding = (calls: number[][], workPerToken = 2 ** 15) => ({
    workPerToken,
    async rawScores(tokens: Int32Array, lengths: Int32Array) {
      calls.push([...lengths]);
      let at = 0;
      return Float32Array.from(
        [...lengths].flatMap((length) => {
          const row = tokens.subarray(at, at + length);
          at += length;
          return [row.reduce((sum, id) => sum + id, 0), length];
        }),
      );
    },
  });

  it('removes so many tokens together that the work stays within bounds', () => {
    const default_ = 2 ** 16;
    expect([1, 2_000, 2_048, 2_049, 20_000, 1_000_000].map((tokens) => groupSizeOf(tokens, default_))).toEqual([
      1, 1, 1, 2, 96, 62_500,
    ]);
    for (const work of [1, 1e5, 3e6]) {
      for (const tokens of [100, 3_000, 10_000]) {
        const groups = Math.ceil(tokens / groupSizeOf(tokens, work));
        expect(groups === 16 || groups * tokens * work <= 2 ** 38, `${tokens} tokens of ${work}`).toBe(true);
      }
    }
  });

  it('leaves out each group in turn, the last of which may be smaller', async () => {
    const ids = Int32Array.of(1, 10, 100, 1_000, 10_000, 100_000, 1_000_000);
    const calls: number[][] = [];
    const network = { engine: adding(calls), unknown: 7, classes: 2 };
    expect([...(await logitsWithout(network, ids, 3, 0, undefined))]).toEqual([1_111_000, 1_000_111, 111_111]);
    expect(calls).toEqual([[4, 4, 6]]);
    expect([...(await logitsWithout(network, Int32Array.of(5, 6), 2, 1, undefined))]).toEqual([1]);
    expect([...(await logitsWithout(network, Int32Array.of(5, 6), 2, 0, undefined))]).toEqual([7]);
  });

  it('is computed in short calls, between which it can be stopped', async () => {
    const ids = new Int32Array(4_096).fill(1);
    const calls: number[][] = [];
    const abort = new AbortController();
    const engine = adding(calls, 2 ** 20);
    const network = { engine, unknown: 0, classes: 2 };
    expect(await logitsWithout(network, ids, 64, 0, undefined)).toHaveLength(64);
    expect(calls.map(({ length }) => length)).toEqual(Array(16).fill(4));
    const rawScores = vi.spyOn(engine, 'rawScores').mockImplementationOnce(async (_, { length }) => {
      abort.abort();
      return new Float32Array(2 * length);
    });
    await expect(logitsWithout(network, ids, 64, 0, abort.signal)).rejects.toMatchObject({ code: 'ABORTED' });
    expect(rawScores).toHaveBeenCalledTimes(1);
  });

  it('gives each token of a group an equal share', async () => {
    const small = await TextClassifier.train(topicTexts(60), { ...SIZES, hiddenSize: 2, epochs: 1, maxLength: 3_000 });
    const words = topicTexts(800, 3).flatMap(({ text }) => text.split(' '));
    const text = words.slice(0, 3_000).join(' ');
    const { groupSize, tokens, logit } = await small.explain(text, { label: 'food' });
    expect([groupSize, tokens.length]).toEqual([2, 3_000]);
    const without = await small.explain(words.slice(2, 3_000).join(' '), { label: 'food', method: 'gradientInput' });
    expect(tokens[0]!.contribution).toBe(tokens[1]!.contribution);
    expect(Math.abs(2 * tokens[0]!.contribution - (logit - without.logit))).toBeLessThan(1e-5);
    await small.close();
  });
});

describe('an explanation', () => {
  it.each(['gradientInput', 'occlusion'] as const)('by %s finds the words that decide', async (method) => {
    const fillers = ['a', 'the', 'with', 'of', 'and', 'small', 'old', 'for'];
    let right = 0;
    const texts = topicTexts(200, 6).filter(({ text }) => text.split(' ').length <= 6);
    for (const { text, label } of texts) {
      const { tokens } = await model.explain(text, { method, label });
      const best = tokens.toSorted((a, b) => b.contribution - a.contribution)[0]!;
      if (!fillers.includes(best.token)) right++;
    }
    expect(right / texts.length).toBeGreaterThan(0.9);
  });

  it('tells the label, its probability, and where each token stands', async () => {
    const text = 'The Dog of fur';
    const { label, predicted, probability, logit, method, groupSize, tokens } = await model.explain(text);
    expect([label, predicted, method, groupSize]).toEqual(['animal', 'animal', 'occlusion', 1]);
    expect(await model.explain(text, { method: 'gradientInput' })).not.toHaveProperty('groupSize');
    expect(probability).toBe((await model.predict(text)).probability);
    expect(Number.isFinite(logit)).toBe(true);
    expect(tokens[1]).toEqual({
      token: 'dog',
      position: 1,
      source: 'Dog',
      start: 4,
      end: 7,
      known: true,
      read: true,
      contribution: expect.any(Number),
    });
  });

  it('explains the label asked for, and names the predicted one', async () => {
    const { label, predicted, probability } = await model.explain('dog', { label: 'tool' });
    expect([label, predicted]).toEqual(['tool', 'animal']);
    expect(probability).toBe((await model.predict('dog')).classes.find((entry) => entry.label === 'tool')!.probability);
  });

  it('marks unknown tokens, and those that were cut off', async () => {
    const { tokens } = await model.explain('zyx dog a a a a tail fur');
    expect(tokens.map(({ token, known, read }) => [token, known, read])).toEqual([
      ['zyx', false, true],
      ['dog', true, true],
      ['a', true, true],
      ['a', true, true],
      ['a', true, true],
      ['a', true, true],
      ['tail', true, false],
      ['fur', true, false],
    ]);
    expect(tokens.slice(6).map(({ contribution }) => contribution)).toEqual([0, 0]);
    expect((await model.explain('zyx dog a a a a')).logit).toBe(
      (await model.explain('zyx dog a a a a tail fur')).logit,
    );
  });

  it('of an empty text has no tokens, and the probability of one', async () => {
    for (const method of ['gradientInput', 'occlusion'] as const) {
      const { tokens, probability, label } = await model.explain(' ', { method });
      expect(tokens).toEqual([]);
      expect([label, probability]).toEqual([(await model.predict('')).label, (await model.predict('')).probability]);
    }
  });

  it('of a model of several labels is of the logit of each alone', async () => {
    const rows = topicTexts(120).map(({ text, label }) => ({ text, label: [label] }));
    const several = await TextClassifier.train(rows, { ...SIZES, epochs: 1, multiLabel: true, pooling: 'attention' });
    for (const label of several.labels) {
      const { logit, probability, tokens } = await several.explain('a dog of steel', { label });
      expect(probability).toBeCloseTo(1 / (1 + Math.exp(-logit)), 5);
      expect(tokens.some(({ contribution }) => contribution !== 0)).toBe(true);
    }
    await several.close();
  });

  it('changes nothing in the model', async () => {
    const before = await model.predict('the dog');
    await model.explain('the dog');
    await model.explain('the dog', { method: 'gradientInput' });
    expect(await model.predict('the dog')).toEqual(before);
  });

  it('is the same for callers at once', async () => {
    const texts = topicTexts(12, 5).map(({ text }) => text);
    const one = [];
    for (const text of texts) one.push(await model.explain(text));
    expect(await Promise.all(texts.map((text) => model.explain(text)))).toEqual(one);
  });

  it('refuses what does not fit', async () => {
    await expect(model.explain(3 as never)).rejects.toThrow('Expected a string for text but received number 3');
    await expect(model.explain('a', { label: 'Dog' })).rejects.toMatchObject({ code: 'UNKNOWN_LABEL' });
    await expect(model.explain('a', { method: 'lime' as never })).rejects.toThrow(/gradientInput/);
    await expect(model.explain('a', { target: 1 } as never)).rejects.toThrow(/Unknown option "target"/);
    await expect(model.explain('a', { signal: 1 as never })).rejects.toThrow(/AbortSignal/);
    await expect(model.explain('a', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe('an explanation of other ways to split', () => {
  const wordPiece = () =>
    HuggingFaceTokenizer.fromFile(join(import.meta.dirname, '../fixtures/tokenizers/word_piece.json'));

  it('lists n-grams after the tokens, and what was cut out of the middle', async () => {
    const options = { ...SIZES, epochs: 1, ngrams: 2, maxLength: 3, truncate: 'both' } as const;
    const pairs = await TextClassifier.train(topicTexts(60), options);
    const text = 'the dog, the cat and fur';
    for (const method of ['gradientInput', 'occlusion'] as const) {
      const { tokens } = await pairs.explain(text, { method });
      expect(tokens.map(({ token, position, source, read }) => [token, position, source, read])).toEqual([
        ['the', 0, 'the', true],
        ['dog', 1, 'dog', true],
        [',', 2, ',', false],
        ['the', 3, 'the', false],
        ['cat', 4, 'cat', false],
        ['and', 5, 'and', false],
        ['fur', 6, 'fur', true],
        ['the dog', 0, 'the dog', true],
      ]);
    }
    await pairs.close();
  });

  it('knows where the pieces of a HuggingFace tokenizer stand', async () => {
    const tokenizer = await wordPiece();
    const pieces = await TextClassifier.train(topicTexts(60), { ...SIZES, epochs: 1, tokenizer });
    const text = 'Ｔhe  café 🙂 HORSES, zyx';
    const { tokens } = await pieces.explain(text);
    expect(tokens.map(({ token }) => token)).toEqual(tokenizer.tokenize(text));
    const at = await tokenizer.spans(text);
    expect(tokens.map(({ start, end }) => [start, end])).toEqual(at);
    expect(tokens.map(({ source }) => source).join('')).toBe('ＴhecaféHORSES,zyx'.replace('é', 'é🙂'));
    await pieces.close();
  });

  const texts = fc.array(fc.constantFrom('a', 'dog', '<pad>', '<unk>', ' ', 'Fur', ',', '🙂'), { maxLength: 30 });
  it.each(['basic_english', 'unicode_words', 'characters', (text: string) => text.split(' ')] as const)(
    'reads what a prediction reads: %s',
    async (tokenizer) => {
      const settings = fc.record({
        tokenizer: fc.constant(tokenizer),
        ngrams: fc.constantFrom(1, 2, 3),
        maxLength: fc.integer({ min: 1, max: 9 }),
        truncate: fc.constantFrom('head', 'tail', 'both'),
      }) as fc.Arbitrary<Parameters<typeof readingOf>[1]>;
      await fc.assert(
        fc.asyncProperty(texts, settings, async (words, chosen) => {
          const text = words.join(' ');
          const model = modelTokenizer(chosen);
          const split = typeof model === 'function' ? model : (text: string) => model.tokenize(text);
          const { own, read } = await readingOf(text, chosen);
          expect(read.map(({ token }) => token)).toEqual(split(text));
          for (const { token, first, last } of read) {
            expect(
              own
                .slice(first, last + 1)
                .join(' ')
                .replaceAll('<pad>', '<unk>'),
            ).toBe(token);
          }
        }),
      );
    },
  );
});

const locate = (text: string, tokens: readonly string[], basic = true) => {
  const steps = locateTokens(text, tokens, basic);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value.map((span) => span && text.slice(...span));
  }
};

describe('where tokens stand in their text', () => {
  it('is found through lower case, dropped quotes, and line breaks of HTML', () => {
    const text = 'Ab "c"d;E<br />br İstanbul ΣΑΣ 😀x';
    expect(locate(text, basicEnglish(text))).toEqual(['Ab', 'c"d', 'E', 'br', 'İstanbul', 'ΣΑΣ', '😀x']);
  });

  it('is found through the forms of Unicode', () => {
    const text = 'Ｎoe\u0308l ﬁne x² 你好世界 İΣ';
    const tokens = unicodeWords(text);
    expect(tokens).toEqual(['noël', 'fine', 'x2', '你好', '世界', 'i̇ς']);
    expect(locate(text, tokens, false)).toEqual(['Ｎoe\u0308l', 'ﬁne', 'x²', '你好', '世界', 'İΣ']);
  });

  it('is not made up', () => {
    expect(locate('one 2 three', ['one', '<num>', 'three'], false)).toEqual(['one', undefined, 'three']);
    expect(locate('unhappy end', ['un', '##happy', '▁end'], false)).toEqual(['un', 'happy', 'end']);
    expect(locate('', ['a'], false)).toEqual([undefined]);
    expect(locate(`a${' '.repeat(5000)}b`, ['a', 'b'])).toEqual(['a', 'b']);
  });

  it('is found for every token of basic_english, and gives that token again', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('<br />', '"', "'", ' ', ';', '\u0130', 'Σ', 'ß', 'A.B'),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join('');
        const tokens = basicEnglish(text);
        // A sigma is lowered by its place in the word, which a piece of the text does not have.
        const same = (token: string) => token.replaceAll('ς', 'σ');
        for (const [i, source] of locate(text, tokens).entries()) {
          expect(basicEnglish(source!).map(same)).toEqual([same(tokens[i]!)]);
        }
      }),
      { numRuns: 500 },
    );
  });
});
