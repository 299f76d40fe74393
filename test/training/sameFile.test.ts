import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readCsv, TextClassifier, type TrainOptions } from '../../src/index.js';
import { COLUMNS, recurra } from '../support/cli.js';
import { temporaryFolder } from '../support/folder.js';
import { topicCsv, topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const csv = join(folder, 'texts.csv');
writeFileSync(csv, topicCsv(topicTexts(200)));

/** Trains on the file and returns the bytes of the model's file. */
async function trained(options: TrainOptions, name: string): Promise<Buffer> {
  const path = join(folder, name);
  await using model = await TextClassifier.train(readCsv(csv, { text: 'body', label: 'topic' }), options);
  await model.save(path);
  return readFileSync(path);
}

it.each<[string, TrainOptions, string[]]>([
  ['with a linear model and validation rows', { validation: 0.2 }, ['--validation', '0.2']],
  [
    'of the network alone, by attention',
    { linear: false, pooling: 'attention' },
    ['--no-linear', '--pooling', 'attention'],
  ],
])('the same training gives the same file: %s', async (_, more, flags) => {
  const options: TrainOptions = { embeddingDim: 8, hiddenSize: 8, epochs: 2, seed: 5, ...more };
  const first = await trained(options, 'first');
  // Neither the order of the options, nor the number of threads, nor the name of the file is in it.
  const reversed = Object.fromEntries(Object.entries(options).reverse());
  expect((await trained({ threads: 1, ...reversed }, 'second')).equals(first)).toBe(true);
  const out = join(folder, 'third');
  const same = ['--seed', '5', '--epochs', '2', '--hidden-size', '8', '--embedding-dim', '8', ...flags];
  expect(recurra(['train', csv, ...COLUMNS, ...same, '--out', out]).status).toBe(0);
  expect(readFileSync(out).equals(first)).toBe(true);
  // What is loaded and saved again is the same as well.
  await using loaded = await TextClassifier.load(out);
  await loaded.save(join(folder, 'fourth'));
  expect(readFileSync(join(folder, 'fourth')).equals(first)).toBe(true);
});

it('checkpoints of the same training differ in their times alone', async () => {
  const headers: unknown[] = [];
  for (const name of ['one', 'two']) {
    const path = join(folder, name);
    await using _ = await TextClassifier.train(topicTexts(100), {
      embeddingDim: 8,
      hiddenSize: 8,
      epochs: 2,
      checkpoint: path,
    });
    const bytes = readFileSync(path);
    const { __metadata__: metadata } = JSON.parse(bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE(0)))) as {
      __metadata__: Record<string, string>;
    };
    expect(Object.keys(metadata)).toEqual(Object.keys(metadata).sort());
    const text = metadata.checkpoint!.replace(/"(trainedSeconds|seconds|samplesPerSecond|secondsLeft)":[\d.e-]+/g, '');
    headers.push(text.replace(/"path":"[^"]+"/, ''));
  }
  expect(headers[1]).toBe(headers[0]);
});
