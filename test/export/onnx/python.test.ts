import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LanguageModel, TextClassifier, TextTagger } from '../../../src/index.js';
import { anyText } from '../../support/anyText.js';
import { temporaryFolder } from '../../support/folder.js';
import { pythonWith, runPython } from '../../support/python.js';
import { SMALL, topicTexts } from '../../support/texts.js';
import { exported, farthest, type Opened } from './session.js';

const folder = temporaryFolder();
const script = join(import.meta.dirname, 'inputs.py');
const rows = topicTexts(90);

interface Answer {
  inputs: Record<string, unknown[]>;
  outputs?: Record<string, unknown[]>;
  quantized?: Record<string, unknown[]>;
  bytes?: [number, number];
}

const numbersOf = (values: unknown): number[] => (values as unknown[]).flat(3) as number[];

/** Compares what both featurizers make of texts: whole numbers must be the same, values within rounding. */
function compareInputs(python: string, { featurize, out }: Opened, texts: readonly unknown[]) {
  const { inputs } = runPython(python, script, [out], texts) as Answer;
  const ours = featurize(texts);
  expect(Object.keys(inputs).sort()).toEqual(Object.keys(ours).sort());
  for (const [name, tensor] of Object.entries(ours)) {
    const values = numbersOf(inputs[name]);
    if (tensor.type === 'int64') expect(values).toEqual(Array.from(tensor.data as BigInt64Array, Number));
    else expect(farthest(values, tensor.data as Float32Array)).toBeLessThan(1e-6);
  }
}

const numpy = pythonWith('numpy');

/** Some texts without characters that Python's Unicode does not have, lone surrogates among them. */
function anyTexts(numRuns: number, seed: number): string[] {
  return numpy ? (runPython(numpy, script, ['known'], fc.sample(anyText, { numRuns, seed })) as string[]) : [];
}
const texts = anyTexts(300, 7);
const some = anyTexts(200, 8).map((text, i) => ({ text, label: `l${i % 3}` }));

describe.runIf(numpy)('featurize.py', () => {
  it.each(['basic_english', 'characters'] as const)(
    'gives what featurize.mjs gives, tokenizer %s',
    async (tokenizer) => {
      const options = { ...SMALL, linear: true, tokenizer, ngrams: 2, maxLength: 12, truncate: 'both' } as const;
      const model = await TextClassifier.train(some, options);
      compareInputs(numpy!, await exported(model, folder), [
        ...texts,
        'salt '.repeat(400),
        ...rows.map(({ text }) => text),
      ]);
      await model.close();
    },
  );

  it('gives the same features of the characters of words', async () => {
    const sentences = some.map(({ text }) => text.split(' '));
    const tagged = sentences.map((tokens) => ({
      tokens,
      tags: tokens.map((token) => (token.length > 3 ? 'B-X' : 'O')),
    }));
    const model = await TextTagger.train(tagged, {
      ...{ epochs: 1, embeddingDim: 4, hiddenSize: 4 },
      tokenizer: 'characters',
    });
    const opened = await exported(model, folder);
    compareInputs(numpy!, opened, [...texts.map((text) => text.split(' ')), [], ['x'.repeat(70), 'ÄÖ'.repeat(40)]]);
    compareInputs(numpy!, opened, texts);
    await model.close();
  });

  it.each(['characters', 'bytes', 'words'] as const)('gives the same units, %s', async (units) => {
    const model = await LanguageModel.train(
      some.map(({ text }) => text),
      { units, window: 5, epochs: 1, hiddenSize: 4 },
    );
    compareInputs(numpy!, await exported(model, folder), texts);
    await model.close();
  });
});

const onnxruntime = pythonWith('numpy', 'onnx', 'onnxruntime');

describe.runIf(onnxruntime)('onnxruntime and onnx.checker in Python', () => {
  it('accept every kind of model, with the answers of Node', async () => {
    const model = await TextClassifier.train(rows, { ...SMALL, linear: true, cell: 'mingru', members: 2 });
    const given = rows.slice(0, 20).map(({ text }) => text);
    const opened = await exported(model, folder);
    const { outputs } = runPython(onnxruntime!, script, [opened.out, 'run', 'check'], given) as Answer;
    const { probabilities } = await opened.session.run(opened.featurize(given));
    expect(farthest(numbersOf(outputs!.probabilities), probabilities!.data as Float32Array)).toBeLessThan(1e-6);
    const tagger = await TextTagger.train(
      rows.map(({ text }) => ({ tokens: text.split(' '), tags: text.split(' ').map((_, i) => (i % 3 ? 'O' : 'B-X')) })),
      { epochs: 1, embeddingDim: 4, hiddenSize: 4 },
    );
    const tags = await exported(tagger, folder);
    const sentences = given.map((text) => text.split(' '));
    const inPython = runPython(onnxruntime!, script, [tags.out, 'run', 'check'], sentences) as Answer;
    const inNode = await tags.session.run(tags.featurize(sentences));
    expect(numbersOf(inPython.outputs!.tags)).toEqual(Array.from(inNode.tags!.data as BigInt64Array, Number));
    const language = await LanguageModel.train(given, { window: 5, epochs: 1, hiddenSize: 4, numLayers: 2 });
    const units = await exported(language, folder);
    const logs = runPython(onnxruntime!, script, [units.out, 'run', 'check'], given) as Answer;
    const ours = await units.session.run(units.featurize(given));
    const difference = farthest(
      numbersOf(logs.outputs!.log_probabilities),
      ours.log_probabilities!.data as Float32Array,
    );
    expect(difference).toBeLessThan(1e-5);
    await Promise.all([model, tagger, language].map((each) => each.close()));
  });

  it('make 8-bit weights of it, with nearly the same probabilities', async () => {
    const model = await TextClassifier.train(rows, { ...SMALL, embeddingDim: 32, hiddenSize: 32, epochs: 3 });
    const given = rows.map(({ text }) => text);
    const { out } = await exported(model, folder);
    const { outputs, quantized, bytes } = runPython(onnxruntime!, script, [out, 'run', 'quantize'], given) as Answer;
    const [whole, small] = [numbersOf(outputs!.probabilities), numbersOf(quantized!.probabilities)];
    // Weights have 8 bits, so a relative error of 1/256 each; their sums nearly cancel it.
    expect(farthest(whole, small)).toBeLessThan(0.02);
    expect(bytes![1]).toBeLessThan(bytes![0]);
    await model.close();
  });
});
