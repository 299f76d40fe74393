import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Row, type StartEvent, TextClassifier, type TrainOptions } from '../../src/index.js';
import { light } from '../../src/native/light.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const rows = topicTexts(60);
const chinese: Row[] = Array.from({ length: 40 }, (_, i) =>
  i % 2 === 0
    ? { text: `这本书很好${i}，我喜欢`, label: 'good' }
    : { text: `质量很差${i}，我不喜欢这本书`, label: 'bad' },
);
const SMALL: TrainOptions = { linear: false, embeddingDim: 4, hiddenSize: 4, threads: 1 };

/** Trains, and gives the file that the model makes and the `start` event. */
async function trained(rows: Parameters<typeof TextClassifier.train>[0], options: TrainOptions) {
  let start: StartEvent | undefined;
  const onEvent: TrainOptions['onEvent'] = (event) => {
    if (event.type === 'start') start = event;
  };
  using model = await TextClassifier.train(rows, { ...SMALL, ...options, onEvent });
  const path = join(folder, 'model');
  await model.save(path);
  const { metadata } = await light().readSafetensors(path, 1 << 30);
  const { tokenizer } = JSON.parse(metadata.model!) as { tokenizer: string };
  return { start: start!, tokenizer, sha256: metadata.sha256! };
}

describe('what a training chooses by its rows', () => {
  it('is told as it starts, with the reason', async () => {
    const { start } = await trained(rows, {});
    expect(start.chosen).toEqual([
      { option: 'tokenizer', value: 'basic_english', why: 'words are separated by spaces' },
      { option: 'epochs', value: 4, why: '3 labels' },
      { option: 'batchSize', value: 8, why: '60 rows' },
      { option: 'adversarial', value: 0.05, why: '60 rows, 3 labels' },
    ]);
    const { start: both } = await trained(rows, {
      linear: true,
      epochs: 1,
      batchSize: 8,
      adversarial: 0,
      tokenizer: 'characters',
    });
    expect(both.chosen).toMatchObject([{ option: 'linear' }]);
    const { start: all } = await trained(rows, { epochs: 1, batchSize: 8, adversarial: 0, tokenizer: 'characters' });
    expect(all.chosen).toEqual([]);
  });

  it('is the tokenizer by the script of the texts, the same as if an option had named it', async () => {
    const usual = await trained(rows, {});
    expect(usual.tokenizer).toBe('basic_english');
    expect(usual.sha256).toBe((await trained(rows, { tokenizer: 'basic_english' })).sha256);
    const words = await trained(chinese, { validation: 0.2 });
    expect(words.tokenizer).toBe('unicode_words');
    expect(words.sha256).toBe((await trained(chinese, { tokenizer: 'unicode_words', validation: 0.2 })).sha256);
    expect(words.start.chosen[0]).toMatchObject({ option: 'tokenizer', value: 'unicode_words' });
  });

  it('is told of rows that can be read once, of which none is lost', async () => {
    const expected = await trained([...rows, ...rows], {});
    const once = function* () {
      yield* rows;
      yield* rows;
    };
    const slowly = async function* () {
      yield* once();
    };
    expect((await trained(once(), {})).sha256).toBe(expected.sha256);
    expect((await trained(slowly(), {})).sha256).toBe(expected.sha256);
    const many = topicTexts(2_500);
    const all = async function* () {
      yield* many;
    };
    const { start, sha256 } = await trained(all(), { epochs: 1 });
    expect(start.rows).toBe(2_500);
    expect(sha256).toBe((await trained(many, { epochs: 1 })).sha256);
  });

  it('leaves the faults of the rows where they are', async () => {
    const faulty = function* () {
      yield* rows.slice(0, 3);
      throw new Error('the source is gone');
    };
    await expect(trained(faulty(), {})).rejects.toThrow('the source is gone');
    const worse = async function* () {
      yield { text: 'cat', label: {} } as unknown as Row;
      throw new Error('the source is gone');
    };
    await expect(trained(worse(), {})).rejects.toThrow(/row 1: expected \{ text, label \}/);
    let closed = false;
    const endless = function* () {
      try {
        for (let i = 0; ; i++) yield i < 1_500 ? rows[i % rows.length]! : ({} as Row);
      } finally {
        closed = true;
      }
    };
    await expect(trained(endless(), {})).rejects.toThrow(/row 1501: expected/);
    expect(closed).toBe(true);
  });

  it('stays in a training that resumes', async () => {
    const checkpoint = join(folder, 'checkpoint');
    const whole = await trained(chinese, { epochs: 3 });
    const run = TextClassifier.start(chinese, { ...SMALL, epochs: 3, checkpoint });
    for await (const { type, epoch } of run) if (type === 'checkpoint' && epoch > 1) run.stop();
    (await run.result).close();
    const resumed = await trained(chinese, { resume: checkpoint });
    expect(resumed.start.chosen).toEqual([]);
    expect(resumed.sha256).toBe(whole.sha256);
    await expect(trained(chinese, { resume: checkpoint, tokenizer: 'basic_english' })).rejects.toThrow(
      'tokenizer was "unicode_words" and is now "basic_english"',
    );
  });
});
