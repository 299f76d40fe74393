// The page of docs/exporting.md, with onnxruntime-node in the place of onnxruntime-web: both have the same interface.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, expect, it, vi } from 'vitest';
import { exportModel, TextClassifier } from '../../../src/index.js';
import { temporaryFolder } from '../../support/folder.js';
import { examplesOf, writeExamples } from '../../support/guide.js';
import { topicTexts } from '../../support/texts.js';

const folder = temporaryFolder();
const page = examplesOf('docs/exporting.md').filter(({ name }) => name === 'page.mjs');
afterEach(() => {
  vi.unstubAllGlobals();
});

it('labels texts in a page as the model does', async () => {
  const model = await TextClassifier.train(topicTexts(200), { embeddingDim: 8, hiddenSize: 8, epochs: 2, seed: 1 });
  await exportModel(model, { to: 'onnx', out: join(folder, 'tickets.onnx') });
  expect(page).toHaveLength(1);
  writeExamples(folder, page);
  const runtime = join(folder, 'node_modules', 'onnxruntime-web');
  mkdirSync(runtime, { recursive: true });
  writeFileSync(join(runtime, 'package.json'), '{ "type": "module", "exports": "./index.js" }');
  writeFileSync(join(runtime, 'index.js'), `export * from ${JSON.stringify(import.meta.resolve('onnxruntime-node'))};`);
  vi.stubGlobal('fetch', async (path: string) => new Response(readFileSync(join(folder, path))));
  const { classify } = (await import(pathToFileURL(join(folder, 'page.mjs')).href)) as {
    classify(text: string): Promise<{ label: string; probability: number }>;
  };
  for (const text of ['a dog with a tail', 'bread and salt', '', 'zzz']) {
    const { label, probability } = await classify(text);
    const expected = await model.predict(text);
    expect(label).toBe(expected.label);
    expect(Math.abs(probability - expected.probability)).toBeLessThanOrEqual(1e-5);
  }
  vi.stubGlobal('fetch', async () => new Response('', { status: 404 }));
  await expect(import(`${pathToFileURL(join(folder, 'page.mjs')).href}?again`)).rejects.toThrow('HTTP status 404');
  await model.close();
});
