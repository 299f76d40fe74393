import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { TextClassifier, type TrainOptions } from '../../src/index.js';
import { load, type ModuleSource } from '../../src/web/index.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';
import { builtModule } from './module.js';

const path = builtModule();
const folder = temporaryFolder();
const SMALL = { embeddingDim: 16, hiddenSize: 8, epochs: 3, seed: 1, validation: 0.25 };
const rows = topicTexts(240).map(({ label, text }) => ({ text, label }));
const several = rows.map(({ label, text }, i) => ({ text, label: i % 5 === 0 ? [label, 'fifth'] : [label] }));

const TEXTS = [
  '',
  'a dog with a tail',
  'quarterly revenue fell sharply',
  'a dog sharply fell',
  'zzz qqq',
  'tail tail tail tail tail',
  'bread bread hammer dog',
  ...rows.slice(0, 20).map(({ text }) => text),
];

const MODELS: Record<string, TrainOptions> = {
  'the defaults': {},
  'two networks': { members: 2, linear: false },
  'no network': { recurrent: false },
  'words of Unicode': { tokenizer: 'unicode_words' },
  'several labels': { multiLabel: true },
};

describe.skipIf(!path)('answers that may be unsure, in WebAssembly', () => {
  let module: ModuleSource;
  beforeAll(() => {
    module = new Uint8Array(readFileSync(path!));
  });

  const file = join(folder, 'm.safetensors');
  const loaded = async () => load(new Uint8Array(readFileSync(file)), { module, kind: 'classifier' });

  it.each(Object.entries(MODELS))('are those of the addon: %s', async (_, options) => {
    const native = await TextClassifier.train(options.multiLabel ? several : rows, { ...SMALL, ...options });
    await native.save(file);
    const web = await loaded();
    const plain = ({
      label,
      labels,
      outOfScope,
    }: {
      label: string | null;
      labels: readonly string[];
      outOfScope?: boolean;
    }) => ({
      label,
      labels,
      outOfScope,
    });
    const probabilities = web.predictMany(TEXTS).map(({ probability }) => probability);
    const middle = [...probabilities].sort()[Math.floor(TEXTS.length / 2)]! + 1e-4;
    const flags = new Set<boolean>();
    for (const asked of [
      { minProbability: middle },
      { outOfScope: true },
      { outOfScope: true, minProbability: middle, topK: 1 },
      ...(options.multiLabel ? [] : [{ precision: 0.9 }, { precision: 0.6, minProbability: 0.5 }]),
    ]) {
      const given = { minProbability: 0, ...asked };
      const expected = (await native.predictMany(TEXTS, given)).map(plain);
      expect(web.predictMany(TEXTS, given).map(plain)).toEqual(expected);
      expect(TEXTS.map((text) => plain(web.predict(text, given)))).toEqual(expected);
      for (const { outOfScope } of expected) if (outOfScope !== undefined) flags.add(outOfScope);
      if (given.minProbability === middle) expect(new Set(expected.map(({ label }) => label === null)).size).toBe(2);
    }
    expect(flags.size).toBe(2);
    expect('outOfScope' in web.predict('a dog')).toBe(false);
    if (!options.multiLabel) expect(web.thresholdFor(0.9)).toEqual(native.thresholdFor(0.9));
    else expect(() => web.thresholdFor(0.9)).toThrow('each label has its own threshold');
    web.close();
    expect(() => web.predict('', { outOfScope: true })).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
    await native.close();
  });

  it('are refused where the file does not say what they need', async () => {
    const native = await TextClassifier.train(rows, { seed: 1, recurrent: false });
    await native.save(file);
    await native.close();
    const web = await loaded();
    const refused = (option: string, code = 'INVALID_ARGUMENT') => expect.objectContaining({ option, code });
    expect(() => web.predict('a', { precision: 0.9 })).toThrow(refused('precision'));
    expect(() => web.predict('a', { precision: 2 })).toThrow(refused('precision', 'OUT_OF_RANGE'));
    expect(() => web.predict('a', { outOfScope: true })).toThrow(refused('outOfScope'));
    expect(() => web.predict('a', { outOfScope: 1 as never })).toThrow(refused('outOfScope'));
    expect(() => web.predict('a', { minProbability: -1 })).toThrow(refused('minProbability', 'OUT_OF_RANGE'));
    expect(() => web.predict('a', { signal: undefined } as never)).toThrow(refused('signal'));
    expect(web.predict('a', { minProbability: 1 }).label).toBe(null);
    web.close();
  });
});
