/**
 * Teaches a network to pronounce English words from their letters, measures it on words that it never saw, saves it, loads it again, and
 * shows what letters it looks at for each phoneme.
 *
 * The words are those of the CMU Pronouncing Dictionary, from the npm package `cmu-pronouncing-dictionary`.
 */
import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { progressDisplay, Seq2Seq } from 'recurra';
import { aligned } from './aligned.js';
import { differentWords, readWords } from './words.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '7' },
    epochs: { type: 'string' },
    /** Up to ten minutes on two cores, in place of two. */
    full: { type: 'boolean', default: false },
    words: { type: 'string' },
    beam: { type: 'string', default: '5' },
    threads: { type: 'string' },
    /** Measures on the validation part after each epoch, and at last in place of the test part: to choose options by. */
    validate: { type: 'boolean', default: false },
    hidden: { type: 'string', default: '128' },
    lr: { type: 'string', default: '0.003' },
    batch: { type: 'string', default: '64' },
    dropout: { type: 'string', default: '0.2' },
    cell: { type: 'string', default: 'lstm' },
    attention: { type: 'string', default: 'luong' },
    layers: { type: 'string', default: '1' },
    smoothing: { type: 'string', default: '0.1' },
    embedding: { type: 'string', default: '64' },
  },
});

const words = readWords(values.words === undefined ? undefined : Number(values.words));
const held = values.validate ? words.validation : words.test;
const epochs = values.epochs === undefined ? (values.full ? 24 : 6) : Number(values.epochs);
console.log(
  `${words.train.length} pronunciations of ${differentWords(words.train).length} words to learn from, ${differentWords(held).length} words held out`,
);

const begun = performance.now();
const display = progressDisplay();
const model = await Seq2Seq.train(words.train, {
  targetUnits: 'tokens',
  epochs,
  seed: Number(values.seed),
  hiddenSize: Number(values.hidden),
  embeddingDim: Number(values.embedding),
  numLayers: Number(values.layers),
  lr: Number(values.lr),
  batchSize: Number(values.batch),
  dropout: Number(values.dropout),
  labelSmoothing: Number(values.smoothing),
  cell: values.cell as 'lstm',
  attention: values.attention as 'luong',
  ...(values.validate ? { validation: words.validation } : {}),
  ...(values.threads === undefined ? {} : { threads: Number(values.threads) }),
  onProgress: display.update,
});
display.stop();
const seconds = (performance.now() - begun) / 1000;

await mkdir('models', { recursive: true });
const path = 'models/pronounce.safetensors';
await model.save(path);
await model.close();

const loaded = await Seq2Seq.load(path);
console.log(
  `\nsaved to ${path} and loaded again: ${loaded.vocab.length} letters, ${loaded.targetVocab.length} phonemes`,
);

const beamSize = Number(values.beam);
const right = new Map<string, string[]>();
for (const { source, target } of held) right.set(source, [...(right.get(source) ?? []), target]);
const shown = [...right.keys()].filter((word) => word.length > 5).slice(0, 10);
console.log('\nten words that it never saw, each phoneme behind the letters that it looked at most:');
for (const [i, answer] of (await loaded.predict(shown, { beamSize, alignments: true })).entries()) {
  const { text, units, sourceUnits, alignments } = answer;
  const references = right.get(shown[i]!)!;
  const note = references.includes(text) ? '' : `   (right: ${references.join(' or ')})`;
  console.log(`  ${aligned(sourceUnits, units, alignments!)}${note}`);
}

const { rows, accuracy, unitErrorRate } = await loaded.evaluate(held, { beamSize, bleuTokenizer: 'none' });
await loaded.close();
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
console.log(`\ntraining ${seconds.toFixed(1)} s`);
console.log(
  `${rows} words held out: word error rate ${percent(1 - accuracy)}, phoneme error rate ${percent(unitErrorRate)}`,
);
