// Trains until it is done or killed, and writes a line for everything that happens:
//   node killable.mjs CHECKPOINT OPTIONS ROWS      both as JSON
import { TextClassifier } from '../../dist/index.js';

const [checkpoint, options, rows] = process.argv.slice(2);
const model = await TextClassifier.train(JSON.parse(rows), {
  ...JSON.parse(options),
  checkpoint: { path: checkpoint, everySteps: 1 },
  resume: true,
  onEvent: ({ type, step }) => process.stdout.write(`${type} ${step}\n`),
});
await model.close();
