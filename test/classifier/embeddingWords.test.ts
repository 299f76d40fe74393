import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HuggingFaceTokenizer, TextClassifier, type TrainOptions } from '../../src/index.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';
import { savedAt } from '../support/weights.js';

const folder = temporaryFolder();
const file = join(folder, 'vectors.txt');
// No row has zebra, quoll, Emu, vole's or ape; of yak there are two.
const FILE = ['cat 1 2', 'zebra 3 4', 'Emu 5 6', 'quoll 7 8', "vole's 9 10", 'yak 11 12', 'yak 13 14', 'ape 15 16'];
writeFileSync(file, FILE.join('\n'));
const rows = topicTexts(120);
const OPTIONS: TrainOptions = {
  ...{ linear: false, hiddenSize: 6, batchSize: 16, epochs: 2, lr: 1e-2, seed: 3, threads: 1 },
  embeddings: file,
};

const saved = (model: TextClassifier) => savedAt(join(folder, 'saved'), model);

async function vectorOf(model: TextClassifier, word: string): Promise<number[]> {
  const index = model.vocab.get(word);
  return [...(await saved(model)).weight.subarray(2 * index, 2 * index + 2)];
}

/** The words that a model knows beyond those of the rows. */
async function beyond(options: TrainOptions): Promise<string[]> {
  using without = await TextClassifier.train(rows, { ...options, embeddingWords: 0 });
  using model = await TextClassifier.train(rows, options);
  expect(model.vocab.itos.slice(0, without.vocab.size)).toEqual(without.vocab.itos);
  return model.vocab.itos.slice(without.vocab.size);
}

describe('words of a file of vectors that no training row has', () => {
  it('are known after the training, in the order of the file, with the very vectors of the file', async () => {
    expect(await beyond(OPTIONS)).toEqual(['zebra', 'quoll', 'yak', 'ape']);
    using model = await TextClassifier.train(rows, OPTIONS);
    expect(await vectorOf(model, 'zebra')).toEqual([3, 4]);
    expect(await vectorOf(model, 'yak')).toEqual([11, 12]);
    expect(await vectorOf(model, 'ape')).toEqual([15, 16]);
    expect(await vectorOf(model, 'cat')).not.toEqual([1, 2]);
    expect((await model.predict('zebra quoll emu')).knownTokens).toBe(2);
    const { tokens } = await model.explain('zebra emu');
    expect(tokens.map(({ known }) => known)).toEqual([true, false]);
    const path = join(folder, 'loaded');
    await model.save(path);
    using loaded = await TextClassifier.load(path);
    expect(await loaded.predict('a zebra')).toEqual(await model.predict('a zebra'));
  });

  it('are as many as embeddingWords and maxTokens allow, and none are those of the rows', async () => {
    expect(await beyond({ ...OPTIONS, embeddingWords: 2 })).toEqual(['zebra', 'quoll']);
    using without = await TextClassifier.train(rows, { ...OPTIONS, embeddingWords: 0 });
    const { size } = without.vocab;
    expect(without.vocab.has('zebra')).toBe(false);
    expect(await beyond({ ...OPTIONS, maxTokens: size + 1 })).toEqual(['zebra']);
    expect(await beyond({ ...OPTIONS, maxTokens: size })).toEqual([]);
    await expect(TextClassifier.train(rows, { embeddingWords: 5 })).rejects.toThrow(
      'embeddingWords needs embeddings, unlabelled or encoder',
    );
  });

  it('are those that the tokenizer gives', async () => {
    expect(await beyond({ ...OPTIONS, tokenizer: 'unicode_words' })).toEqual([
      'zebra',
      'quoll',
      "vole's",
      'yak',
      'ape',
    ]);
    expect(await beyond({ ...OPTIONS, tokenizer: (text) => text.split(' ') })).toContain('Emu');
    const model = {
      type: 'WordPiece',
      vocab: { '[UNK]': 0, cat: 1, ze: 2, '##bra': 3, ape: 4, a: 5, the: 6, quoll: 7 },
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
    };
    const tokenizer = await HuggingFaceTokenizer.fromString(
      JSON.stringify({ version: '1.0', pre_tokenizer: { type: 'Whitespace' }, model }),
    );
    const pieces = join(folder, 'pieces.txt');
    writeFileSync(pieces, [...FILE, '##bra 17 18'].join('\n'));
    expect(await beyond({ ...OPTIONS, tokenizer, embeddings: pieces })).toEqual(['quoll', 'ape', '##bra']);
  });

  it('are known to validation rows, split off or by themselves', async () => {
    const validation = [
      { text: 'zebra', label: 'animal' },
      { text: 'quoll', label: 'food' },
    ];
    // At this rate nothing moves: only what the rows say decides the loss.
    const still = { ...OPTIONS, lr: 1e-30, epochs: 1 };
    const lossOf = async (options: TrainOptions) => {
      using model = await TextClassifier.train(rows, { ...still, ...options });
      return { model: model.history[0]!.validation!.loss, evaluated: (await model.evaluate(validation)).loss };
    };
    const own = await lossOf({ validation });
    expect(own.model).toBeCloseTo(own.evaluated, 6);
    const without = await lossOf({ validation, embeddingWords: 0 });
    expect(without.model).not.toBeCloseTo(own.model, 3);
    const few = [
      ...topicTexts(40),
      ...Array.from({ length: 40 }, (_, i) => ({ text: `ape${i} ape`, label: 'animal' })),
    ];
    const apes = join(folder, 'apes.txt');
    writeFileSync(apes, ['cat 1 2', ...Array.from({ length: 40 }, (_, i) => `ape${i} ${i} 2`)].join('\n'));
    using split = await TextClassifier.train(few, { ...still, embeddings: apes, validation: 0.25 });
    for (let i = 0; i < 40; i++) expect(split.vocab.has(`ape${i}`)).toBe(true);
    expect(new Set(split.vocab.itos).size).toBe(split.vocab.size);
  });

  it('are those of the checkpoint in a training that resumes, without the file', async () => {
    using whole = await TextClassifier.train(rows, OPTIONS);
    const checkpoint = join(folder, 'checkpoint');
    const run = TextClassifier.start(rows, { ...OPTIONS, checkpoint });
    for await (const { type, step } of run) if (type === 'step' && step >= 3) run.stop();
    (await run.result).close();
    renameSync(file, `${file}.away`);
    try {
      using resumed = await TextClassifier.train(rows, { resume: checkpoint });
      expect((await saved(resumed)).sha256).toBe((await saved(whole)).sha256);
      expect(resumed.vocab.has('quoll')).toBe(true);
      const others = rows.map(({ text, label }, i) => ({ text: i === 3 ? `${text} quoll` : text, label }));
      await expect(TextClassifier.train(others, { resume: checkpoint })).rejects.toMatchObject({
        code: 'DATA_MISMATCH',
      });
      await expect(TextClassifier.train(rows, { resume: checkpoint, embeddingWords: 7 })).rejects.toThrow(
        /embeddings was/,
      );
    } finally {
      renameSync(`${file}.away`, file);
    }
  });
});
