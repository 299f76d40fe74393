import { describe, expect, it } from 'vitest';
import { modelReading } from '../../../src/models/serving/reading.js';
import type { ServedModel } from '../../../src/models/serving/route.js';
import { Serving } from '../../../src/models/serving/serving.js';
import type { TokenSettings } from '../../../src/text/options.js';
import type { TokenizerLike } from '../../../src/text/tokenizer.js';
import { Vocab } from '../../../src/text/vocab.js';

const vocab = Vocab.fromTokens(['<unk>', '<pad>', 'a', 'b', 'c']);

/** An engine whose scores are the sum of a text's ids, their number, and the first one. */
function scoresOf(tokens: Int32Array, lengths: Int32Array): Float32Array {
  const scores: number[] = [];
  let at = 0;
  for (const length of lengths) {
    const ids = tokens.subarray(at, at + length);
    scores.push(
      ids.reduce((sum, id) => sum + id, 0),
      length,
      ids[0]!,
    );
    at += length;
  }
  return Float32Array.from(scores);
}

interface Calls {
  now: number;
  batches: number[];
}

async function served(tokenizer: TokenizerLike, quick: boolean): Promise<{ model: ServedModel; calls: Calls }> {
  const settings: TokenSettings = { tokenizer, ngrams: 1, maxLength: 4, truncate: 'head' };
  const calls: Calls = { now: 0, batches: [] };
  const engine: ServedModel['engine'] = {
    workPerToken: 1_000,
    scores: async (tokens, lengths) => {
      calls.batches.push(lengths.length);
      await new Promise((resolve) => setTimeout(resolve, 2));
      return scoresOf(tokens, lengths);
    },
    ...(quick && {
      scoresNow: (tokens: Int32Array, lengths: Int32Array) => {
        calls.now++;
        return scoresOf(tokens, lengths);
      },
    }),
  };
  return { model: { ...(await modelReading(settings, vocab)), engine, outputs: 3 }, calls };
}

const words = (text: string) => text.split(' ').filter((word) => word !== '');
const texts = ['a b c', '', 'zyx a', 'c c c c c c', 'b'];
const expected = [
  { sum: 9, first: 2, tokens: 3, known: 3 },
  { sum: 0, first: 0, tokens: 0, known: 0 },
  { sum: 2, first: 0, tokens: 2, known: 1 },
  { sum: 16, first: 4, tokens: 4, known: 4 },
  { sum: 3, first: 3, tokens: 1, known: 1 },
];
const answer = (scores: Float32Array, start: number, tokens: number, known: number) => ({
  sum: scores[start]!,
  first: scores[start + 2]!,
  tokens,
  known,
});

describe.each<[string, TokenizerLike]>([
  ['the addon', 'basic_english'],
  ['a function', words],
  ['a batch tokenizer', { tokenize: words, tokenizeMany: async (texts) => texts.map(words) }],
])('texts that %s reads', (_, tokenizer) => {
  it('get the answers that the model makes of their scores, in one batch or many', async () => {
    const { model, calls } = await served(tokenizer, false);
    const serving = Serving.of(model);
    expect(await serving.answer(texts, answer)).toEqual(expected);
    const many = Array.from({ length: 40 }, () => texts).flat();
    serving.set({ maxBatch: 7 });
    expect(await serving.answer(many, answer)).toEqual(Array.from({ length: 40 }, () => expected).flat());
    expect(Math.max(...calls.batches.slice(1))).toBe(7);
    await serving.drain();
    expect(serving.state).toMatchObject({ texts: 205, waiting: 0, running: 0 });
  });

  it('get answers of other kinds from the same batch', async () => {
    const serving = Serving.of((await served(tokenizer, false)).model);
    const [numbers, lists] = await Promise.all([
      serving.answer(['a b', 'c'], (scores, start) => scores[start]!),
      serving.answer(['c'], (scores, start) => [...scores.subarray(start, start + 3)]),
    ]);
    expect(numbers).toEqual([5, 4]);
    expect(lists).toEqual([[4, 1, 4]]);
    expect(serving.state.batches).toBe(1);
  });

  it('that fail, or whose answers do, end their own call', async () => {
    const serving = Serving.of((await served(tokenizer, false)).model);
    const [good, wrong, failed] = await Promise.allSettled([
      serving.answer(['a'], answer),
      serving.answer(['a', 5 as never], answer),
      serving.answer(['b', 'c'], () => {
        throw new Error('mine');
      }),
    ]);
    expect(good).toMatchObject({ status: 'fulfilled', value: [{ sum: 2 }] });
    expect(wrong).toMatchObject({ reason: { message: expect.stringContaining('texts[1]') } });
    expect(failed).toMatchObject({ reason: { message: 'mine' } });
  });
});

describe('a small call', () => {
  it('is computed at once where JavaScript makes the ids and the engine is quick', async () => {
    const { model, calls } = await served(words, true);
    const serving = Serving.of(model);
    const answers = serving.answer(texts, answer);
    expect(answers).toEqual(expected);
    expect(calls).toEqual({ now: 1, batches: [] });
    expect(serving.state).toMatchObject({ texts: 5, batches: 1 });
  });

  it('whose tokenizer throws is refused at once, also while others would be waited for', async () => {
    const { model } = await served(() => {
      throw new TypeError('no such text');
    }, true);
    const serving = Serving.of(model);
    serving.set({ maxWait: 60_000 });
    expect(() => serving.answer(['a'], answer)).toThrow('no such text');
  });
});
