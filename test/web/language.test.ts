import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type GenerateOptions, HuggingFaceTokenizer, LanguageModel, type LanguageOptions } from '../../src/index.js';
import { bytePieces } from '../../src/web/bytePieces.js';
import { load, type ModuleSource, type WebLanguageModel } from '../../src/web/index.js';
import { anyText } from '../support/anyText.js';
import { temporaryFolder } from '../support/folder.js';
import { builtModule } from './module.js';

const path = builtModule();
const folder = temporaryFolder();
const TEXT = Array.from(
  { length: 150 },
  (_, i) => `${['the cat sat.', 'a dög ran 🙂.', "no rain, it's 42."][(i * i * 7 + (i >> 2)) % 3]}\n`,
).join('');

const MODELS: Record<string, LanguageOptions> = {
  characters: {},
  'bytes, GRU, two layers': { units: 'bytes', cell: 'gru', numLayers: 2 },
  'words, minGRU': { units: 'words', cell: 'mingru', minFreq: 1 },
  pieces: { units: 'pieces', maxTokens: 300 },
  'tied weights': { tieWeights: true, embeddingDim: 20 },
  'adaptive softmax': { softmax: 'adaptive' },
};

const GENERATIONS: [string, GenerateOptions][] = [
  ['', { temperature: 0 }],
  ['the c', { seed: 1 }],
  ['a dög', { seed: 2, temperature: 1.4, topK: 9 }],
  ['no \ud800 rain 日本', { seed: 3, topP: 0.8, repetitionPenalty: 1.3 }],
  ['the cat sat.\n'.repeat(40), { seed: 4, stop: ['sat', 'ran'] }],
];

async function text(pieces: AsyncIterable<string>): Promise<string> {
  let all = '';
  for await (const piece of pieces) all += piece;
  return all;
}

describe.skipIf(!path)('a language model in WebAssembly', () => {
  let module: ModuleSource;
  beforeAll(() => {
    module = new Uint8Array(readFileSync(path!));
  });

  async function both(name: string, options: LanguageOptions): Promise<[LanguageModel, WebLanguageModel]> {
    const given = { embeddingDim: 12, hiddenSize: 20, numLayers: 1, window: 16, batchSize: 8, epochs: 4, lr: 0.02 };
    const native = await LanguageModel.train([TEXT], { ...given, threads: 1, ...options });
    const file = join(folder, `${name}.safetensors`);
    await native.save(file);
    return [native, await load(new Uint8Array(readFileSync(file)), { module, kind: 'language' })];
  }

  it.each(Object.entries(MODELS))('writes what it writes on other platforms: %s', async (name, options) => {
    const [native, web] = await both(name, options);
    expect([web.kind, web.units]).toEqual(['language', native.units]);
    for (const [prompt, how] of GENERATIONS) {
      const given = { maxNewTokens: 120, ...how };
      const expected = await text(native.generate(prompt, given));
      expect(await text(web.generate(prompt, given))).toBe(expected);
      if (how.stop === undefined) expect(expected.length).toBeGreaterThan(0);
    }
    // Side by side, each has its own text.
    const given = { seed: 7, maxNewTokens: 60 };
    const texts = await Promise.all(['the', 'a', ''].map((prompt) => text(web.generate(prompt, given))));
    for (const [i, prompt] of ['the', 'a', ''].entries())
      expect(texts[i]).toBe(await text(native.generate(prompt, given)));
    web.close();
    await native.close();
  });

  it('ends a text that is left, and says what does not fit', async () => {
    const [native, web] = await both('ends', {});
    await native.close();
    for await (const piece of web.generate('the', { seed: 1 })) if (piece) break;
    const aborted = new AbortController();
    const pieces = web.generate('the', { seed: 1, signal: aborted.signal });
    await pieces.next();
    aborted.abort();
    await expect(pieces.next()).rejects.toMatchObject({ code: 'ABORTED' });
    expect(() => web.generate(5 as never)).toThrow('Expected a string for prompt');
    expect(() => web.generate('', { topP: 0 })).toThrow('topP');
    expect(() => web.generate('', { beamSize: 2 } as never)).toThrow('recurra-web has no beam search');
    expect(() => web.generate('', { beam: 2 } as never)).toThrow('beam');
    const rest = web.generate('the', { seed: 1 });
    await rest.next();
    web.close();
    await expect(rest.next()).rejects.toMatchObject({ code: 'DISPOSED' });
    expect(() => web.generate('the')).toThrow(expect.objectContaining({ code: 'DISPOSED' }));
  });

  it('refuses the pieces of a tokenizer of its own', async () => {
    const tokenizer = await HuggingFaceTokenizer.fromFile(
      join(import.meta.dirname, '../fixtures/tokenizers/word_piece.json'),
    );
    const model = await LanguageModel.train([TEXT], {
      tokenizer,
      embeddingDim: 4,
      hiddenSize: 4,
      window: 8,
      batchSize: 2,
      epochs: 1,
    });
    const file = join(folder, 'own.safetensors');
    await model.save(file);
    await model.close();
    await expect(load(new Uint8Array(readFileSync(file)), { module })).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: expect.stringContaining('it is not a byte pair encoding over bytes; '),
    });
  });
});

describe('pieces of bytes', () => {
  it('are those of the tokenizer that learned them', async () => {
    const learned = await HuggingFaceTokenizer.learn([TEXT.repeat(3)], 320);
    const own = bytePieces(learned.serialize());
    if (typeof own === 'string') throw new Error(own);
    expect(own.size).toBe(learned.size);
    const ids = Array.from({ length: own.size }, (_, id) => id);
    expect(ids.map((id) => own.tokenOf(id))).toEqual(ids.map((id) => learned.tokenOf(id)));
    const word = fc.constantFrom('the cat', " it's", ' I’ll', '  \n\t x', ' 42nd', '\u0085', '\u2028 a', 'dög 🙂');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(anyText, word)), async (parts) => {
        const given = parts.join('');
        const [found, expected] = [await own.encodeIds(given), await learned.encodeIds(given)];
        expect([...found]).toEqual([...expected]);
        expect(own.decodeIds([...found])).toBe(learned.decodeIds([...found]));
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...ids)), (some) => {
        expect(own.decodeIds(some)).toBe(learned.decodeIds(some));
      }),
    );
  });

  it('are nothing else', async () => {
    const json = (await HuggingFaceTokenizer.learn([TEXT], 300)).serialize();
    const changed = (change: (described: Record<string, unknown> & { model: Record<string, unknown> }) => void) => {
      const described = JSON.parse(json);
      change(described);
      return bytePieces(JSON.stringify(described));
    };
    expect(changed(() => {})).not.toBeTypeOf('string');
    expect(bytePieces('{')).toBe('it is not JSON');
    expect(bytePieces('null')).toContain('not a byte pair encoding');
    expect(changed((of) => (of.normalizer = { type: 'NFC' }))).toContain('normalizer');
    expect(changed((of) => (of.added_tokens = [{ id: 0, content: '!' }]))).toContain('added tokens');
    expect(changed((of) => Object.assign(of.pre_tokenizer as object, { add_prefix_space: true }))).toContain('splits');
    expect(changed((of) => (of.model.end_of_word_suffix = '</w>'))).toContain('joins pieces in another way');
    expect(changed((of) => (of.model.vocab = { a: 0, b: 9 }))).toContain('numbers');
    expect(changed((of) => (of.model.vocab = { a: 0 }))).toContain('all bytes');
    expect(changed((of) => (of.model.merges = ['a zz']))).toContain('pieces that it does not have');
  });
});
