import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HuggingFaceTokenizer, TextClassifier, type TrainOptions } from '../../../src/index.js';
import { anyText } from '../../support/anyText.js';
import { temporaryFolder } from '../../support/folder.js';
import { SMALL, topicTexts } from '../../support/texts.js';
import { exported, farthest, floats } from './session.js';

const folder = temporaryFolder();
const rows = topicTexts(90);
/** Texts of different lengths: none at all, one token, words that are not known, more than is read. */
const TEXTS = [
  'cat',
  '',
  'The DOG, "with" (unknown) words!',
  'salt '.repeat(40),
  ...rows.slice(0, 12).map(({ text }) => text),
];

/** The probabilities of a model, `[texts, labels]`. */
async function own(model: TextClassifier, texts: readonly string[]): Promise<number[]> {
  const predictions = await model.predictMany(texts);
  return predictions.flatMap(({ classes }) =>
    model.labels.map((label) => classes.find((given) => given.label === label)!.probability),
  );
}

async function compare(options: TrainOptions, tokenize?: (text: string) => string[], texts: readonly string[] = TEXTS) {
  const given = options.multiLabel
    ? rows.map(({ text, label }, i) => ({ text, label: i % 4 === 0 ? [] : [label as string, 'all'] }))
    : rows;
  const model = await TextClassifier.train(given, { ...SMALL, lr: 0.02, ...options });
  try {
    const opened = await exported(model, folder, tokenize);
    const expected = await own(model, texts);
    expect(farthest(await floats(opened, texts, 'probabilities'), expected)).toBeLessThan(1e-6);
    // A text alone is padded to its own length only.
    for (const [i, text] of texts.slice(0, 8).entries()) {
      const ofText = expected.slice(i * model.labels.length, (i + 1) * model.labels.length);
      expect(farthest(await floats(opened, [text], 'probabilities'), ofText)).toBeLessThan(1e-6);
    }
    return opened;
  } finally {
    await model.close();
  }
}

const PLAIN = { linear: false, embeddingDim: 6, hiddenSize: 5, epochs: 2 } as const;

describe("exportModel({ to: 'onnx' }) of a classifier", () => {
  it.each(
    (['lstm', 'gru', 'rnn', 'mingru'] as const).flatMap((cell) => [
      { cell, pooling: 'last', numLayers: 2, bidirectional: true } as const,
      { cell, pooling: 'mean', numLayers: 1, bidirectional: false } as const,
      { cell, pooling: 'attention', numLayers: 2, bidirectional: false } as const,
      { cell, pooling: 'max', numLayers: 1, bidirectional: true } as const,
    ]),
  )(
    'has the probabilities of $cell, pooling $pooling, $numLayers layers, both directions $bidirectional',
    async (options) => {
      const { session } = await compare({ ...PLAIN, ...options });
      expect(session.inputNames).toEqual(['ids', 'lengths']);
      expect(session.outputNames).toEqual(['probabilities']);
    },
  );

  it.each<TrainOptions>([
    {},
    { members: 2, ngrams: 3, maxLength: 4, truncate: 'both' },
    { multiLabel: true, truncate: 'tail', maxLength: 3 },
    { multiLabel: true, linear: false, members: 2 },
    { subwords: true, tokenizer: 'characters' },
    { tokenizer: 'unicode_words', ngrams: 2 },
  ])('mixes all parts as we do with %j', async (options) => {
    const { session } = await compare({ ...PLAIN, linear: true, ...options });
    expect(session.inputNames.includes('feature_indices')).toBe(options.linear !== false);
  });

  it('has two labels that one score of the linear model tells apart', async () => {
    const two = rows.filter(({ label }) => label !== 'tool');
    const model = await TextClassifier.train(two, { recurrent: false });
    const opened = await exported(model, folder);
    expect(opened.session.inputNames).toEqual(['feature_indices', 'feature_values']);
    expect(farthest(await floats(opened, TEXTS, 'probabilities'), await own(model, TEXTS))).toBeLessThan(1e-6);
    await model.close();
  });

  it('reads the tokens of a HuggingFace tokenizer', async () => {
    const vocab = Object.fromEntries(['[UNK]', 'the', 'cat', 'dog', 'salt', 'saw'].map((word, id) => [word, id]));
    const tokenizer = await HuggingFaceTokenizer.fromString(
      JSON.stringify({
        ...{ version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer: { type: 'Lowercase' } },
        ...{ pre_tokenizer: { type: 'Whitespace' }, post_processor: null, decoder: null },
        model: { type: 'WordLevel', vocab, unk_token: '[UNK]' },
      }),
    );
    const { featurize } = await compare({ ...PLAIN, tokenizer }, (text) => tokenizer.tokenize(text));
    expect(JSON.parse(featurize.settings.tokenizerJson as string).model.vocab).toEqual(vocab);
  });

  it.each(['basic_english', 'characters', 'unicode_words'] as const)('reads any text as %s does', async (tokenizer) => {
    const texts = fc.sample(anyText, { numRuns: 300, seed: 5 });
    // Words and n-grams that such texts have, so that features are found in them.
    const some = fc.sample(anyText, { numRuns: 200, seed: 6 }).map((text, i) => ({ text, label: `l${i % 3}` }));
    const model = await TextClassifier.train(some, { ...PLAIN, linear: true, tokenizer, ngrams: 2 });
    const opened = await exported(model, folder);
    expect(farthest(await floats(opened, texts, 'probabilities'), await own(model, texts))).toBeLessThan(1e-6);
    await model.close();
  });

  it('refuses a tokenizer function, and leaves no file', async () => {
    const model = await TextClassifier.train(rows, { ...SMALL, tokenizer: (text) => text.split(' ') });
    await expect(exported(model, `${folder}/`)).rejects.toMatchObject({
      name: 'ArgumentError',
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('uses a custom tokenizer function'),
    });
    await model.close();
  });
});
