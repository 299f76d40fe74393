import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TextTagger, tokensInText } from '../../src/index.js';
import { anyText } from '../support/anyText.js';
import { temporaryFolder } from '../support/folder.js';
import { placeRows } from '../support/places.js';

// A network this small has no room for the noise of the defaults.
const QUIET = { dropout: 0.2, embeddingDropout: 0.2, subwords: { dropout: 0 } };
const SMALL = { embeddingDim: 16, hiddenSize: 16, epochs: 6, lr: 0.02, ...QUIET, threads: 1, seed: 1 };
const folder = temporaryFolder();
const rows = placeRows(200);

describe.each(['crf', 'softmax'] as const)('a tagger with the decoder %s', (decoder) => {
  let model: TextTagger;
  beforeAll(async () => {
    model = await TextTagger.train(rows, { ...SMALL, decoder, epochs: decoder === 'crf' ? 6 : 12 });
  });
  afterAll(() => model.close());

  it('finds spans where they stand, with their probabilities', async () => {
    const text = 'In San Juan Hill, 😀😀 Ada   sees Eve in Rome';
    const { spans, tokens, tags, starts, probabilities } = await model.predict(text);
    expect(spans.map(({ start, end, label }) => [text.slice(start, end), label])).toEqual([
      ['San Juan Hill', 'LOC'],
      ['Ada', 'PER'],
      ['Eve', 'PER'],
      ['Rome', 'LOC'],
    ]);
    for (const { probability } of spans) {
      expect(probability).toBeGreaterThan(0.3);
      expect(probability).toBeLessThanOrEqual(1);
    }
    expect(tokens.map((token, i) => text.slice(starts[i], starts[i]! + token.length))).toEqual(tokens);
    expect(tags.slice(0, 4)).toEqual(['O', 'B-LOC', 'I-LOC', 'I-LOC']);
    expect(probabilities).toHaveLength(tokens.length);
  });

  it('gives as many tags as there are tokens, and spans in tokens', async () => {
    const { tags, spans, tokens } = await model.predict(['Dora', 'Lee', 'lives', 'in', 'Rome']);
    expect(tags).toEqual(['B-PER', 'I-PER', 'O', 'O', 'B-LOC']);
    expect(spans.map(({ start, end, text }) => [start, end, text])).toEqual([
      [0, 2, 'Dora Lee'],
      [4, 5, 'Rome'],
    ]);
    expect(tokens).toHaveLength(5);
  });

  it('points into every text', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(anyText, fc.constantFrom('Ada ', ' in Paris', 'New\u0301  York'))),
        async (parts) => {
          const text = parts.join('');
          const { spans, tokens, tags, probabilities } = await model.predict(text);
          let before = 0;
          for (const { start, end, text: part } of spans) {
            expect(start).toBeGreaterThanOrEqual(before);
            expect(end).toBeGreaterThan(start);
            expect(text.slice(start, end)).toBe(part);
            before = end;
          }
          expect(tokens).toEqual(tokensInText(text).map(({ token }) => token));
          expect([tags.length, probabilities.length]).toEqual([tokens.length, tokens.length]);
          expect((await model.predict(tokens)).tags).toEqual(tags);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('answers the same alone, together, and from its file', async () => {
    const path = `${folder}/${decoder}`;
    await model.save(path);
    using loaded = await TextTagger.load(path);
    const texts = rows.slice(0, 50).map(({ text }) => text);
    const alone = [];
    for (const text of texts) alone.push(await model.predict(text));
    const plain = (answers: readonly { tags: readonly string[]; spans: readonly { probability: number }[] }[]) =>
      answers.map(({ tags, spans }) => ({ tags, p: spans.map(({ probability }) => Number(probability.toFixed(4))) }));
    expect(plain(await model.predictMany(texts))).toEqual(plain(alone));
    expect(await loaded.predictMany(texts)).toEqual(await model.predictMany(texts));
    const crowd = await Promise.all(texts.map((text) => loaded.predict(text)));
    expect(plain(crowd)).toEqual(plain(alone));
  });

  it('answers to what is strange', async () => {
    expect(await model.predict('')).toMatchObject({ tokens: [], tags: [], spans: [], knownTokens: 0 });
    expect(await model.predict([])).toMatchObject({ tokens: [], tags: [], spans: [] });
    expect((await model.predictMany(['', 'Ada', '  '])).map(({ tags }) => tags.length)).toEqual([0, 1, 0]);
    const strange = ['\0', '\ud800', 'x'.repeat(1 << 20), '', '__proto__', '<pad>', '<unk>', '\ufeff'];
    const { tags, tokens, knownTokens } = await model.predict(strange);
    expect([tags.length, tokens, knownTokens]).toEqual([8, strange, 0]);
    const long = Array.from({ length: 100_000 }, (_, i) => (i % 3 === 0 ? 'Ada' : 'likes'));
    const answer = await model.predict(long);
    expect(answer.tags).toHaveLength(100_000);
    expect(answer.spans.at(-1)!.end).toBeGreaterThan(99_990);
  });

  it('refuses what is neither text nor tokens', async () => {
    await expect(model.predict(5 as never)).rejects.toThrow('Expected a text, or an array of tokens, for input');
    await expect(model.predict(['a', 5] as never)).rejects.toThrow(
      'Expected a string for input[1] but received number 5',
    );
    await expect(model.predictMany(['a', null] as never)).rejects.toThrow('inputs[1]');
    await expect(model.predictMany([['a'], ['b', {}]] as never)).rejects.toThrow('inputs[1][1]');
    await expect(model.predict('a', { topK: 1 } as never)).rejects.toThrow('Unknown option "topK"');
    const gone = AbortSignal.abort();
    await expect(model.predict('a', { signal: gone })).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

it('is closed at the end', async () => {
  const model = await TextTagger.train(rows.slice(0, 20), { ...SMALL, epochs: 1 });
  await model.close();
  await expect(model.predict('Ada')).rejects.toMatchObject({ code: 'DISPOSED' });
});
