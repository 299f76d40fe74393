import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TextClassifier, Vectors, type VectorsOptions, Vocab } from '../../src/index.js';
import { temporaryFolder } from '../support/folder.js';
import { SMALL } from '../support/texts.js';

const folder = temporaryFolder();
const fixtures = join(import.meta.dirname, '../fixtures/vectors');
const golden = JSON.parse(readFileSync(join(fixtures, 'fasttext.json'), 'utf8')) as {
  known: string[];
  unknown: string[];
  vectors: Record<string, Record<string, number[]>>;
};
const words = [...golden.known, ...golden.unknown];
const vocab = Vocab.fromTokens(['<unk>', '<pad>', ...words]);
const bytes = readFileSync(join(fixtures, 'skipgram.bin'));

let files = 0;
function write(content: Uint8Array): string {
  const path = join(folder, `${files++}.bin`);
  writeFileSync(path, content);
  return path;
}

/** The bytes of the model with some of them changed. */
function changed(change: (copy: Buffer) => void): string {
  const copy = Buffer.from(bytes);
  change(copy);
  return write(copy);
}
const load = (file: string, options: Partial<VectorsOptions> = {}) => Vectors.load(file, { vocab, ...options });

/** Where the header's numbers stand, and the matrix with what is before it. */
const AT = { version: 4, dim: 8, buckets: 40, minn: 44, maxn: 48, entries: 64, words: 68, labels: 72, pruned: 84 };
const MATRIX = (() => {
  let at = 92;
  for (let entry = 0; entry < bytes.readInt32LE(AT.entries); entry++) at = bytes.indexOf(0, at) + 10;
  return at;
})();

describe("fastText's .bin", () => {
  it.each(['skipgram.bin', 'single.bin', 'whole.bin', 'supervised.bin'])(
    '%s gives what fastText gives',
    async (name) => {
      const expected = golden.vectors[name]!;
      const vectors = await load(join(fixtures, name));
      expect(vectors.dim).toBe(5);
      let [found, composed] = [0, 0];
      for (const [i, word] of words.entries()) {
        const index = vocab.get(word);
        for (const [k, value] of expected[word]!.entries())
          expect(Math.abs(vectors.row(index)[k]! - value), `${word} ${k}`).toBeLessThan(1e-7);
        const zero = expected[word]!.every((value) => value === 0);
        expect(vectors.known[index], word).toBe(zero ? 0 : 1);
        found += vectors.known[index]!;
        if (!zero && i >= golden.known.length) composed++;
      }
      expect(composed).toBe(/whole|supervised/.test(name) ? 0 : golden.unknown.length);
      expect(vectors.coverage).toMatchObject({ found, missing: words.length - found });
      expect(vectors.coverage.composed ?? 0).toBe(composed);
      expect([...vectors.row(0), ...vectors.row(1)]).toEqual(Array(10).fill(0));
    },
  );

  it('is taken by name, and another file is not', async () => {
    const named = await load(join(fixtures, 'skipgram.bin'), { format: 'fasttext-binary' });
    expect(named.matrix).toEqual((await load(join(fixtures, 'skipgram.bin'))).matrix);
    await expect(load(write(Buffer.from('cat 1 2\n')), { format: 'fasttext-binary' })).rejects.toMatchObject({
      code: 'INVALID_FILE',
      message: expect.stringMatching(/a fastText model/),
    });
    await expect(load(join(folder, 'none.bin'), { format: 'fasttext-binary' })).rejects.toMatchObject({
      code: 'FILE_NOT_FOUND',
    });
  });

  it('lets a classifier begin with vectors, also for words that it does not have', async () => {
    const rows = ['cats', 'dog', 'cat', 'dogs'].map((text, i) => ({ text, label: `${i % 2}` }));
    const options = { ...SMALL, embeddings: join(fixtures, 'skipgram.bin'), freezeEmbeddings: true };
    await using model = await TextClassifier.train(rows, { ...options, embeddingDim: 5 });
    const state = (await model.contents()).state.find(({ name }) => name === 'embedding.weight')!;
    const values = new Float32Array(state.data.slice().buffer);
    const at = model.vocab.get('cats') * 5;
    for (const [k, value] of golden.vectors['skipgram.bin']!.cats!.entries())
      expect(Math.abs(values[at + k]! - value)).toBeLessThan(1e-7);
  });

  it('takes over words of the file beyond the vocabulary', async () => {
    const few = Vocab.fromTokens(['<unk>', '<pad>', 'cat']);
    const more = await Vectors.loadMore(join(fixtures, 'skipgram.bin'), few, {
      most: 2,
      accepts: (word) => /^[a-z]+$/.test(word),
    });
    const taken = more.vocab.itos.slice(3);
    expect(taken).toHaveLength(2);
    for (const word of ['cat', ...taken]) {
      if (!(word in golden.vectors['skipgram.bin']!)) continue;
      for (const [k, value] of golden.vectors['skipgram.bin']![word]!.entries())
        expect(Math.abs(more.vectors.row(more.vocab.get(word))[k]! - value)).toBeLessThan(1e-7);
    }
  });

  it('stops when aborted, and reports progress', async () => {
    const file = join(fixtures, 'skipgram.bin');
    await expect(load(file, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    const reports: number[] = [];
    await load(file, { onProgress: (progress) => reports.push(progress.words) });
    expect(reports.at(-1)).toBe(bytes.readInt32LE(AT.words));
  });

  it('is refused where it ends anywhere before the end of its matrix', async () => {
    const end = MATRIX + 17 + 4 * 5 * (bytes.readInt32LE(AT.words) + bytes.readInt32LE(AT.buckets));
    await load(write(bytes.subarray(0, end)));
    const file = write(bytes.subarray(0, end));
    for (let length = end - 1; length >= 4; length -= length > MATRIX + 30 ? 7 : 1) {
      truncateSync(file, length);
      await expect(load(file), `${length} bytes`).rejects.toMatchObject({
        name: 'DataError',
        code: 'INVALID_FILE',
        file,
      });
    }
  });

  it.each<[string, (copy: Buffer) => void, RegExp]>([
    ['another version', (copy) => copy.writeInt32LE(13, AT.version), /version 13 of fastText's form/],
    ['no numbers', (copy) => copy.writeInt32LE(0, AT.dim), /vectors of 0 numbers/],
    ['too many numbers', (copy) => copy.writeInt32LE(2 ** 30, AT.dim), /vectors of 1073741824 numbers/],
    ['another size', (copy) => copy.writeInt32LE(6, AT.dim), /rows of 5 numbers; the header gives \d+ of 6/],
    ['too many words', (copy) => [AT.entries, AT.words].map((at) => copy.writeInt32LE(2 ** 31 - 1, at)), /too short/],
    ['fewer than no words', (copy) => copy.writeInt32LE(-1, AT.words), /-1 words/],
    ['no words', (copy) => [AT.entries, AT.words].map((at) => copy.writeInt32LE(0, at)), /no vectors/],
    ['sums that do not fit', (copy) => copy.writeInt32LE(5, AT.labels), /5 labels, but/],
    ['buckets below none', (copy) => copy.writeInt32LE(-1, AT.buckets), /-1 rows of subwords/],
    ['more buckets', (copy) => copy.writeInt32LE(2 ** 31 - 1, AT.buckets), /its matrix has/],
    ['subwords without end', (copy) => copy.writeInt32LE(2 ** 30, AT.maxn), /1073741824 characters/],
    ['a pruned model', (copy) => copy.writeBigInt64LE(3n, AT.pruned), /quantized model.*\.bin/],
    ['a quantized matrix', (copy) => copy.writeUInt8(1, MATRIX), /quantized model/],
    ['a matrix without end', (copy) => copy.writeBigInt64LE(2n ** 62n, MATRIX + 1), /4611686018427387904 rows/],
    ['a label among the words', (copy) => copy.writeUInt8(1, copy.indexOf(0, 92) + 9), /entry 1 .* type 1/],
    ['a number that is none', (copy) => copy.fill(0xff, MATRIX + 17, MATRIX + 21), /has NaN as number 1/],
  ])('is refused with %s', async (_, change, message) => {
    const file = changed(change);
    const error = await load(file).then(
      () => expect.fail('no error'),
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({
      name: 'DataError',
      code: 'INVALID_FILE',
      file,
      message: expect.stringMatching(message),
    });
  });

  it('is refused where a matrix of the header is not in the file, before memory is taken', async () => {
    const file = changed((copy) => {
      copy.writeInt32LE(2 ** 30, AT.buckets);
      copy.writeBigInt64LE(BigInt(2 ** 30 + copy.readInt32LE(AT.words)), MATRIX + 1);
    });
    const before = process.memoryUsage().rss;
    await expect(load(file)).rejects.toThrow(/for which the file is too short/);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
  });

  it('leaves out words that are not UTF-8 on demand', async () => {
    const file = changed((copy) => copy.writeUInt8(0xff, copy.indexOf('cat')));
    await expect(load(file)).rejects.toMatchObject({
      code: 'INVALID_ROW',
      message: expect.stringMatching(/is not UTF-8/),
    });
    expect((await load(file, { invalidUtf8: 'skip' })).coverage.composed).toBe(golden.unknown.length + 1);
  });
});
