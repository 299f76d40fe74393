import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { HuggingFaceTokenizer, TextClassifier, type TrainOptions } from '../../src/index.js';
import { topicTexts } from '../support/texts.js';

const MARKS = ['\ufeff', '\u200b', '\u200b\u2060\ufeff'];

describe('a text that begins with a mark of no width', () => {
  it.each([
    ['basic_english', {}],
    ['characters', { tokenizer: 'characters' }],
    ['unicode_words', { tokenizer: 'unicode_words' }],
    ['a function', { tokenizer: (text: string) => text.split(' ') }],
    ['a tokenizer of HuggingFace', {}],
    ['the tail', { truncate: 'tail', maxLength: 3 }],
  ] as [string, TrainOptions][])('is read without it, by %s', async (name, options) => {
    const file = fileURLToPath(new URL('../fixtures/tokenizers/byte_bpe.json', import.meta.url));
    const tokenizer = name.includes('HuggingFace') ? await HuggingFaceTokenizer.fromFile(file) : undefined;
    const small = { embeddingDim: 4, hiddenSize: 4, epochs: 1, ...options, ...(tokenizer && { tokenizer }) };
    using model = await TextClassifier.train(topicTexts(60), small);
    const plain = await model.predict('cat bread');
    const { tokens } = await model.explain('cat bread');
    for (const mark of MARKS) {
      expect(await model.predict(`${mark}cat bread`)).toEqual(plain);
      expect((await model.predictMany([`${mark}cat bread`, 'x']))[0]).toEqual(plain);
      const explained = await model.explain(`${mark}cat bread`);
      expect(explained.tokens).toEqual(
        tokens.map(({ start, end, ...rest }) => ({ ...rest, start: start! + mark.length, end: end! + mark.length })),
      );
    }
    const marked = topicTexts(60).map(({ text, label }) => ({ text: `\ufeff${text}`, label }));
    using other = await TextClassifier.train(marked, small);
    expect(other.vocab.itos).toEqual(model.vocab.itos);
    expect(await other.predict('cat bread')).toEqual(plain);
  });
});
