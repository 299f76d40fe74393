import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ArgumentError, LanguageModel, type LoadOptions, TextClassifier, TextTagger } from '../../src/index.js';
import { recurra } from '../support/cli.js';
import { temporaryFolder } from '../support/folder.js';
import { rows, SMALL, texts } from '../support/linear.js';

const folder = temporaryFolder();
const path = (name: string) => join(folder, name);
const NETWORK = { ...SMALL, linear: false, hiddenSize: 24, epochs: 3 } as const;

async function refusal(work: Promise<unknown>): Promise<ArgumentError> {
  return work.then(
    () => expect.fail('no error'),
    (error: unknown) => error as ArgumentError,
  );
}

describe('recurrent weights in 8 bits', () => {
  it.each(['lstm', 'gru', 'rnn'] as const)('a classifier of cell %s answers nearly the same', async (cell) => {
    const file = path(cell);
    {
      using model = await TextClassifier.train(rows, { ...NETWORK, cell, members: 2 });
      expect(model.recurrentWeights).toBe('float32');
      await model.save(file);
    }
    using whole = await TextClassifier.load(file, { threads: 1 });
    using rounded = await TextClassifier.load(file, { threads: 1, recurrentWeights: 'int8' });
    expect([whole.recurrentWeights, rounded.recurrentWeights]).toEqual(['float32', 'int8']);
    const [expected, ours] = [await whole.predictMany(texts), await rounded.predictMany(texts)];
    const off = expected.map(({ probability }, at) => Math.abs(probability - ours[at]!.probability));
    expect(Math.max(...off)).toBeGreaterThan(0);
    expect(Math.max(...off)).toBeLessThan(0.02);
    expect(ours.map(({ label }) => label)).toEqual(expected.map(({ label }) => label));
    // A single text, on the calling thread or not.
    expect((await rounded.predict(texts[0]!)).probability).toBeCloseTo(ours[0]!.probability, 6);
    await rounded.save(path('again'));
    expect(readFileSync(path('again')).equals(readFileSync(file))).toBe(true);
  });

  it('taggers and language models take them too', async () => {
    const sentences = Array.from({ length: 40 }, (_, at) => ({
      tokens: ['in', `town${at % 7}`, 'today'],
      tags: ['O', 'B-PLACE', 'O'],
    }));
    {
      using tagger = await TextTagger.train(sentences, { embeddingDim: 8, hiddenSize: 8, epochs: 3, threads: 1 });
      await tagger.save(path('tagger'));
    }
    using tagger = await TextTagger.load(path('tagger'), { recurrentWeights: 'int8' });
    using exact = await TextTagger.load(path('tagger'));
    expect(tagger.recurrentWeights).toBe('int8');
    const tokens = sentences.map((sentence) => sentence.tokens);
    const tags = async (model: TextTagger) => (await model.predictMany(tokens)).map((tagging) => tagging.tags);
    expect(await tags(tagger)).toEqual(await tags(exact));

    const text = 'to be or not to be, that is the question. '.repeat(30);
    {
      using language = await LanguageModel.train([text], { embeddingDim: 8, hiddenSize: 16, epochs: 2, threads: 1 });
      await language.save(path('language'));
    }
    using language = await LanguageModel.load(path('language'), { recurrentWeights: 'int8' });
    using whole = await LanguageModel.load(path('language'));
    expect(language.recurrentWeights).toBe('int8');
    const [before, after] = [(await whole.evaluate([text])).loss, (await language.evaluate([text])).loss];
    expect(after).not.toBe(before);
    expect(Math.abs(after - before)).toBeLessThan(0.02);
  });

  it('are refused where there are none', async () => {
    using model = await TextClassifier.train(rows, { ...NETWORK, cell: 'mingru', epochs: 1 });
    await model.save(path('mingru'));
    const error = await refusal(TextClassifier.load(path('mingru'), { recurrentWeights: 'int8' }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', option: 'recurrentWeights' });
    expect(error.message).toContain('one of the cells lstm, gru, rnn, but this one has mingru');
    const wrong = { recurrentWeights: 'int4' } as unknown as LoadOptions;
    expect(await refusal(TextClassifier.load(path('mingru'), wrong))).toMatchObject({ option: 'recurrentWeights' });
  });

  it('the command line has a flag for them', async () => {
    const args = ['predict', path('lstm'), texts[0]!, '--json'];
    const [exact, rounded] = [recurra(args), recurra([...args, '--recurrent-weights', 'int8'])];
    expect([exact.status, rounded.status]).toEqual([0, 0]);
    expect(rounded.json()).not.toEqual(exact.json());
    const { status, err } = recurra([...args, '--recurrent-weights', 'int4']);
    expect(status).toBe(2);
    expect(err).toMatch(/Allowed choices are float32, int8/);
  });
});
