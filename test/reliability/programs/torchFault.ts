// With RECURRA_FAULT set, a batch of the classifier's engine on libtorch meets a fault. Prints how many steps were counted after it and
// after another chunk, by the engine and by its optimizer, and whether the weights are those of an engine that met none.
import type { EngineConfig } from '../../../src/engine/engine.js';
import { torchEngine } from '../../../src/engine/torch.js';
import { stepOptions } from '../../support/steps.js';

const config: EngineConfig = {
  cell: 'gru',
  vocabSize: 20,
  embeddingDim: 4,
  hiddenSize: 3,
  numLayers: 1,
  bidirectional: false,
  embeddingDropout: 0,
  dropout: 0.5,
  wordDropout: 0,
  unknownIdx: 0,
  head: { kind: 'classes', outputs: 2, multiLabel: false, pooling: 'last' },
  paddingIdx: 1,
  seed: 3,
  threads: 1,
};

function chunk(batches: number) {
  const rows = 2 * batches;
  return {
    tokens: Int32Array.from({ length: 3 * rows }, (_, i) => 2 + (i % 18)),
    lengths: new Int32Array(rows).fill(3),
    targets: Int32Array.from({ length: rows }, (_, i) => i % 2),
    batchSizes: new Int32Array(batches).fill(2),
  };
}

const train = (engine: ReturnType<typeof torchEngine>, batches: number) =>
  engine.train(chunk(batches), stepOptions(new Float64Array(batches).fill(0.1)));

async function stepsOf(engine: ReturnType<typeof torchEngine>): Promise<number[]> {
  const { data } = (await engine.trainingState(false)).find(({ name }) => name === 'training.steps')!;
  return [...new Float64Array(new Uint8Array(data).buffer)];
}

const weightsOf = async (engine: ReturnType<typeof torchEngine>) =>
  JSON.stringify((await engine.state()).map(({ name, data }) => [name, [...data]]));

const broken = torchEngine(config);
let code = 'none';
await train(broken, 5).catch((error: { code: string }) => {
  code = error.code;
});
const counted = await stepsOf(broken);
await train(broken, 2);

const whole = torchEngine(config);
await train(whole, 3);
await train(whole, 2);
const same = (await weightsOf(broken)) === (await weightsOf(whole));
console.log(JSON.stringify({ code, counted, after: await stepsOf(broken), same }));
