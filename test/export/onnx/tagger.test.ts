import { describe, expect, it } from 'vitest';
import { Random, type TaggerTrainOptions, TextTagger } from '../../../src/index.js';
import { temporaryFolder } from '../../support/folder.js';
import { exported, farthest } from './session.js';

const folder = temporaryFolder();
const random = new Random(4);
const WORDS = ['Ada', 'ada', 'London', 'in', 'wrote', 'ALAN', 'x1', 'Zoë', 'of', '.'];
const sentences = Array.from({ length: 50 }, () =>
  Array.from({ length: 1 + random.int(8) }, () => WORDS[random.int(WORDS.length)]!),
);
/** A name after a name goes on with it. */
const rows = sentences.map((tokens) => ({
  tokens,
  tags: tokens.map((token, i) => {
    const name = /^A/i.test(token);
    if (!name) return token === 'London' ? 'B-LOC' : 'O';
    return i > 0 && /^A/i.test(tokens[i - 1]!) ? 'I-PER' : 'B-PER';
  }),
}));
const INPUTS = [...sentences.slice(0, 24), ['東京', 'unknownWORD', '1234-x'], [], ['Ada']];

const OPTIONS: TaggerTrainOptions = {
  epochs: 20,
  lr: 0.05,
  dropout: 0,
  embeddingDropout: 0,
  batchSize: 4,
  embeddingDim: 6,
  hiddenSize: 5,
  seed: 2,
  threads: 1,
};

describe("exportModel({ to: 'onnx' }) of a tagger", () => {
  it.each<TaggerTrainOptions>([
    {},
    { subwords: false, cell: 'gru', numLayers: 2 },
    { cell: 'mingru', numLayers: 2, lowercase: false },
    { cell: 'rnn', bidirectional: false, tokenizer: 'characters' },
  ])('finds the tags of a chain as we do with %j', async (options) => {
    await using model = await TextTagger.train(rows, { ...OPTIONS, ...options });
    const opened = await exported(model, folder);
    const { session, featurize } = opened;
    expect(session.inputNames).toEqual(
      options.subwords === false ? ['ids', 'lengths'] : ['ids', 'lengths', 'features'],
    );
    const { tags, scores } = await session.run(featurize(INPUTS));
    const [, time] = tags!.dims as [number, number];
    const expected = await model.predictMany(INPUTS);
    const found = new Set<string>();
    for (const [row, tokens] of INPUTS.entries()) {
      const all = Array.from(tags!.data as BigInt64Array, Number).slice(row * time, (row + 1) * time);
      const names = tokens.map((_, at) => featurize.labels[all[at]!]!);
      // The network's own tags say where an entity ends; those of the rows do not.
      const written = names.map((name) => name.replace(/^S-/, 'B-').replace(/^E-/, 'I-'));
      expect(written).toEqual(expected[row]!.tags);
      for (const name of names) found.add(name);
      expect(all.slice(Math.max(1, tokens.length)).every((tag) => tag === -1)).toBe(true);
      const alone = await session.run(featurize([tokens]));
      const own = alone.scores!.data as Float32Array;
      const [, , width] = scores!.dims as [number, number, number];
      const begin = row * time * width;
      expect(farthest(own, (scores!.data as Float32Array).slice(begin, begin + own.length))).toBeLessThan(1e-6);
    }
    expect(found.size).toBeGreaterThan(3);
  });

  it('has the scores of each token, whose softmax is our probability', async () => {
    await using model = await TextTagger.train(rows, { ...OPTIONS, decoder: 'softmax', epochs: 2 });
    const { session, featurize } = await exported(model, folder);
    const { scores } = await session.run(featurize(INPUTS));
    const [, time, width] = scores!.dims as [number, number, number];
    const values = scores!.data as Float32Array;
    const expected = await model.predictMany(INPUTS);
    for (const [row, { probabilities }] of expected.entries()) {
      const ours = probabilities.map((_, at) => {
        const token = values.subarray((row * time + at) * width, (row * time + at + 1) * width);
        const most = Math.max(...token);
        return 1 / token.reduce((sum, score) => sum + Math.exp(score - most), 0);
      });
      expect(farthest(ours, probabilities)).toBeLessThan(1e-6);
    }
  });

  it('splits texts into the tokens that we have', async () => {
    const texts = ['Ada Lovelace wrote it in London.', '東京 (Tokyo), x1!', ''];
    for (const tokenizer of ['unicode_words', 'characters'] as const) {
      await using model = await TextTagger.train(rows, { ...OPTIONS, tokenizer, epochs: 1 });
      const { featurize } = await exported(model, folder);
      const expected = await model.predictMany(texts);
      const tokens = expected.map((each) => [...each.tokens]);
      const [ofTexts, ofTokens] = [featurize(texts), featurize(tokens)];
      expect(ofTexts.ids!.data).toEqual(ofTokens.ids!.data);
      expect(ofTexts.features!.data).toEqual(ofTokens.features!.data);
    }
  });

  it('refuses a sentence that is longer than the model reads at once', async () => {
    await using model = await TextTagger.train(rows, { ...OPTIONS, epochs: 1, maxLength: 8 });
    const { featurize } = await exported(model, folder);
    expect(() => featurize([new Array(9).fill('Ada')])).toThrow(
      'a sentence has 9 tokens, but the model reads 8 at once',
    );
  });
});
