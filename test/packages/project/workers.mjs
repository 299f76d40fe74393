// Twenty worker threads, one after the other, each with addons of its own to load and to leave.
import { Worker } from 'node:worker_threads';

const code = `import('recurra').then(async ({ TextClassifier }) => {
  const model = await TextClassifier.load('model.safetensors');
  if ((await model.predict('my cat')).label !== 'animal') process.exit(9);
});`;
const codes = [];
for (let round = 0; round < 20; round++) {
  const worker = new Worker(code, { eval: true });
  codes.push(await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject)));
}
console.log(JSON.stringify({ codes }));
