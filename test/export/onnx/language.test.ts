import { Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { type HuggingFaceTokenizer, LanguageModel, type LanguageOptions, Seq2Seq } from '../../../src/index.js';
import { temporaryFolder } from '../../support/folder.js';
import { topicTexts } from '../../support/texts.js';
import { exported, farthest } from './session.js';

const folder = temporaryFolder();
const texts = topicTexts(60).map(({ text }, i) => `${text}, ${i}!\n`);
const TEXTS = ['cat dog, 12!', 'x', 'the sweet  \n soup, délta 7', texts[0]!];

const OPTIONS: LanguageOptions = { window: 6, epochs: 1, hiddenSize: 8, numLayers: 1, lr: 0.02, threads: 1 };

describe("exportModel({ to: 'onnx' }) of a language model", () => {
  it.each<LanguageOptions>([
    { cell: 'lstm', numLayers: 2, embeddingDim: 5 },
    { cell: 'gru', units: 'bytes' },
    { cell: 'rnn', numLayers: 2, tieWeights: true },
    { cell: 'mingru', numLayers: 2 },
    { units: 'words', softmax: 'adaptive' },
    { units: 'pieces', maxTokens: 300 },
  ])('gives the logarithms of the probabilities that we have with %j', async (options) => {
    await using model = await LanguageModel.train(texts, { ...OPTIONS, ...options });
    const tokenize = (text: string) => {
      const { vocab } = model;
      return (model.tokenizer as HuggingFaceTokenizer).tokenize(text).map((piece) => vocab.get(piece));
    };
    const { session, featurize } = await exported(model, folder, tokenize);
    const states = options.cell === undefined || options.cell === 'lstm' ? ['h', 'c'] : ['h'];
    expect(session.inputNames).toEqual(['ids', 'lengths', ...states]);
    const whole = await session.run(featurize(TEXTS));
    const { data, dims } = whole.log_probabilities!;
    const [, time, units] = dims as [number, number, number];
    for (const [row, text] of TEXTS.entries()) {
      const numbers = featurize.encode(text);
      const { logProbabilities } = await model.score(text);
      const together = numbers.map((unit, at) => data[(row * time + at) * units + unit] as number);
      expect(farthest(together, logProbabilities)).toBeLessThan(1e-5);
      // Unit by unit, with the states that the step before gave.
      let given = featurize.states(1);
      const alone: number[] = [];
      for (const [at, unit] of numbers.entries()) {
        const read = at === 0 ? (featurize.settings.end as number) : numbers[at - 1]!;
        const ids = new Tensor('int64', BigInt64Array.of(BigInt(read)), [1, 1]);
        const lengths = new Tensor('int64', BigInt64Array.of(1n), [1]);
        const step = await session.run({ ids, lengths, ...given });
        alone.push(step.log_probabilities!.data[unit] as number);
        given = Object.fromEntries(states.map((name) => [name, step[`next_${name}`] as Tensor]));
      }
      expect(farthest(alone, logProbabilities)).toBeLessThan(1e-5);
      // The states of a row are those behind its own last unit, however long the others are.
      const full = await session.run(featurize([text]));
      for (const name of states.map((state) => `next_${state}`)) {
        const [layers, rows, hidden] = whole[name]!.dims as [number, number, number];
        const ofRow = Array.from({ length: layers }, (_, layer) =>
          Array.from(
            (whole[name]!.data as Float32Array).subarray(
              (layer * rows + row) * hidden,
              (layer * rows + row + 1) * hidden,
            ),
          ),
        );
        expect(farthest(ofRow.flat(), full[name]!.data as Float32Array)).toBeLessThan(1e-6);
      }
    }
  });

  it('makes text of numbers again', async () => {
    for (const units of ['characters', 'bytes', 'words'] as const) {
      await using model = await LanguageModel.train(texts, { ...OPTIONS, units });
      const { featurize } = await exported(model, folder);
      expect(featurize.decode(featurize.encode(texts[3]!))).toBe(texts[3]);
    }
  });
});

describe('what cannot be written as ONNX', () => {
  it('is a sequence-to-sequence model', async () => {
    await using model = await Seq2Seq.train([{ source: 'a b', target: 'b a' }], { epochs: 1, hiddenSize: 4 });
    await expect(exported(model, folder)).rejects.toMatchObject({
      name: 'ArgumentError',
      message: expect.stringContaining('a sequence-to-sequence model cannot be written as ONNX'),
    });
  });
});
