import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportModel, LanguageModel, TextClassifier, TextTagger, Vectors, Vocab } from '../../src/index.js';
import { floatsOf } from '../../src/models/wordVectors.js';
import { temporaryFolder } from '../support/folder.js';
import { SMALL, topicTexts } from '../support/texts.js';

const folder = temporaryFolder();
const fixtures = join(import.meta.dirname, '../fixtures/models');
const tagger = () => TextTagger.load(join(fixtures, 'tagger-v1.safetensors'));

let model: TextClassifier;
beforeAll(async () => {
  model = await TextClassifier.train(topicTexts(120), { ...SMALL, members: 2 });
});
afterAll(() => model.close());

/** The vectors of a file, by word. */
async function written(file: string): Promise<Map<string, Float32Array>> {
  const [header, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(header).toMatch(new RegExp(`^${lines.length} \\d+$`));
  const words = lines.map((line) => line.split(' ')[0]!);
  const vocab = Vocab.fromTokens(words);
  const vectors = await Vectors.load(file, { vocab });
  return new Map(words.map((word) => [word, vectors.row(vocab.get(word))]));
}

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [product, left, right] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    product += a[i]! * b[i]!;
    left += a[i]! ** 2;
    right += b[i]! ** 2;
  }
  return product / Math.sqrt(left * right);
}

describe("exportModel({ to: 'vec' })", () => {
  it('writes the vectors of all words exactly, those of several networks side by side', async () => {
    const out = join(folder, 'two.vec');
    expect(await exportModel(model, { to: 'vec', out })).toEqual({ files: [out], notes: [] });
    const { state } = await model.contents();
    const [first, second] = ['embedding.weight', 'member.2.embedding.weight'].map((name) =>
      floatsOf(state.find((entry) => entry.name === name)!),
    );
    const vectors = await written(out);
    expect(vectors.size).toBe(model.vocab.size - 2);
    for (const [word, vector] of vectors) {
      const at = model.vocab.get(word) * 6;
      expect([...vector]).toEqual([...first!.subarray(at, at + 6), ...second!.subarray(at, at + 6)]);
    }
  });

  it("puts the mean of a word's features behind its own vector", async () => {
    await using trained = await tagger();
    const out = join(folder, 'tagger.vec');
    await exportModel(trained, { to: 'vec', out });
    const vectors = await written(out);
    const { state } = await trained.contents();
    const { embeddingDim, subwords } = trained.settings;
    if (!subwords) throw new Error('the fixture has subwords');
    const own = floatsOf(state.find(({ name }) => name === 'embedding.weight')!);
    const table = floatsOf(state.find(({ name }) => name === 'subwords.weight')!);
    const plain = [...vectors.keys()].filter((word) => /^[a-z]{3,}$/.test(word));
    expect(plain.length).toBeGreaterThan(3);
    for (const word of plain) {
      const found = [...vectors.get(word)!];
      const at = trained.vocab.get(word) * embeddingDim;
      expect(found.slice(0, embeddingDim)).toEqual([...own.subarray(at, at + embeddingDim)]);
      const features = featuresOf(word, subwords);
      for (let i = 0; i < subwords.dim; i++) {
        const mean = features.reduce((sum, feature) => sum + table[feature * subwords.dim + i]!, 0) / features.length;
        expect(found[embeddingDim + i]).toBeCloseTo(mean, 6);
      }
    }
  });

  it('skips words with white space, and says so', async () => {
    await using language = await LanguageModel.train(['a cat and a dog '.repeat(20)], {
      ...{ embeddingDim: 4, hiddenSize: 4, numLayers: 1, epochs: 1, window: 8, batchSize: 2 },
    });
    const out = join(folder, 'characters.vec');
    const { notes } = await exportModel(language, { to: 'vec', out });
    expect(notes).toEqual(['skipped a word with white space, which the format cannot store']);
    expect([...(await written(out)).keys()].sort()).toEqual(['a', 'c', 'd', 'g', 'n', 'o', 't']);
  });

  it.each<[string, object, string, RegExp]>([
    ['another form', { to: 'onx' }, 'INVALID_ARGUMENT', /for to/],
    ['no path', { out: '' }, 'INVALID_ARGUMENT', /a file for out/],
    ['a folder that is not there', { out: join(folder, 'none/x.vec') }, 'IO', /there is no folder/],
    ['a folder', { out: folder }, 'IO', /it is a folder/],
    ['another option', { format: 'vec' }, 'INVALID_ARGUMENT', /Unknown option "format"/],
    ['an aborted signal', { signal: AbortSignal.abort() }, 'ABORTED', /the export was aborted/],
  ])('refuses %s', async (_, options, code, message) => {
    const call = exportModel(model, { to: 'vec', out: join(folder, 'x.vec'), ...options } as never);
    await expect(call).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('refuses what is no model, and one without a network', async () => {
    await expect(exportModel({} as never, { to: 'vec', out: 'x' })).rejects.toThrow(/a model/);
    await using linear = await TextClassifier.train(topicTexts(120), { recurrent: false });
    await expect(exportModel(linear, { to: 'vec', out: join(folder, 'x.vec') })).rejects.toThrow(/has no network/);
    await expect(linear.similar('cat')).rejects.toThrow(/has no network/);
  });

  it('keeps a file that was there when it fails', async () => {
    const out = join(folder, 'kept.vec');
    writeFileSync(out, 'kept');
    const controller = new AbortController();
    const call = exportModel(model, { to: 'vec', out, signal: controller.signal });
    controller.abort();
    await call.catch(() => {});
    expect(['kept', `${model.vocab.size - 2} 12`]).toContain(readFileSync(out, 'utf8').split('\n')[0]);
    mkdirSync(join(folder, 'taken'));
    await expect(exportModel(model, { to: 'vec', out: join(folder, 'taken') })).rejects.toMatchObject({ code: 'IO' });
  });
});

/** The features of a word in lower case, by FNV-1a of its runs and its shape, for words of ASCII letters in lower case. */
function featuresOf(
  word: string,
  {
    buckets,
    minn,
    maxn,
    shape,
    shapeShare,
  }: { buckets: number; minn: number; maxn: number; shape: boolean; shapeShare: number },
): number[] {
  const hash = (bytes: Uint8Array) => {
    let sum = 2166136261;
    for (const byte of bytes) sum = Math.imul(sum ^ (byte > 127 ? byte | 0xffffff00 : byte), 16777619) >>> 0;
    return sum % buckets;
  };
  const bordered = `<${word}>`;
  const features: number[] = [];
  for (let from = 0; from < bordered.length; from++) {
    for (let n = minn; n <= maxn && from + n <= bordered.length; n++) {
      if (n === 1 && (from === 0 || from + n === bordered.length)) continue;
      features.push(hash(Buffer.from(bordered.slice(from, from + n))));
    }
  }
  if (!shape) return features;
  const times = Math.max(1, Math.round((features.length * shapeShare) / (1 - shapeShare)));
  const form = hash(Buffer.concat([Buffer.of(0xff), Buffer.from('x'.repeat(Math.min(4, word.length)))]));
  return [...features, ...Array.from({ length: times }, () => form)];
}

describe('similar', () => {
  it('gives the words with the largest cosine, specials and the word itself left out', async () => {
    const out = join(folder, 'similar.vec');
    await exportModel(model, { to: 'vec', out });
    const vectors = await written(out);
    const expected = [...vectors]
      .filter(([word]) => word !== 'cat')
      .map(([word, vector]) => ({ word, similarity: cosine(vector, vectors.get('cat')!) }))
      .sort((a, b) => b.similarity - a.similarity)
      .slice(0, 4);
    const found = await model.similar('cat', 4);
    expect(found.map(({ word }) => word)).toEqual(expected.map(({ word }) => word));
    for (const [i, { similarity }] of found.entries()) expect(similarity).toBeCloseTo(expected[i]!.similarity, 6);
    expect(await model.similar('cat')).toHaveLength(10);
  });

  it('gives a tagger that sees characters a vector for any word', async () => {
    await using trained = await tagger();
    const known = trained.vocab.itos.find((word) => /^[a-z]{4,}$/.test(word))!;
    const [nearest] = await trained.similar(`${known}ß`, 1);
    expect(nearest!.similarity).toBeGreaterThan(-1);
    expect(await trained.similar(`${known}ß`, 2)).toHaveLength(2);
  });

  it.each<[string, unknown[], RegExp]>([
    ['an unknown word', ['qwertz'], /does not know the word "qwertz"$/],
    ['another case', ['CAT'], /does not know the word "CAT"; it knows "cat"/],
    ['no word', [''], /a word for word/],
    ['no number', ['cat', 0], /for k/],
  ])('refuses %s', async (_, args, message) => {
    await expect(model.similar(...(args as [string]))).rejects.toThrow(message);
  });

  it('refuses a closed model', async () => {
    const closed = await tagger();
    await closed.close();
    await expect(closed.similar('in')).rejects.toMatchObject({ code: 'DISPOSED' });
    await expect(exportModel(closed, { to: 'vec', out: join(folder, 'x.vec') })).rejects.toMatchObject({
      code: 'DISPOSED',
    });
  });
});
