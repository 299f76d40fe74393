// Trains, saves, loads and predicts, by import; then shows that require gives the very same classes.
import { createRequire } from 'node:module';
import { DataError, RecurraError, readCsv, TextClassifier } from 'recurra';

const rows = Array.from({ length: 60 }, (_, i) =>
  i % 2 ? { text: `the cat number ${i} sleeps`, label: 'animal' } : { text: `a saw number ${i} cuts`, label: 'tool' },
);
const options = { embeddingDim: 8, hiddenSize: 8, lr: 0.05, batchSize: 8, epochs: 5, seed: 1 };
const model = await TextClassifier.train(rows, options);
await model.save('model.safetensors');
const loaded = await TextClassifier.load('model.safetensors');
const required = createRequire(import.meta.url)('recurra');
let error;
try {
  for await (const _ of readCsv('gone.csv', { text: 'a', label: 'b' }));
} catch (caught) {
  error = caught;
}
console.log(
  JSON.stringify({
    label: (await loaded.predict('my cat')).label,
    other: (await loaded.predict('this saw')).label,
    same: required.TextClassifier === TextClassifier && required.RecurraError === RecurraError,
    error: error instanceof required.DataError && error instanceof DataError && error.code,
  }),
);
