import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { TextClassifier, type TrainOptions } from '../../src/index.js';
import { load, type ModuleSource, type Prediction, type WebClassifier } from '../../src/web/index.js';
import { anyText } from '../support/anyText.js';
import { temporaryFolder } from '../support/folder.js';
import { topicTexts } from '../support/texts.js';
import { builtModule } from './module.js';

const path = builtModule();
const folder = temporaryFolder();
const rows = topicTexts(240).map(({ label, text }) => ({ text, label }));
const several = topicTexts(240).map(({ label, text }, i) => ({
  text,
  label: i % 5 === 0 ? [label, 'fifth'] : [label],
}));

/** Each value of each option at least once, and those that act on one another together. */
const MODELS: Record<string, TrainOptions> = {
  'the defaults': {},
  'RNN, last, two layers': { cell: 'rnn', pooling: 'last', numLayers: 2, linear: false },
  'GRU, mean, one direction, pairs': { cell: 'gru', pooling: 'mean', bidirectional: false, ngrams: 2, linear: false },
  'minGRU, attention, the end of a text': { cell: 'mingru', pooling: 'attention', maxLength: 7, truncate: 'tail' },
  'LSTM, last, three networks': { pooling: 'last', members: 3, hiddenSize: 5, linear: false },
  'two networks and a linear model': { members: 2, cell: 'gru', ngrams: 3, maxLength: 5, truncate: 'both' },
  'no network': { recurrent: false },
  'several labels': { multiLabel: true, pooling: 'attention', tokenizer: 'characters', maxLength: 40 },
  'several labels without a network': { multiLabel: true, recurrent: false },
  'words of Unicode': { tokenizer: 'unicode_words', ngrams: 2, maxLength: 6, truncate: 'both', members: 2 },
  characters: { tokenizer: 'characters', cell: 'gru', numLayers: 2, bidirectional: false, linear: false },
};

const TEXTS = [
  '',
  ' \t\n',
  'a dog with a tail 🙂 and 🧑‍🚀',
  '\ud800 half of a pair \udc00',
  'ΣΑΣ İstanbul ΑΣ.',
  '\ufeff<pad> <unk> the',
  '中文和日本語のテキスト',
  'dog '.repeat(3_000),
  ...rows.slice(0, 20).map(({ text }) => text),
];

const worst = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)));

describe.skipIf(!path)('a model in WebAssembly', () => {
  let module: ModuleSource;
  beforeAll(() => {
    module = new Uint8Array(readFileSync(path!));
  });

  /** Compares the answers to a text. */
  async function compare(native: TextClassifier, web: WebClassifier, text: string): Promise<void> {
    const [expected, found] = [await native.predict(text), web.predict(text)];
    const inOrder = (of: typeof found) =>
      native.labels.map((label) => of.classes.find((c) => c.label === label)!.probability);
    expect(worst(inOrder(found), inOrder(expected))).toBeLessThanOrEqual(1e-6);
    expect([found.tokens, found.knownTokens]).toEqual([expected.tokens, expected.knownTokens]);
    expect(found.classes).toHaveLength(native.labels.length);
    for (const label of found.labels) expect(native.labels).toContain(label);
  }

  it.each(['v1', 'v2', 'v3', 'v4'])(
    'opens files of format %s, and answers as the version that wrote them',
    async (name) => {
      const saved = join(import.meta.dirname, '../fixtures/models', name);
      const web = await load(new Uint8Array(readFileSync(`${saved}.safetensors`)), { module, kind: 'classifier' });
      const answers = JSON.parse(readFileSync(`${saved}.json`, 'utf8')) as Prediction[];
      expect(answers.length).toBeGreaterThan(1);
      for (const { text, classes } of answers as (Prediction & { text: string })[]) {
        const found = web.predict(text);
        expect(found.classes.map(({ label }) => label)).toEqual(classes.map(({ label }) => label));
        const probabilities = (of: Prediction['classes']) => of.map(({ probability }) => probability);
        expect(worst(probabilities(found.classes), probabilities(classes))).toBeLessThanOrEqual(1e-6);
      }
      web.close();
    },
  );

  it.each(Object.entries(MODELS))('answers as on other platforms: %s', async (name, options) => {
    const given = { embeddingDim: 9, hiddenSize: 8, epochs: 2, lr: 1e-2, seed: 4, threads: 1, ...options };
    const native = await TextClassifier.train(options.multiLabel ? several : rows, given);
    const file = join(folder, `${name}.safetensors`);
    await native.save(file);
    const web = await load(new Uint8Array(readFileSync(file)), { module, kind: 'classifier' });
    expect(web.labels).toEqual(native.labels);
    expect(web.thresholds).toEqual(native.thresholds);
    for (const text of TEXTS) await compare(native, web, text);
    await fc.assert(
      fc.asyncProperty(anyText, (text) => compare(native, web, text)),
      { numRuns: 60 },
    );
    const many = web.predictMany(TEXTS, { topK: 1 });
    expect(many.map(({ classes }) => classes)).toEqual(TEXTS.map((text) => web.predict(text, { topK: 1 }).classes));
    web.close();
    await native.close();
  });
});
