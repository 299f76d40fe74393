import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Turns } from '../../../src/core/turns.js';
import { readTorchFile } from '../../../src/import/torchFile.js';
import {
  type ExportableModel,
  exportModel,
  LanguageModel,
  Seq2Seq,
  TextClassifier,
  TextTagger,
  type TrainOptions,
} from '../../../src/index.js';
import { floatsOf } from '../../../src/models/wordVectors.js';
import { temporaryFolder } from '../../support/folder.js';
import { pythonWith, runPython } from '../../support/python.js';
import { SMALL, topicTexts } from '../../support/texts.js';

const folder = temporaryFolder();
const torch = pythonWith('numpy', 'torch');
const rows = topicTexts(120);
const TEXTS = ['cat', 'the old hammer, and a SAW', '', 'soup with unheard words. the cat', 'bread '.repeat(30)];
let folders = 0;

async function answers<T>(model: ExportableModel, inputs: unknown): Promise<T[]> {
  const out = join(folder, `${folders++}`);
  await exportModel(model, { to: 'pytorch', out });
  return runPython(torch!, join(import.meta.dirname, 'predict.py'), [out], inputs) as T[];
}

const several = rows.map(({ text, label }, i) => ({ text, label: i % 3 ? [label] : [label, 'more'] }));

describe.runIf(torch)('a model in PyTorch', () => {
  it.each<[string, TrainOptions & { several?: boolean }]>([
    ['the LSTM in both directions', {}],
    ['two layers of GRU, forwards, last', { cell: 'gru', numLayers: 2, bidirectional: false, pooling: 'last' }],
    ['RNN, mean, both ends of long texts', { cell: 'rnn', pooling: 'mean', maxLength: 7, truncate: 'both', ngrams: 2 }],
    ['two layers of minGRU, attention', { cell: 'mingru', numLayers: 2, pooling: 'attention' }],
    ['several labels with the linear model', { several: true, linear: true }],
    ['two networks with the linear model', { linear: true, members: 2, pooling: 'last' }],
    ['the linear model alone', { recurrent: false, linear: true }],
  ])('answers as here: %s', async (_, { several: many, ...options }) => {
    const model = await TextClassifier.train(many ? several : rows, {
      ...SMALL,
      ...options,
      ...(many && { multiLabel: true }),
    });
    const found = await answers<{ label: string; labels: string[]; probabilities: Record<string, number> }>(
      model,
      TEXTS,
    );
    for (const [i, text] of TEXTS.entries()) {
      const { classes, labels } = await model.predict(text);
      for (const { label, probability } of classes)
        expect(Math.abs(found[i]!.probabilities[label]! - probability), `${text} ${label}`).toBeLessThan(1e-5);
      expect(found[i]!.labels).toEqual(labels);
    }
    await model.close();
  });

  it.each(['crf', 'softmax'] as const)('tags as here, with %s', async (decoder) => {
    const tagged = rows.map(({ text }) => {
      const tokens = text.split(' ');
      return { tokens, tags: tokens.map((token, i) => (token.length > 3 ? (i ? 'I-X' : 'B-X') : 'O')) };
    });
    const model = await TextTagger.train(tagged, { epochs: 2, embeddingDim: 4, hiddenSize: 4, decoder, maxLength: 6 });
    const inputs = [
      ['a'],
      ['The', 'old', 'hammer', 'Saw', '12.5', 'cheese', 'and', 'sweet', 'bread'],
      ['Zürich', 'dog'],
    ];
    const found = await answers<{ tags: string[]; probabilities: number[]; spans: [number, number, string][] }>(
      model,
      inputs,
    );
    for (const [i, input] of inputs.entries()) {
      const { tags, probabilities, spans } = await model.predict(input);
      expect(found[i]!.tags).toEqual(tags);
      expect(found[i]!.spans).toEqual(spans.map(({ start, end, label }) => [start, end, label]));
      for (const [at, probability] of probabilities.entries())
        expect(Math.abs(found[i]!.probabilities[at]! - probability)).toBeLessThan(1e-5);
    }
    await model.close();
  });

  it.each([
    ['characters', { units: 'characters', tieWeights: true, hiddenSize: 6 }],
    ['an adaptive softmax', { units: 'words', softmax: 'adaptive', cell: 'gru', hiddenSize: 16, numLayers: 2 }],
    ['bytes by minGRU', { units: 'bytes', cell: 'mingru', hiddenSize: 6, numLayers: 2 }],
  ] as const)('scores texts as here: %s', async (_, options) => {
    const texts = rows.map(({ text }) => text);
    const model = await LanguageModel.train(texts, { embeddingDim: 6, numLayers: 1, epochs: 1, window: 5, ...options });
    const inputs = ['the cat', 'a saw é', 'soup'];
    const found = await answers<number[]>(model, inputs);
    for (const [i, text] of inputs.entries()) {
      const { logProbabilities } = await model.score(text);
      expect(found[i]).toHaveLength(logProbabilities.length);
      for (const [at, value] of logProbabilities.entries()) expect(Math.abs(found[i]![at]! - value)).toBeLessThan(1e-5);
    }
    await model.close();
  });
});

describe("exportModel({ to: 'pytorch' })", () => {
  it('writes weights exactly, and the same bytes each time', async () => {
    await using model = await TextClassifier.train(rows, SMALL);
    const out = join(folder, 'same');
    const { files } = await exportModel(model, { to: 'pytorch', out });
    expect(files).toEqual(['model.pt', 'model.json', 'model.py'].map((name) => join(out, name)));
    const first = readFileSync(files[0]!);
    await exportModel(model, { to: 'pytorch', out });
    expect(readFileSync(files[0]!).equals(first)).toBe(true);
    const arrays = await readTorchFile(files[0]!, new Turns());
    const { state } = await model.contents();
    expect(arrays).toEqual(state.map((entry) => ({ name: entry.name, shape: entry.shape, values: floatsOf(entry) })));
  });

  it('refuses to overwrite a file of somebody else, and a sequence-to-sequence model', async () => {
    await using model = await TextClassifier.train(rows, SMALL);
    const out = join(folder, 'theirs');
    mkdirSync(out);
    writeFileSync(join(out, 'model.py'), 'import mine\n');
    await expect(exportModel(model, { to: 'pytorch', out })).rejects.toThrow(/was not written by recurra/);
    expect(existsSync(join(out, 'model.pt'))).toBe(false);
    const pairs = await Seq2Seq.train(
      [
        { source: 'ab', target: 'ba' },
        { source: 'b', target: 'b' },
      ],
      { epochs: 1 },
    );
    await expect(exportModel(pairs, { to: 'pytorch', out: join(folder, 'pairs') })).rejects.toThrow(
      /a sequence-to-sequence model/,
    );
    await pairs.close();
  });
});
