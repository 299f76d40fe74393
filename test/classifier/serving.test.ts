import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Prediction, TextClassifier } from '../../src/index.js';
import { topicTexts } from '../support/texts.js';

const SMALL = { embeddingDim: 16, hiddenSize: 16, batchSize: 16, lr: 1e-2, seed: 1 };
const DEFAULTS = { maxBatch: 1_024, maxWait: 0, maxQueue: 10_000 };
const LONG = 60_000;

let model: TextClassifier;
beforeAll(async () => {
  model = await TextClassifier.train(topicTexts(300), SMALL);
});
afterEach(() => model.setServing(DEFAULTS));
afterAll(() => model.close());

const texts = (rows: number, seed: number) => topicTexts(rows, seed).map(({ text }) => text);

/** Lets the event loop go round. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

function expectSame(actual: Prediction, expected: Prediction): void {
  expect(actual).toMatchObject({
    label: expected.label,
    tokens: expected.tokens,
    knownTokens: expected.knownTokens,
  });
  expect(Math.abs(actual.probability - expected.probability)).toBeLessThan(1e-5);
}

describe('many callers', () => {
  it('are answered each with their own text, from far fewer batches', async () => {
    const asked = texts(2_000, 5);
    const expected = await model.predictMany(asked);
    const { batches, texts: before } = model.serving;
    const answers = await Promise.all(asked.map((text) => model.predict(text)));
    for (const [index, answer] of answers.entries()) expectSame(answer, expected[index]!);
    expect(model.serving.texts - before).toBe(2_000);
    expect(model.serving.batches - batches).toBeLessThan(1_000);
    expect(model.serving).toMatchObject({ waiting: 0, running: 0, refused: 0 });
  });

  it('get what they asked for, whatever the sizes of calls and batches', async () => {
    const pool = texts(400, 6);
    const expected = await model.predictMany(pool);
    const call = fc.record({
      from: fc.nat(350),
      size: fc.integer({ min: 0, max: 50 }),
      topK: fc.integer({ min: 1, max: 3 }),
      later: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 20 }), fc.integer({ min: 1, max: 40 }), async (calls, maxBatch) => {
        model.setServing({ maxBatch });
        const running = [];
        for (const { from, size, topK, later } of calls) {
          if (later) await turn();
          running.push(model.predictMany(pool.slice(from, from + size), { topK }));
        }
        const answers = await Promise.all(running);
        for (const [index, { from, size, topK }] of calls.entries()) {
          expect(answers[index]).toHaveLength(size);
          for (const [row, answer] of answers[index]!.entries()) {
            expectSame(answer, expected[from + row]!);
            expect(answer.classes).toHaveLength(topK);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('are answered between the batches of a long call', async () => {
    const order: string[] = [];
    const long = model.predictMany(texts(30_000, 7)).then(() => order.push('long'));
    await turn();
    await Promise.all(Array.from({ length: 5 }, () => model.predict('a cat with fur').then(() => order.push('short'))));
    await long;
    expect(order).toEqual(['short', 'short', 'short', 'short', 'short', 'long']);
  });

  it('leave the event loop its turns, also when each asks again as soon as it is answered', async () => {
    let turns = 0;
    let asking = true;
    const count = () => {
      turns++;
      if (asking) setImmediate(count);
    };
    setImmediate(count);
    for (let i = 0; i < 5_000; i++) await model.predict('a cat with fur');
    asking = false;
    expect(turns).toBeGreaterThan(1);
  });

  it('are not disturbed by a text whose tokenizer throws', async () => {
    const tokenizer = (text: string) => {
      if (text.includes('boom')) throw new TypeError('no such text');
      return text.split(' ');
    };
    await using other = await TextClassifier.train(topicTexts(60), { ...SMALL, epochs: 1, tokenizer });
    other.setServing({ maxWait: LONG, maxBatch: 4 });
    const answers = await Promise.allSettled([
      other.predict('a cat'),
      other.predict('boom'),
      other.predictMany(['a dog', 'boom', 'a saw']),
      other.predictMany(['soup', 'bread']),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(answers[2]).toMatchObject({ reason: { message: 'no such text' } });
    await expect(other.predict('boom')).rejects.toThrow(TypeError);
  });
});

describe('setServing', () => {
  it('bounds the queue: what comes when it is full is refused, what was let in is answered', async () => {
    model.setServing({ maxQueue: 4, maxWait: LONG });
    const { refused } = model.serving;
    const waiting = Array.from({ length: 4 }, () => model.predict('a cat with fur'));
    await turn();
    expect(model.serving.waiting).toBe(4);
    await expect(model.predict('a dog')).rejects.toMatchObject({ code: 'OVERLOADED', name: 'RecurraError' });
    await expect(model.predictMany(['a dog'])).rejects.toThrow(
      '4 texts are already waiting, and maxQueue is 4; try again later',
    );
    expect(model.serving.refused - refused).toBe(2);
    model.setServing({ maxWait: 0 });
    for (const answer of await Promise.all(waiting)) expect(answer.label).toBe('animal');
    expect((await model.predict('a dog')).label).toBe('animal');
  });

  it('lets a long call in while the queue has room, and never refuses it later', async () => {
    model.setServing({ maxQueue: 10, maxBatch: 7 });
    expect(await model.predictMany(texts(500, 9))).toHaveLength(500);
  });

  it('waits for more texts no longer than until a batch is full', async () => {
    model.setServing({ maxWait: LONG, maxBatch: 3 });
    const { batches } = model.serving;
    const first = model.predict('a cat');
    await turn();
    await turn();
    expect(model.serving).toMatchObject({ waiting: 1, batches });
    const rest = [model.predict('a dog'), model.predict('a saw')];
    await Promise.all([first, ...rest]);
    expect(model.serving.batches).toBe(batches + 1);
  });

  it('computes what has waited for maxWait', async () => {
    model.setServing({ maxWait: 1 });
    expect((await model.predict('a cat with fur')).label).toBe('animal');
  });

  it.each([
    [{ maxBatch: 0 }, 'Expected an integer of at least 1 for maxBatch but received number 0'],
    [{ maxQueue: 1.5 }, 'Expected an integer of at least 1 for maxQueue'],
    [{ maxWait: -1 }, 'Expected milliseconds from 0 to 60000 for maxWait'],
    [{ maxWait: Number.NaN }, 'Expected milliseconds from 0 to 60000 for maxWait'],
    [{ batch: 3 }, 'Unknown option "batch" for setServing; known options: maxBatch, maxWait, maxQueue'],
  ])('refuses %j, and changes nothing', (options, message) => {
    expect(() => model.setServing({ ...options, maxWait: 5, ...options } as never)).toThrow(message);
    expect(model.serving).toMatchObject(DEFAULTS);
  });
});

describe('a signal', () => {
  it('gives up the call that it belongs to, and no other', async () => {
    model.setServing({ maxWait: LONG });
    const abort = new AbortController();
    const stopped = model.predictMany(texts(20, 3), { signal: abort.signal });
    const other = model.predict('a cat with fur');
    await turn();
    abort.abort(new Error('gone'));
    await expect(stopped).rejects.toMatchObject({ code: 'ABORTED', cause: { message: 'gone' } });
    expect(model.serving.waiting).toBe(1);
    model.setServing({ maxWait: 0 });
    expect((await other).label).toBe('animal');
    await expect(model.predict('a cat', { signal: abort.signal })).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(model.predict('a cat', { signal: 1 as never })).rejects.toThrow('Expected an AbortSignal for signal');
  });

  it('stops a long call between two batches', async () => {
    const abort = new AbortController();
    const stopped = model.predictMany(texts(50_000, 3), { signal: abort.signal });
    const before = model.serving.texts;
    await turn();
    await turn();
    abort.abort();
    await expect(stopped).rejects.toMatchObject({ code: 'ABORTED' });
    await model.predict('a cat');
    expect(model.serving.texts - before).toBeLessThan(50_000);
  });
});

describe('training and closing', () => {
  it('predicts while other models are trained, with the same answers', async () => {
    const asked = texts(200, 2);
    const expected = await model.predictMany(asked);
    let training = true;
    const others = Promise.all([
      TextClassifier.train(topicTexts(900, 2), { ...SMALL, epochs: 6 }),
      TextClassifier.train(topicTexts(900, 3), { ...SMALL, epochs: 6, cell: 'gru' }),
    ]).finally(() => {
      training = false;
    });
    let rounds = 0;
    do {
      const one = await model.predict(asked[rounds % 200]!);
      expectSame(one, expected[rounds % 200]!);
      const many = await model.predictMany(asked);
      for (const [index, answer] of many.entries()) expectSame(answer, expected[index]!);
      rounds++;
      await turn();
    } while (training);
    for (const other of await others) {
      expect((await other.predict('a cat with fur')).label).toBe('animal');
      await other.close();
    }
  });

  it('close answers what was asked before, refuses what comes later, and can be called again', async () => {
    const other = await TextClassifier.train(topicTexts(60), { ...SMALL, epochs: 1 });
    const asked = texts(900, 3);
    const running = [
      other.predictMany(asked),
      other.predictMany(asked.slice(0, 40)),
      other.evaluate(topicTexts(900, 3)),
      ...asked.map((text) => other.predict(text)),
    ];
    let answered = 0;
    for (const one of running) one.then(() => answered++);
    const closed = other.close();
    await expect(other.predict('a')).rejects.toMatchObject({ code: 'DISPOSED' });
    await expect(other.predictMany(['a'])).rejects.toMatchObject({ code: 'DISPOSED' });
    await Promise.all([closed, other.close()]);
    expect(answered).toBe(running.length);
    const [many] = await Promise.all(running);
    expect(many).toHaveLength(900);
    await other.close();
    await expect(other.predict('a')).rejects.toMatchObject({ code: 'DISPOSED' });
  });

  it('close waits for no more texts, and `await using` closes', async () => {
    let label: Promise<Prediction>;
    let used: TextClassifier;
    {
      await using other = await TextClassifier.train(topicTexts(60), { ...SMALL, epochs: 1 });
      used = other;
      other.setServing({ maxWait: LONG });
      label = other.predict('a cat');
    }
    expect((await label).classes).toHaveLength(3);
    await expect(used.predict('a')).rejects.toMatchObject({ code: 'DISPOSED' });
  });
});
