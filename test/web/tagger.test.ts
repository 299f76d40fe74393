import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type TaggerTrainOptions, type Tagging, TextTagger } from '../../src/index.js';
import { load, type ModuleSource, type WebTagger } from '../../src/web/index.js';
import { anyText } from '../support/anyText.js';
import { temporaryFolder } from '../support/folder.js';
import { placeRows } from '../support/places.js';
import { builtModule } from './module.js';

const path = builtModule();
const folder = temporaryFolder();
const spanned = placeRows(150);
/** Tags without a scheme. */
const plain = Array.from({ length: 120 }, (_, i) => ({
  tokens: [['Ada', 'runs', '.'][i % 3]!, ['likes', 'Rome'][i % 2]!, '中文'],
  tags: [['NOUN', 'VERB', 'PUNCT'][i % 3]!, ['VERB', 'NOUN'][i % 2]!, 'X'],
}));

/** Each value of each option at least once. */
const MODELS: Record<string, TaggerTrainOptions & { plain?: boolean }> = {
  'the defaults': {},
  'softmax, case kept, no shape': { decoder: 'softmax', lowercase: false, subwords: { shape: false, maxn: 3 } },
  'no subwords, GRU, two layers, short rows': { subwords: false, cell: 'gru', numLayers: 2, maxLength: 3 },
  'characters, minGRU, runs as written': {
    tokenizer: 'characters',
    cell: 'mingru',
    subwords: { buckets: 99, dim: 3, minn: 1, maxn: 0, lowercase: false },
  },
  'tags without a scheme, one direction': { plain: true, bidirectional: false, cell: 'rnn' },
};

const TEXTS = [
  '',
  ' \t\n',
  'In San Juan Hill, 😀😀 Ada   met Eve in Rome',
  '\ud800 Ada \udc00 in New\u0301  York',
  'ΣΑΣ İstanbul ΑΣ.',
  '\ufeff<pad> <unk> Rome __proto__',
  '中文和日本語のテキスト',
  'Ada likes '.repeat(2_000),
  ...spanned.slice(0, 20).map(({ text }) => text),
];

/** Texts in which spans are found among all that a text may have. */
const anyPlaces = fc
  .array(fc.oneof(anyText, fc.constantFrom('Ada ', ' in Paris', 'New\u0301  York', ' San Juan Hill.', '👩‍🚀 Eve')))
  .map((parts) => parts.join(''));

describe.skipIf(!path)('a tagger in WebAssembly', () => {
  let module: ModuleSource;
  beforeAll(() => {
    module = new Uint8Array(readFileSync(path!));
  });

  /** Without the probabilities, which differ by rounding. */
  const form = ({ probabilities: _, spans, ...rest }: Tagging) => ({
    ...rest,
    spans: spans.map(({ probability: _, ...span }) => span),
  });
  const numbers = ({ probabilities, spans }: Tagging) => [
    ...probabilities,
    ...spans.map(({ probability }) => probability),
  ];

  function same(found: Tagging, expected: Tagging): void {
    expect(form(found)).toEqual(form(expected));
    const wanted = numbers(expected);
    for (const [i, value] of numbers(found).entries()) expect(Math.abs(value - wanted[i]!)).toBeLessThanOrEqual(1e-6);
  }

  async function compare(native: TextTagger, web: WebTagger, text: string): Promise<void> {
    const found = web.predict(text);
    same(found, await native.predict(text));
    const { tokens, starts, spans } = found;
    expect(tokens.map((token, i) => text.slice(starts[i], starts[i]! + token.length))).toEqual(tokens);
    for (const span of spans) expect(text.slice(span.start, span.end)).toBe(span.text);
    same(web.predict(tokens), await native.predict(tokens));
  }

  it.each(Object.entries(MODELS))('answers as on other platforms: %s', async (name, { plain: tags, ...options }) => {
    const given = { embeddingDim: 9, hiddenSize: 8, epochs: 5, lr: 0.03, seed: 4, threads: 1, ...options };
    const native = await TextTagger.train(tags ? plain : spanned, given);
    const file = join(folder, `${name}.safetensors`);
    await native.save(file);
    const web = await load(new Uint8Array(readFileSync(file)), { module, kind: 'tagger' });
    expect([web.kind, web.labels, web.scheme, web.tokenizer]).toEqual([
      'tagger',
      native.labels,
      native.scheme,
      native.tokenizer,
    ]);
    for (const text of TEXTS) await compare(native, web, text);
    await fc.assert(
      fc.asyncProperty(anyPlaces, (text) => compare(native, web, text)),
      { numRuns: 60 },
    );
    expect(web.predictMany([...TEXTS, ['Ada', '']])).toEqual(
      [...TEXTS, ['Ada', '']].map((input) => web.predict(input)),
    );
    web.close();
    await native.close();
  });

  it('finds the spans that it learned, and says what does not fit', async () => {
    const native = await TextTagger.train(spanned, {
      embeddingDim: 16,
      hiddenSize: 16,
      epochs: 12,
      lr: 0.02,
      // Few rows of few words: what is left out in training by default would be missing.
      embeddingDropout: 0,
      subwords: { dropout: 0 },
      seed: 1,
    });
    const file = join(folder, 'learned.safetensors');
    await native.save(file);
    await native.close();
    const bytes = new Uint8Array(readFileSync(file));
    const web = await load(bytes, { module });
    if (web.kind !== 'tagger') throw new Error(web.kind);
    const { spans } = web.predict('😀 Ada met Eve in Rome');
    expect(spans.map(({ start, end, label, text }) => [start, end, label, text])).toEqual([
      [3, 6, 'PER', 'Ada'],
      [11, 14, 'PER', 'Eve'],
      [18, 22, 'LOC', 'Rome'],
    ]);
    const strange = ['\0', '\ud800', 'x'.repeat(1 << 20), '', '__proto__', '<pad>', '<unk>', '\ufeff'];
    expect(web.predict(strange)).toMatchObject({ tokens: strange, knownTokens: 0 });
    const long = Array.from({ length: 100_000 }, (_, i) => (i % 3 === 0 ? 'Ada' : 'likes'));
    expect(web.predict(long).tags).toHaveLength(100_000);
    expect(() => web.predict(5 as never)).toThrow('Expected a text, or an array of tokens, for input');
    expect(() => web.predict(['a', 5] as never)).toThrow('Expected a string for input[1] but received number 5');
    expect(() => web.predictMany(['a', null] as never)).toThrow('inputs[1]');
    expect(() => web.predictMany('a' as never)).toThrow('inputs');
    const loose: { predict(...given: unknown[]): unknown; predictMany(...given: unknown[]): unknown } = web as never;
    const unknown = { code: 'INVALID_ARGUMENT', option: 'topK' };
    expect(() => loose.predict('a', { topK: 2 })).toThrow(expect.objectContaining(unknown));
    expect(() => loose.predictMany(['a'], { topK: 2 })).toThrow('a WebTagger has no options here');
    expect(loose.predict('a', {})).toMatchObject({ tokens: ['a'] });
    web.close();
    expect(() => web.predict('')).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
    await expect(load(bytes, { module, kind: 'classifier' })).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: expect.stringContaining(
        'is a model of the kind "tagger", not "classifier"; load it with { kind: \'tagger\' }, which gives a WebTagger',
      ),
    });
    await expect(load(bytes, { module, kind: 'oracle' as never })).rejects.toMatchObject({ option: 'kind' });
  });
});
