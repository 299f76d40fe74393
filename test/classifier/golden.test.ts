import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { EngineConfig, StepOptions } from '../../src/engine/engine.js';
import { kernelEngine } from '../../src/engine/kernels.js';
import type { ClassesHead } from '../../src/engine/network.js';
import { torchEngine } from '../../src/engine/torch.js';
import { EncodedDataset } from '../../src/index.js';
import { classWeightsOf } from '../../src/models/classifier/classWeights.js';
import { bestThreshold } from '../../src/models/classifier/thresholds.js';
import { torchHalf } from '../support/halves.mjs';
import { type GoldenArray, golden, readArrays } from '../support/safetensors.js';
import { stepOptions } from '../support/steps.js';
import { largestDifference, weightsOf } from '../support/weights.js';

// Made by scripts/golden/classifier.py.
const data = readArrays(join(golden, 'classifier_losses.safetensors'));
const floats = (array: GoldenArray | undefined) => Float32Array.from(array!.values as ArrayLike<number>);
const ints = (array: GoldenArray | undefined) => Int32Array.from(array!.values as ArrayLike<bigint>, Number);

const CLASSES = 4;
const CONFIG: EngineConfig & { head: ClassesHead } = {
  cell: 'lstm',
  vocabSize: 30,
  embeddingDim: 6,
  hiddenSize: 5,
  numLayers: 1,
  bidirectional: true,
  dropout: 0,
  embeddingDropout: 0,
  wordDropout: 0,
  head: { kind: 'classes', outputs: CLASSES, multiLabel: false, pooling: 'attention' },
  paddingIdx: 1,
  unknownIdx: 0,
  seed: 17,
  threads: 2,
};

const NAMES = Object.keys(data)
  .filter((name) => name.startsWith('weight.'))
  .map((name) => name.slice('weight.'.length));

/** PyTorch's weights as an engine takes them. */
const state = NAMES.map((name) => {
  const weight = data[`weight.${name}`]!;
  return { name, dtype: 'float32', shape: [...weight.shape], data: new Uint8Array(floats(weight).buffer) };
});

const sets = ints(data.sets);
const setsOf = Array.from({ length: sets.length / CLASSES }, (_, row) =>
  [0, 1, 2, 3].filter((label) => sets[row * CLASSES + label] === 1),
);
const labelOffsets = new Uint32Array(setsOf.length + 1);
for (const [row, set] of setsOf.entries()) labelOffsets[row + 1] = labelOffsets[row]! + set.length;

const open: { close(): void }[] = [];
afterEach(() => {
  for (const engine of open.splice(0)) engine.close();
});

// Plain descent at rate 1: a step moves every weight by its gradient.
const PLAIN = stepOptions(Float64Array.of(1), { optimizer: 'sgd' });
const WEIGHTS = [...floats(data.class_weights)];
const CASES: [string, boolean, Partial<StepOptions>][] = [
  ['plain', false, {}],
  ['weighted', false, { loss: { weights: WEIGHTS, smoothing: 0 } }],
  ['smoothed', false, { loss: { weights: [], smoothing: 0.15 } }],
  ['weighted_smoothed', false, { loss: { weights: WEIGHTS, smoothing: 0.15 } }],
  ['binary', true, {}],
  ['binary_weighted', true, { loss: { weights: WEIGHTS, smoothing: 0 } }],
];

const ENGINES = torchHalf ? ['kernels', 'libtorch'] : ['kernels'];

describe.each(ENGINES)('the losses of PyTorch, through attention, on %s', (name) => {
  const make = name === 'kernels' ? kernelEngine : torchEngine;

  it.each(CASES)('%s: loss and every gradient', async (loss, multiLabel, options) => {
    const engine = make({ ...CONFIG, head: { ...CONFIG.head, multiLabel } });
    open.push(engine);
    await engine.loadState(state);
    const tokens = ints(data.tokens);
    const lengths = ints(data.lengths);
    const probabilities = await engine.scores(tokens, lengths);
    expect(largestDifference(probabilities, floats(multiLabel ? data.sigmoid : data.softmax))).toBeLessThan(1e-6);
    const targets = multiLabel
      ? { targets: Int32Array.from(setsOf.flat()), targetStarts: labelOffsets }
      : { targets: ints(data.labels) };
    const batchSizes = Int32Array.of(lengths.length);
    const stats = await engine.train({ tokens, lengths, ...targets, batchSizes }, { ...PLAIN, ...options });
    expect(Math.abs(stats.loss / stats.rows - floats(data[`${loss}.loss`])[0]!)).toBeLessThan(1e-6);
    const after = await weightsOf(engine);
    expect([...after.keys()].sort()).toEqual([...NAMES].sort());
    for (const weight of NAMES) {
      const before = floats(data[`weight.${weight}`]);
      const gradient = floats(data[`${loss}.grad.${weight}`]);
      const moved = after.get(weight)!.map((value, i) => before[i]! - value);
      expect(largestDifference(moved, gradient), weight).toBeLessThan(1e-6);
      expect(Math.max(...gradient.map(Math.abs)), `${weight} has a gradient`).toBeGreaterThan(1e-3);
    }
  });
});

it.runIf(torchHalf)('libtorch draws the initial weights that PyTorch draws after the same seed', async () => {
  const engine = torchEngine(CONFIG);
  open.push(engine);
  const weights = await weightsOf(engine);
  for (const name of NAMES) expect(weights.get(name), name).toEqual(floats(data[`initial.${name}`]));
});

interface Choices {
  balanced: { labels: number[]; weights: number[] };
  thresholds: { present: number[]; scores: number[]; bestF1: number }[];
}
const choices = JSON.parse(readFileSync(join(golden, 'classifier_choices.json'), 'utf8')) as Choices;

it("'balanced' are scikit-learn's class weights", () => {
  const { labels, weights } = choices.balanced;
  const dataset = new EncodedDataset({
    tokens: new Int32Array(labels.length),
    offsets: Uint32Array.from({ length: labels.length + 1 }, (_, i) => i),
    labels: Int32Array.from(labels),
    classes: ['a', 'b', 'c', 'd'],
  });
  const ours = classWeightsOf('balanced', dataset);
  for (const [i, weight] of weights.entries()) expect(ours[i]).toBeCloseTo(weight, 12);
});

it('a threshold gives the best F1 that scikit-learn finds on the precision-recall curve', () => {
  for (const { present, scores, bestF1 } of choices.thresholds) {
    const threshold = bestThreshold(Float32Array.from(scores), Uint8Array.from(present));
    const given = scores.map((score) => Math.fround(score) >= threshold);
    const hits = given.filter((yes, row) => yes && present[row] === 1).length;
    const f1 = (2 * hits) / (given.filter(Boolean).length + present.filter(Boolean).length);
    expect(f1).toBeCloseTo(bestF1, 12);
  }
});
