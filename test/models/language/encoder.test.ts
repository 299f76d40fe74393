import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LanguageModel, type LanguageOptions, TextClassifier, TextTagger } from '../../../src/index.js';
import { temporaryFolder } from '../../support/folder.js';
import { placeRows } from '../../support/places.js';
import { topicTexts } from '../../support/texts.js';

const folder = temporaryFolder();
const SMALL: LanguageOptions = {
  units: 'words',
  embeddingDim: 12,
  hiddenSize: 10,
  numLayers: 2,
  window: 16,
  batchSize: 8,
  epochs: 2,
  threads: 1,
};
/** A training whose steps move no weight. */
const UNMOVED = { epochs: 1, optimizer: 'sgd', lr: 1e-30 } as const;
const rows = topicTexts(300);
const [head, tail] = [rows.slice(0, 150), rows.slice(150)];

let model: LanguageModel;
let characters: LanguageModel;

beforeAll(async () => {
  model = await LanguageModel.train([...tail.map(({ text }) => text), 'Berlin. zebra crossing.'], SMALL);
  const { units: _, ...others } = SMALL;
  characters = await LanguageModel.train([tail.map(({ text }) => text).join('\n')], others);
});
afterAll(async () => {
  await model.close();
  await characters.close();
});

/** An array of a model, as its file has it. */
async function stored(of: TextClassifier | TextTagger, name: string): Promise<Float32Array> {
  const path = join(folder, 'stored');
  await of.save(path);
  const { light } = await import('../../../src/native/light.js');
  const { tensors } = await light().readSafetensors(path, 1 << 30);
  const { data } = tensors.find((tensor: { name: string }) => tensor.name === name)!;
  return new Float32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength));
}

async function layer(of: LanguageModel, name: string): Promise<Float32Array> {
  const { data } = (await of.encoderState()).find((entry) => entry.name === name)!;
  return new Float32Array(data.buffer, data.byteOffset, data.byteLength / 4);
}

/** The vector of a word. */
const rowOf = (matrix: Float32Array, row: number) => [...matrix.subarray(row * 12, row * 12 + 12)];

describe('embed', () => {
  it('gives one vector for each text, whatever stands beside it', async () => {
    const texts = ['a cat with fur', '', 'a steel hammer', 'a cat with fur'];
    const found = await model.embed(texts);
    expect(found.map(({ length }) => length)).toEqual([10, 10, 10, 10]);
    expect(found[0]).toEqual(found[3]);
    expect([...found[0]!]).not.toEqual([...found[2]!]);
    for (const [place, text] of texts.entries()) {
      const [alone] = await model.embed([text]);
      const worst = Math.max(...alone!.map((value, i) => Math.abs(value - found[place]![i]!)));
      expect(worst).toBeLessThan(1e-6);
    }
    expect(await model.embed([])).toEqual([]);
    // Longer than a batch: read piece by piece.
    const long = await model.embed(new Set(['a cat with fur. '.repeat(20_000), 'a cat']));
    expect(long).toHaveLength(2);
    expect(long[0]!.every(Number.isFinite)).toBe(true);
  });

  it('is stopped by a signal, and refuses what is no text', async () => {
    await expect(model.embed(['a'], { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(model.embed('a text' as never)).rejects.toThrow('Expected an array of strings for texts');
    await expect(model.embed(['a', 5] as never)).rejects.toThrow('Expected a string for texts[1]');
    await expect(model.embed(null as never)).rejects.toThrow('Expected an array of strings for texts');
    const closed = await LanguageModel.train(['a b c d e f'], { ...SMALL, window: 2 });
    await closed.close();
    await expect(closed.embed(['a'])).rejects.toMatchObject({ code: 'DISPOSED' });
    await expect(closed.encoderState()).rejects.toMatchObject({ code: 'DISPOSED' });
  });
});

describe('a classifier that begins with a language model', () => {
  const options = { ...UNMOVED, linear: false, seed: 3 } as const;

  it('has its vocabulary, vectors and layers, and its own weights for the rest', async () => {
    await using made = await TextClassifier.train(head, { ...options, encoder: model });
    expect(made.settings).toMatchObject({ cell: 'lstm', embeddingDim: 12, hiddenSize: 10, numLayers: 2 });
    // A word that no row has, and one that the tokenizer gives in lower case.
    expect(made.vocab.has('zebra')).toBe(true);
    expect(made.vocab.has('berlin')).toBe(true);
    const [own, given] = [await stored(made, 'embedding.weight'), await layer(model, 'embedding.weight')];
    expect(rowOf(own, made.vocab.get('zebra'))).toEqual(rowOf(given, model.vocab.get(' zebra')));
    expect(rowOf(own, made.vocab.get('berlin'))).toEqual(rowOf(given, model.vocab.get('Berlin')));
    expect(await stored(made, 'rnn.weight_hh_l1')).toEqual(await layer(model, 'rnn.weight_hh_l1'));
    expect(await stored(made, 'rnn.weight_ih_l0')).toEqual(await layer(model, 'rnn.weight_ih_l0'));
    // The second layer reads both directions of the first, of which the encoder has one.
    const [wide, narrow] = [await stored(made, 'rnn.weight_ih_l1'), await layer(model, 'rnn.weight_ih_l1')];
    for (const row of [0, 7, 39])
      expect(wide.slice(row * 20, row * 20 + 10)).toEqual(narrow.slice(row * 10, row * 10 + 10));
    const shape = { embeddingDim: 12, hiddenSize: 10, numLayers: 2 };
    await using drawn = await TextClassifier.train(head, { ...options, ...shape });
    expect(await stored(made, 'rnn.weight_hh_l0_reverse')).toEqual(await stored(drawn, 'rnn.weight_hh_l0_reverse'));
    expect(await stored(made, 'fc.weight')).toEqual(await stored(drawn, 'fc.weight'));
  });

  it('reads characters or pieces as the language model does, and knows words of the rows alone if asked', async () => {
    await using made = await TextClassifier.train(head, { ...options, encoder: characters, bidirectional: false });
    expect(made.vocab.has('z')).toBe(characters.vocab.has('z'));
    expect(await stored(made, 'rnn.weight_ih_l1')).toEqual(await layer(characters, 'rnn.weight_ih_l1'));
    expect((await made.predict('cat')).tokens).toBe(3);
    const pieces = await LanguageModel.train(
      tail.map(({ text }) => text),
      { ...SMALL, units: 'pieces', maxTokens: 400, window: 8 },
    );
    await using ofPieces = await TextClassifier.train(head, { ...options, encoder: pieces, members: 2 });
    await pieces.close();
    expect((await ofPieces.predict('a cat with fur')).knownTokens).toBeGreaterThan(3);
    expect(await stored(ofPieces, 'member.2.rnn.weight_hh_l0')).toEqual(await stored(ofPieces, 'rnn.weight_hh_l0'));
    await using few = await TextClassifier.train(head, { ...options, encoder: model, embeddingWords: 0 });
    expect(few.vocab.has('zebra')).toBe(false);
  });

  it('resumes from a checkpoint without the language model', async () => {
    const path = join(folder, 'checkpoint');
    const some = { linear: false, seed: 3, epochs: 2, threads: 1 } as const;
    await using whole = await TextClassifier.train(head, { ...some, encoder: model });
    const run = TextClassifier.start(head, { ...some, encoder: model, checkpoint: { path, everySteps: 2 } });
    for await (const { step } of run) if (step >= 4) run.stop();
    await (await run.result).close();
    await using resumed = await TextClassifier.train(head, { resume: path });
    expect(await stored(resumed, 'rnn.weight_hh_l0')).toEqual(await stored(whole, 'rnn.weight_hh_l0'));
  });

  it('refuses what does not go together', async () => {
    const refused = (others: object, message: string) =>
      expect(TextClassifier.train(head, { ...options, encoder: model, ...others })).rejects.toThrow(message);
    await refused({ hiddenSize: 64 }, 'hiddenSize is 64, but the encoder has 10; remove hiddenSize');
    await refused({ cell: 'gru' }, 'cell is gru, but the encoder has lstm');
    await refused({ unlabelled: ['a'] }, 'encoder cannot be combined with unlabelled');
    await refused({ recurrent: false, linear: true }, 'encoder does not apply with recurrent: false');
    await refused({ encoder: 'model.safetensors' }, 'Expected a LanguageModel for encoder but received');
    await refused({ encoder: null }, 'Expected a LanguageModel for encoder but received null');
    await refused({ tokenizer: () => ['日本'] }, 'the encoder has a vector for none of the 3 words');
    const bytes = await LanguageModel.train(['some bytes'], { ...SMALL, units: 'bytes', window: 2, epochs: 1 });
    await refused({ encoder: bytes }, 'are its units of another kind than the tokens?');
    await bytes.close();
    const closed = await LanguageModel.train(
      tail.map(({ text }) => text),
      { ...SMALL, epochs: 1 },
    );
    await closed.close();
    await refused({ encoder: closed }, 'this LanguageModel has been closed');
    const encoder = { encoder: model } as never;
    await expect(LanguageModel.train(['a'], encoder)).rejects.toThrow(/encoder/);
  });
});

describe('a tagger that begins with a language model', () => {
  it('has its layers beside the features of characters', async () => {
    const options = { epochs: 1, seed: 3, encoder: model };
    const places = placeRows(60);
    await using made = await TextTagger.train(places, { ...options, ...UNMOVED, subwords: { buckets: 100, dim: 5 } });
    const [wide, narrow] = [await stored(made, 'rnn.weight_ih_l0'), await layer(model, 'rnn.weight_ih_l0')];
    for (const row of [0, 7, 39])
      expect(wide.slice(row * 17, row * 17 + 12)).toEqual(narrow.slice(row * 12, row * 12 + 12));
    const [own, given] = [await stored(made, 'embedding.weight'), await layer(model, 'embedding.weight')];
    expect(rowOf(own, made.vocab.get('zebra'))).toEqual(rowOf(given, model.vocab.get(' zebra')));
    await using trained = await TextTagger.train(places, options);
    expect(trained.history.at(-1)!.loss).toBeLessThan(100);
  });

  it('leaves the characters of words aside in a classifier', async () => {
    const many = Array.from({ length: 60 }, (_, i) => ({ text: rows[i]!.text, label: String(i % 20) }));
    const given = { encoder: model, ...UNMOVED, linear: false } as const;
    await using one = await TextClassifier.train(many, given);
    expect(one.settings.embeddingDim).toBe(12);
    await expect(TextClassifier.train(many, { ...given, subwords: true })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      option: 'subwords',
    });
  });
});
