// A classifier whose training met a fault in the middle of a step: it still trains, predicts and gives its state.
import type { Chunk, EngineConfig } from '../../../src/engine/engine.js';
import { kernelEngine } from '../../../src/engine/kernels.js';
import { stepOptions } from '../../support/steps.js';

const config: EngineConfig = {
  cell: 'lstm',
  vocabSize: 40,
  embeddingDim: 8,
  hiddenSize: 8,
  numLayers: 2,
  bidirectional: true,
  embeddingDropout: 0,
  wordDropout: 0,
  dropout: 0,
  head: { kind: 'classes', outputs: 2, multiLabel: false, pooling: 'max' },
  paddingIdx: 1,
  unknownIdx: 0,
  seed: 3,
  threads: 2,
};
const engine = kernelEngine(config);
const chunk: Chunk = {
  tokens: Int32Array.from({ length: 320 }, (_, i) => 2 + ((i * 7) % 19) + 19 * (Math.floor(i / 5) % 2)),
  lengths: new Int32Array(64).fill(5),
  targets: Int32Array.from({ length: 64 }, (_, i) => i % 2),
  batchSizes: new Int32Array(8).fill(8),
};
const options = stepOptions(Float64Array.of(0.02));
let failed = 'none';
try {
  await engine.train(chunk, options);
} catch (error) {
  failed = String((error as { code?: unknown }).code);
}
const losses: number[] = [];
for (let i = 0; i < 20; i++) losses.push((await engine.train(chunk, options)).loss / 64);
const probabilities = await engine.scores(chunk.tokens, chunk.lengths);
const embedding = (await engine.state()).find(({ name }) => name === 'embedding.weight')!;
const padding = [...new Float32Array(new Uint8Array(embedding.data).buffer).slice(8, 16)];
const finite = probabilities.every(Number.isFinite) && losses.every(Number.isFinite);
console.log(JSON.stringify({ failed, finite, loss: losses.at(-1), padding }));
