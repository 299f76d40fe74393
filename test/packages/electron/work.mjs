// Everything that brings arrays out of the addons; prints what they hold.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [dist, folder, torch] = process.argv.slice(2);
const { learnVectors, TextClassifier } = await import(pathToFileURL(join(dist, 'index.js')).href);

const rows = Array.from({ length: 60 }, (_, i) =>
  i % 2 ? { text: `the cat number ${i} sleeps`, label: 'animal' } : { text: `a saw number ${i} cuts`, label: 'tool' },
);
const texts = Array.from({ length: 500 }, (_, i) => `${rows[i % 60].text} ${'again '.repeat(i % 40)}`);
const file = join(folder, 'model.safetensors');
const seen = {};

const vectors = await learnVectors(texts, { dim: 8, epochs: 1, minCount: 1, seed: 1 });
await vectors.save(join(folder, 'own.vec'));
seen.vectors = readFileSync(join(folder, 'own.vec'), 'utf8');
seen.near = await vectors.nearest('cat', 3);
const checkpoint = { path: join(folder, 'checkpoint') };
const trained = await TextClassifier.train(rows, {
  ...{ embeddingDim: 8, hiddenSize: 8, epochs: 3, seed: 1, checkpoint, tensorboard: join(folder, 'runs') },
});
await trained.save(file);
await trained.close();
seen.file = createHash('sha256').update(readFileSync(file)).digest('hex');
const model = await TextClassifier.load(file);
seen.one = await model.predict('my cat');
seen.many = (await model.predictMany(texts)).map(({ probability }) => probability);
seen.explained = (await model.explain('my cat')).tokens.map(({ contribution }) => contribution);
seen.loss = (await model.evaluate(rows)).loss;
await model.close();
if (torch) {
  const { tensor } = await import(pathToFileURL(join(dist, 'torch', 'index.js')).href);
  seen.tensor = tensor([[0.5, 1.5]])
    .mul(3)
    .toArray();
}
console.log(JSON.stringify(seen));
