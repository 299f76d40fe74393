/**
 * How late a 10 ms timer fires while a classifier reads, trains and predicts in the same process.
 *
 * npm run bench -- eventLoop [--rows N] [--epochs N]
 */
import { parseArgs } from 'node:util';
import { TextClassifier } from 'recurra';
import { readDefinitions } from '../examples/wordnet/definitions.js';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '52630' }, epochs: { type: 'string', default: '1' } },
});
const PERIOD = 10;

const rows = (await readDefinitions()).slice(0, Number(values.rows));
let phase = 'reading';
const lateness = new Map<string, number[]>();
let expected = performance.now() + PERIOD;
const timer = setInterval(() => {
  const now = performance.now();
  lateness.set(phase, [...(lateness.get(phase) ?? []), Math.max(0, now - expected)]);
  expected = now + PERIOD;
}, PERIOD);

const model = await TextClassifier.train(rows, {
  epochs: Number(values.epochs),
  batchSize: 64,
  validation: 0.1,
  onProgress: ({ kind }) => {
    phase = kind === 'epoch' ? 'epoch end' : 'training';
  },
});
phase = 'predicting';
await model.predictMany(rows.map(({ text }) => text));
phase = 'saving';
await model.save('models/event-loop.safetensors');
clearInterval(timer);
model.close();

for (const [name, late] of lateness) {
  const sorted = late.sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!.toFixed(1);
  console.log(
    `${name.padEnd(11)} ${String(late.length).padStart(6)} ticks, late by ms: median ${at(0.5)}, 99 % ${at(0.99)}, most ${at(1)}`,
  );
}
console.log(JSON.stringify({ work: 'event loop', mostLateMs: Math.max(...[...lateness.values()].flat()) }));
