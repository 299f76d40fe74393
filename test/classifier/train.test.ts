import { describe, expect, it } from 'vitest';
import { ArgumentError, DataError, type Progress, TextClassifier, TrainingError } from '../../src/index.js';
import { topicTexts } from '../support/texts.js';

const SMALL = { embeddingDim: 16, hiddenSize: 16, batchSize: 16, epochs: 6, lr: 1e-2, dropout: 0.1, seed: 3 } as const;

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('expected a rejection'),
    (error: unknown) => error,
  );
}

describe('TextClassifier.train', () => {
  it.each(['rnn', 'lstm', 'gru', 'mingru'] as const)(
    'learns with %s cells and tells texts apart that it never saw',
    async (cell) => {
      using model = await TextClassifier.train(topicTexts(600), { ...SMALL, cell });
      const evaluation = await model.evaluate(topicTexts(150, 99));
      expect(evaluation.accuracy).toBeGreaterThan(0.95);
      expect(evaluation.rows).toBe(150);
      if (evaluation.multiLabel) throw new Error('the labels are exclusive');
      expect(evaluation.confusionMatrix!.flat().reduce((sum, count) => sum + count, 0)).toBe(150);
    },
  );

  it.each(['last', 'mean', 'max'] as const)('learns with %s pooling, one direction and two layers', async (pooling) => {
    using model = await TextClassifier.train(topicTexts(600), {
      ...SMALL,
      pooling,
      bidirectional: false,
      numLayers: 2,
    });
    expect((await model.evaluate(topicTexts(150, 99))).accuracy).toBeGreaterThan(0.9);
  });

  it('reports progress that adds up', async () => {
    const reports: Progress[] = [];
    using model = await TextClassifier.train(topicTexts(120), {
      ...SMALL,
      epochs: 2,
      validation: 0.25,
      onProgress: (report) => reports.push(report),
    });
    const epochs = reports.filter(({ kind }) => kind === 'epoch');
    expect(epochs.map(({ epoch, samples, totalSamples }) => [epoch, samples, totalSamples])).toEqual([
      [1, 90, 180],
      [2, 180, 180],
    ]);
    expect(epochs.every(({ validation }) => validation?.rows === 30)).toBe(true);
    expect(model.history).toEqual(epochs);
    expect(model.trainedRows).toBe(90);
  });

  it('gives the same model for the same seed, and another for another', async () => {
    const weights = async (seed: number) => {
      using model = await TextClassifier.train(topicTexts(90), { ...SMALL, epochs: 1, threads: 1, seed });
      return (await model.predict('the old cat')).classes.map(({ label, probability }) => `${label} ${probability}`);
    };
    const first = await weights(5);
    expect(await weights(5)).toEqual(first);
    expect(await weights(6)).not.toEqual(first);
  });

  it('keeps the weights of the best epoch', async () => {
    const validation = topicTexts(90, 50);
    using model = await TextClassifier.train(topicTexts(300), { ...SMALL, epochs: 4, validation });
    const best = Math.max(...model.history.map((report) => report.validation!.accuracy));
    expect((await model.evaluate(validation)).accuracy).toBe(best);
  });

  it('builds its vocabulary without the words of the validation share', async () => {
    const rows = topicTexts(100).map(({ label, text }, row) => ({ label, text: `${text} unique${row}` }));
    using model = await TextClassifier.train(rows, { ...SMALL, epochs: 1, validation: 0.3 });
    const unique = model.vocab.itos.filter((word) => word.startsWith('unique'));
    expect(unique.length).toBe(model.trainedRows);
  });

  it('reads rows from an async generator and accepts a tokenizer of the caller', async () => {
    async function* rows() {
      for (const { label, text } of topicTexts(90)) yield { label, text: text.replaceAll(' ', '|') };
    }
    using model = await TextClassifier.train(rows(), { ...SMALL, epochs: 1, tokenizer: (text) => text.split('|') });
    expect((await model.predict('cat|dog')).knownTokens).toBe(2);
  });

  it('reads no further than maxLength', async () => {
    using model = await TextClassifier.train(topicTexts(60), { ...SMALL, linear: false, epochs: 1, maxLength: 2 });
    const [long, short] = await model.predictMany(['the cat hammer hammer hammer', 'the cat']);
    expect(long!.tokens).toBe(2);
    expect(long!.classes).toEqual(short!.classes);
  });

  it('stops at an abort and hands over a model that works', async () => {
    const controller = new AbortController();
    const stop = () => controller.abort(new Error('enough'));
    const error = await rejection(
      TextClassifier.train(topicTexts(3_000), { ...SMALL, epochs: 1_000, signal: controller.signal, onProgress: stop }),
    );
    expect(error).toBeInstanceOf(TrainingError);
    const { code, model, cause } = error as TrainingError<TextClassifier>;
    expect(code).toBe('ABORTED');
    expect((cause as Error).message).toBe('enough');
    expect((await model!.predict('a cat with fur')).classes).toHaveLength(3);
    model!.close();
  });

  it('does not begin when the signal is already aborted', async () => {
    const error = await rejection(TextClassifier.train(topicTexts(9), { signal: AbortSignal.abort('enough') }));
    expect(error).toMatchObject({ code: 'ABORTED', model: undefined, cause: 'enough' });
  });

  it('stops at a loss that is not finite, names the batch, and keeps weights that are', async () => {
    const error = await rejection(TextClassifier.train(topicTexts(300), { ...SMALL, cell: 'rnn', lr: 1e38 }));
    expect(error).toBeInstanceOf(TrainingError);
    expect((error as TrainingError).code).toBe('NON_FINITE_LOSS');
    expect((error as TrainingError).message).toMatch(/epoch 1, batch \d+ of 19/);
    (error as TrainingError).model!.close();
  });
});

describe('what TextClassifier.train refuses', () => {
  it.each([
    [{ hidenSize: 3 }, /Unknown option "hidenSize".*known options: cell/],
    [
      { cell: 'transformer' },
      /Expected one of 'rnn', 'lstm', 'gru', 'mingru' for cell but received string "transformer"/,
    ],
    [{ epochs: 0 }, /Expected an integer from 1 .* for epochs but received number 0/],
    [{ lr: -1 }, /Expected a number above 0 for lr/],
    [{ lr: Number.NaN }, /for lr but received number NaN/],
    [{ dropout: 1 }, /Expected a number from 0 to below 1 for dropout/],
    [{ validation: 2 }, /Expected rows, or a share between 0 and 1 for validation/],
    [{ validation: 'rows.csv' }, /Expected rows, or a share between 0 and 1 for validation but received string/],
    [{ validation: { text: 'a', label: 'b' } }, /for validation but received Object/],
    [
      { freezeEmbeddings: -1 },
      /Expected true, false or a number of epochs for freezeEmbeddings but received number -1/,
    ],
    [{ seed: 2 ** 53 }, /Expected an integer from 0 to 9007199254740991 for seed/],
    [null, /Expected an object for options but received null/],
    [{ tokenizer: 'spacy' }, /for tokenizer but received string "spacy"/],
    [{ batchSize: 2.5 }, /for batchSize but received number 2.5/],
    [{ device: 'tpu' }, /for device but received string "tpu"/],
  ])('the options %o', async (options, message) => {
    const error = await rejection(TextClassifier.train(topicTexts(9), options as object));
    expect(error).toBeInstanceOf(ArgumentError);
    expect((error as ArgumentError).message).toMatch(message);
  });

  it('no rows, rows of one class, and rows that are no rows', async () => {
    await expect(TextClassifier.train([])).rejects.toMatchObject({ code: 'EMPTY_DATASET' });
    const cats = topicTexts(9).map(({ text }) => ({ text, label: 'cat' }));
    await expect(TextClassifier.train(cats)).rejects.toMatchObject({ code: 'SINGLE_CLASS', message: /"cat"/ });
    await expect(TextClassifier.train([{ text: 'a' }] as never)).rejects.toMatchObject({ code: 'INVALID_ROW' });
  });

  it('a label that only validation or evaluation has', async () => {
    const strange = [{ text: 'a cat', label: 'planet' }];
    const error = await rejection(TextClassifier.train(topicTexts(30), { ...SMALL, validation: strange }));
    expect(error).toBeInstanceOf(DataError);
    expect(error).toMatchObject({ code: 'UNKNOWN_LABEL', message: /"planet".*"animal", "food", "tool"/ });
    using model = await TextClassifier.train(topicTexts(30), { ...SMALL, epochs: 1 });
    await expect(model.evaluate(strange)).rejects.toMatchObject({ code: 'UNKNOWN_LABEL' });
    await expect(model.evaluate([])).rejects.toMatchObject({ code: 'EMPTY_DATASET' });
  });
});
