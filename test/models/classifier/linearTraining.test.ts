import { describe, expect, it } from 'vitest';
import { LinearTexts } from '../../../src/engine/linear.js';
import { type Row, TextClassifier, TrainingError, type TrainingEvent } from '../../../src/index.js';
import { temporaryFolder } from '../../support/folder.js';
import { arraysOf, OPTIONS, rows, texts } from '../../support/linear.js';
import { topicTexts } from '../../support/texts.js';

const folder = temporaryFolder();

describe('the training of a linear model', () => {
  it('is left out with a warning where there are too many labels', async () => {
    const many: Row[] = Array.from({ length: 2_001 }, (_, at) => ({ text: `word${at % 7}`, label: `${at}` }));
    const warnings: TrainingEvent[] = [];
    const onEvent = (event: TrainingEvent) => {
      // That there are as many labels as rows is another one.
      if (event.type === 'warning' && event.about !== 'rows') warnings.push(event);
    };
    using model = await TextClassifier.train(many, { ...OPTIONS, epochs: 1, onEvent });
    expect(model.mix).toBeUndefined();
    expect(warnings).toMatchObject([{ about: 'linear', error: { code: 'OUT_OF_RANGE' } }]);
    expect((warnings[0] as { error: Error }).error.message).toMatch('2000 labels at most, not 2001');
  });

  it('keeps to a limit of its bytes', async () => {
    const bytesOf = async (model: TextClassifier) => {
      const linear = (await arraysOf(folder, model)).tensors.filter(({ name }) => name.startsWith('linear.'));
      return linear.reduce((sum, { data }) => sum + data.byteLength, 0);
    };
    using whole = await TextClassifier.train(rows, { ...OPTIONS, epochs: 1 });
    using small = await TextClassifier.train(rows, { ...OPTIONS, epochs: 1, maxLinearBytes: 2_000 });
    expect(await bytesOf(small)).toBeLessThanOrEqual(2_000);
    expect(await bytesOf(small)).toBeGreaterThan(1_000);
    expect(await bytesOf(whole)).toBeGreaterThan(4_000);
    await expect(TextClassifier.train(rows, { ...OPTIONS, maxLinearBytes: 999 })).rejects.toMatchObject({
      code: 'OUT_OF_RANGE',
      option: 'maxLinearBytes',
    });
  });

  it('tells how far it is', async () => {
    const shares: number[] = [];
    const onEvent = (event: TrainingEvent) => {
      if (event.type === 'prepare' && event.about === 'linear') shares.push(event.share);
    };
    using _ = await TextClassifier.train(rows, { ...OPTIONS, epochs: 1, onEvent });
    expect(shares.length).toBeGreaterThanOrEqual(2);
    expect(shares.every((share, at) => share >= (shares[at - 1] ?? 0))).toBe(true);
    expect(shares.at(-1)).toBeCloseTo(1, 6);
  });

  it('ends with the error of a callback that hears of it', async () => {
    const onEvent = ({ type }: TrainingEvent) => {
      if (type === 'prepare') throw new RangeError('enough');
    };
    await expect(TextClassifier.train(rows, { ...OPTIONS, onEvent })).rejects.toThrow('enough');
  });

  it('stops when the signal is aborted, and frees its memory with the model', async () => {
    const many = Array.from({ length: 40 }, (_, at) => topicTexts(300, at)).flat();
    const controller = new AbortController();
    function* aborting() {
      yield* many;
      setImmediate(() => setImmediate(() => controller.abort('enough')));
    }
    const training = TextClassifier.train(aborting(), { ...OPTIONS, signal: controller.signal });
    const error = await training.then(
      () => expect.fail('no error'),
      (reason: unknown) => reason as TrainingError,
    );
    expect(error).toBeInstanceOf(TrainingError);
    expect(error.code).toBe('ABORTED');
    expect(error.message).toBe('the training, before its first step, was aborted');
    expect(error.cause).toBe('enough');
    expect(error.model).toBeUndefined();
    const model = await TextClassifier.train(rows, OPTIONS);
    const pending = model.predictMany(texts);
    await model.close();
    expect(await pending).toHaveLength(60);
    await expect(model.predict('x')).rejects.toMatchObject({ code: 'DISPOSED' });
  });
});

describe('texts of a linear model', () => {
  const options = { classes: 3, classWeights: [], threads: 1, seed: 0, maxBytes: undefined };
  const given = () => {
    const list = new LinearTexts();
    for (const { text } of rows) list.add(text);
    return list;
  };

  it('are given up before they are counted, and while they are trained on', async () => {
    const list = given();
    list.abort();
    await expect(list.count(undefined, 1)).rejects.toMatchObject({ code: 'ABORTED' });
    const later = given();
    const counted = await later.count(undefined, 2);
    later.abort();
    const labels = Int32Array.from(rows, (_, at) => at % 3);
    await expect(counted.train({ labels }, options)).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('are errors, not faults, where they do not fit', async () => {
    const list = given();
    await expect(list.count(Int32Array.of(0, 300), 1)).rejects.toMatchObject({ code: 'OUT_OF_RANGE' });
    const counted = await list.count(Int32Array.of(0, 1), 1);
    await expect(counted.train({ labels: Int32Array.of(0, 9) }, options)).rejects.toMatchObject({
      code: 'OUT_OF_RANGE',
    });
    const model = await counted.train({ labels: Int32Array.of(0, 1) }, options);
    const mix = { network: 0.3, sharpness: 1 };
    expect(() => model.mixNow('x', new Float32Array(2), mix)).toThrow(/need as many scores/);
    await expect(model.mix(['x', 'y'], new Float32Array(3), mix, 1)).rejects.toMatchObject({ code: 'INVALID_SHAPE' });
    list.close();
    await expect(list.count(undefined, 1)).rejects.toMatchObject({ code: 'DISPOSED' });
    model.close();
    await expect((async () => model.state())()).rejects.toMatchObject({ code: 'DISPOSED' });
  });
});
