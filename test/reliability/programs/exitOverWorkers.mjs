// The process ends while its worker threads work: exitOverWorkers.mjs WHAT MILLISECONDS.
import { Worker } from 'node:worker_threads';
import { TextClassifier } from '../../../dist/index.js';
import { SMALL, texts } from './common.mjs';

const [what, milliseconds] = process.argv.slice(2);
const program = new URL('./endProcess.mjs', import.meta.url);
let working = 0;
for (let i = 0; i < 2; i++) {
  const worker = new Worker(program, { argv: [what, 'exit', '1000000'] });
  worker.on('message', () => {
    working++;
    if (working === 2) setTimeout(() => process.exit(7), Number(milliseconds));
  });
}
await TextClassifier.train(texts(2_000), { ...SMALL, epochs: 10_000 });
