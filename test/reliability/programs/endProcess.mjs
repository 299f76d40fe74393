// Ends the process in the middle of work: endProcess.mjs WHAT HOW MILLISECONDS. Nothing is printed; what counts is the exit code.
import { parentPort } from 'node:worker_threads';
import { TextClassifier } from '../../../dist/index.js';
import { nn, optim, randint, randn } from '../../../dist/torch/index.js';
import { SMALL, texts } from './common.mjs';

const [what, how, milliseconds] = process.argv.slice(2);
const work = {
  async train() {
    await TextClassifier.train(texts(2_000), { ...SMALL, epochs: 10_000, hiddenSize: 32 });
  },
  async predict() {
    const rows = texts(2_000);
    const model = await TextClassifier.train(rows, { ...SMALL, epochs: 1 });
    const many = Array.from({ length: 50_000 }, (_, i) => rows[i % 2_000].text);
    for (;;) await Promise.all([model.predictMany(many), model.predict('cat')]);
  },
  async save() {
    const rows = texts(2_000);
    const model = await TextClassifier.train(rows, { ...SMALL, epochs: 1, embeddingDim: 4_096 });
    for (;;) await model.save(process.argv[5]);
  },
  async module() {
    const net = new nn.LSTM(32, 64, { batchFirst: true, numLayers: 2 });
    const embedding = new nn.Embedding(500, 32);
    const optimizer = new optim.Adam([...net.parameters(), ...embedding.parameters()]);
    const matrix = randn([600, 600]);
    for (;;) {
      optimizer.zeroGrad();
      net
        .forward(embedding.forward(randint(0, 500, [16, 20])))[0]
        .square()
        .mean()
        .backward();
      await Promise.all([optimizer.stepAsync(), new Promise(setImmediate)]);
      matrix.matmul(matrix).dispose();
    }
  },
};
const end = {
  exit: () => process.exit(7),
  throw: () => {
    throw new Error('on purpose');
  },
  reject: () => Promise.reject(new Error('on purpose')),
  kill: () => process.kill(process.pid, 'SIGTERM'),
};
setTimeout(end[how], Number(milliseconds));
// In a worker thread: the module is loaded, work begins.
parentPort?.postMessage('working');
await work[what]();
