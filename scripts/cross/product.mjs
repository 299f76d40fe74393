// Trains, saves, loads and predicts with the built package, so that platforms can be compared: run by any Node, with nothing but dist and
// the addon. Arguments: FOLDER write|compare. `write` leaves a model and its answers in FOLDER, `compare` must answer the same from
// that model, and train one that answers the same. Prints one JSON line.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TextClassifier } from '../../dist/index.js';

const [folder, mode] = process.argv.slice(2);

/** A small generator, so that no library's random numbers matter. */
function generator(seed) {
  let state = seed;
  return (below) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state % below;
  };
}

const draw = generator(12345);
const words = [
  'good fine great happy lovely nice pleasant bright warm kind'.split(' '),
  'bad awful poor sad ugly nasty cold dark rude mean'.split(' '),
];
const rows = Array.from({ length: 400 }, (_, i) => {
  const text = Array.from({ length: 12 }, () => (draw(4) ? words[i % 2][draw(10)] : `word${draw(500)}`));
  return { text: text.join(' '), label: i % 2 ? 'neg' : 'pos' };
});
const texts = rows.slice(0, 100).map(({ text }) => text);
const answers = async (model) => (await model.predictMany(texts)).map(({ probability }) => probability);
const largest = (a, b) => Math.max(...a.map((value, i) => Math.abs(value - b[i])));

/**
 * Whether a model is saved over another file, and over the one that a model was loaded from, without leftovers next to
 * it.
 */
async function replaces(file) {
  const right = readFileSync(file);
  writeFileSync(file, 'another file');
  await model.save(file);
  const again = await TextClassifier.load(file);
  await again.save(file);
  await again.close();
  return readFileSync(file).equals(right) && !readdirSync(folder).some((name) => name.endsWith('.tmp'));
}

const model = await TextClassifier.train(rows, { epochs: 2, seed: 7, threads: 1 });
const trained = await answers(model);
const path = join(folder, 'model.safetensors');
const answered = join(folder, 'answers.json');
const result = { platform: process.platform, arch: process.arch, node: process.version };
if (mode === 'write') {
  await model.save(path);
  writeFileSync(answered, JSON.stringify(trained));
} else {
  const expected = JSON.parse(readFileSync(answered, 'utf8'));
  const loaded = await TextClassifier.load(path);
  result.loaded = largest(await answers(loaded), expected);
  result.trained = largest(trained, expected);
  const own = join(folder, `model-${process.platform}-${process.arch}.safetensors`);
  await model.save(own);
  result.sameFile = readFileSync(own).equals(readFileSync(path));
  result.replaced = await replaces(own);
  await loaded.close();
}
await model.close();
process.stdout.write(`${JSON.stringify(result)}\n`);
