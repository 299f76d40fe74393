// Work without end in small: prints by how many bytes resident memory grows with each prediction and each training step, after a
// warm-up, as the slope of a line through samples that are taken after the garbage collector has run.
import { TextClassifier } from '../../../dist/index.js';
import { SMALL, texts } from './common.mjs';

const rows = texts(160);
const many = Array.from({ length: 500 }, (_, i) => rows[i % rows.length].text);
const BATCHES = rows.length / SMALL.batchSize;

async function sample() {
  // Finalizers run between turns of the event loop.
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await new Promise(setImmediate);
  }
  return process.memoryUsage.rss();
}

function slope(points) {
  const mean = (of) => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(([done]) => done), mean(([, bytes]) => bytes)];
  return mean(([done, bytes]) => (done - x) * (bytes - y)) / mean(([done]) => (done - x) ** 2);
}

/** Does a piece of work again and again, each of `size` units. */
async function grown(size, warmUp, total, work) {
  const points = [];
  const every = total / 10;
  let next = warmUp;
  for (let done = 0; done <= warmUp + total; done += size) {
    if (done >= next) {
      points.push([done, await sample()]);
      next += every;
    }
    await work();
  }
  return slope(points);
}

const model = await TextClassifier.train(rows, SMALL);
const predictions = await grown(1_000, 20_000, 60_000, async () => {
  await model.predictMany(many);
  await Promise.all(many.map((text) => model.predict(text)));
});
model.close();
// Long trainings: with each new model the allocator takes some 100 KB more until it has found its level, after 500 of them.
const epochs = 50;
const steps = await grown(BATCHES * epochs, 2_000, 10_000, async () => {
  const other = await TextClassifier.train(rows, { ...SMALL, epochs });
  await other.close();
});
console.log(JSON.stringify({ predictions, steps }));
