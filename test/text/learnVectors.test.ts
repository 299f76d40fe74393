import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/core/random.js';
import {
  basicEnglish,
  type LearnVectorsOptions,
  learnVectors,
  type VectorLearningProgress,
  Vectors,
  Vocab,
} from '../../src/text/index.js';
import { defaultVectorEpochs } from '../../src/text/learned/options.js';
import { temporaryFolder } from '../support/folder.js';

const folder = temporaryFolder();

const TOPICS = [
  ['king', 'queen', 'crown', 'throne', 'palace'],
  ['bread', 'butter', 'flour', 'oven', 'baker'],
] as const;

/** Texts of two topics, whose words are drawn. */
function topicTexts(count: number): string[] {
  const random = new Random(4);
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: 8 }, () => TOPICS[i % 2]![random.int(5)]!).join(' '),
  );
}

const texts = topicTexts(600);
/** Small, and learned in a moment. */
const SMALL: LearnVectorsOptions = { dim: 12, window: 4, subsample: 0, threads: 2 };

describe('learnVectors', () => {
  it('finds words that stand among the same words', async () => {
    for (const model of ['skipgram', 'cbow'] as const) {
      const vectors = await learnVectors(texts, { ...SMALL, model, epochs: 10 });
      expect([...vectors.words].sort()).toEqual(TOPICS.flat().sort());
      expect(vectors.matrix).toHaveLength(10 * 12);
      const nearest = await vectors.nearest('king', 4);
      expect(nearest.map(({ word }) => word).sort()).toEqual(['crown', 'palace', 'queen', 'throne']);
      const [first, , , last] = nearest;
      expect(first!.similarity).toBeGreaterThanOrEqual(last!.similarity);
      expect(last!.similarity).toBeGreaterThan(0.5);
      expect(await vectors.nearest('king', 99)).toHaveLength(9);
    }
  });

  it('goes through few texts more often for a continuous bag of words', async () => {
    const words = [345_341, 1_000_000, 100_000_000, 5].map((count) => defaultVectorEpochs('cbow', count));
    expect(words).toEqual([25, 10, 5, 25]);
    expect(defaultVectorEpochs('skipgram', 5)).toBe(5);
    for (const [model, passes] of [
      ['skipgram', 5],
      ['cbow', 25],
    ] as const) {
      let total: number | undefined;
      const usual = await learnVectors(texts, {
        ...SMALL,
        model,
        onProgress: ({ totalWords }) => (total = totalWords),
      });
      expect(total).toBe(passes * 600 * 8);
      expect(usual.matrix).toEqual((await learnVectors(texts, { ...SMALL, model, epochs: passes })).matrix);
    }
  });

  it('counts the words, the most frequent first, and leaves rare ones out', async () => {
    const vectors = await learnVectors(['b a', 'b a', 'b c a'], { ...SMALL, minCount: 2 });
    expect(vectors.words).toEqual(['a', 'b']);
    expect([...vectors.counts]).toEqual([3, 3]);
    expect(vectors.vector('a')).toEqual(vectors.matrix.subarray(0, 12));
    expect(vectors.vector('c')).toBeUndefined();
    await expect(vectors.nearest('c')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', option: 'word' });
  });

  it('splits texts as a classifier does by default: by their script', async () => {
    const chinese = Array.from({ length: 10 }, (_, i) => (i % 2 ? '我喜欢这个电影' : '这个故事非常好看'));
    const vectors = await learnVectors(chinese, SMALL);
    expect(vectors.words).toEqual((await learnVectors(chinese, { ...SMALL, tokenizer: 'unicode_words' })).words);
    expect(vectors.words).toContain('电影');
    const english = await learnVectors(texts, { ...SMALL, epochs: 1 });
    expect(english.matrix).toEqual(
      (await learnVectors(texts, { ...SMALL, epochs: 1, tokenizer: 'basic_english' })).matrix,
    );
  });

  it.skipIf(process.platform === 'win32')('replaces neither a pipe nor the mode of a file', async () => {
    const vectors = await learnVectors(texts, { ...SMALL, epochs: 1 });
    const [pipe, secret] = [join(folder, 'pipe'), join(folder, 'secret.vec')];
    execFileSync('mkfifo', [pipe]);
    await expect(vectors.save(pipe)).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringMatching(/it is not a regular file/),
    });
    expect(statSync(pipe).isFIFO()).toBe(true);
    await expect(vectors.save(folder)).rejects.toMatchObject({
      code: 'IO',
      message: expect.stringMatching(/it is a folder/),
    });
    writeFileSync(secret, '', { mode: 0o600 });
    await vectors.save(secret);
    expect(statSync(secret).mode & 0o777).toBe(0o600);
    for (const path of [pipe, secret]) rmSync(path);
  });

  it('gives the same vectors for the same texts however they come, and for every number of threads', async () => {
    async function* stream() {
      yield* texts;
    }
    const { matrix } = await learnVectors(texts, SMALL);
    expect((await learnVectors(stream(), { ...SMALL, threads: 1 })).matrix).toEqual(matrix);
    const split = (text: string) => basicEnglish(text);
    const batches = { tokenize: split, tokenizeMany: async (many: readonly string[]) => many.map(split) };
    expect((await learnVectors(texts, { ...SMALL, tokenizer: split })).matrix).toEqual(matrix);
    expect((await learnVectors(texts, { ...SMALL, tokenizer: batches })).matrix).toEqual(matrix);
    expect((await learnVectors(texts, { ...SMALL, seed: 1 })).matrix).not.toEqual(matrix);
  });

  it('gives words that the texts do not have the vector of their subwords', async () => {
    const vectors = await learnVectors(texts, { ...SMALL, minn: 3, maxn: 5 });
    const queens = vectors.vector('queens')!;
    expect(queens).toHaveLength(12);
    expect((await vectors.nearest('queens', 1))[0]!.word).toBe('queen');
    expect(vectors.vector('zzz')).toBeUndefined();
  });

  it('writes a file that gives the very numbers back', async () => {
    const vectors = await learnVectors([...texts, 'a\u00a0b a\u00a0b', 'é 日 é 日 é 日'], {
      ...SMALL,
      tokenizer: (text) => text.split(' '),
      minCount: 2,
    });
    expect(vectors.words).toContain('a\u00a0b');
    const file = join(folder, 'own.vec');
    await vectors.save(file);
    const words = vectors.words.filter((word) => word !== 'a\u00a0b');
    expect(readFileSync(file, 'utf8')).toMatch(new RegExp(`^${words.length} 12\n`));
    const read = await Vectors.load(file, { vocab: Vocab.fromTokens(['<unk>', '<pad>', ...words]) });
    expect(read.coverage).toMatchObject({ found: words.length, missing: 0, fileWords: words.length });
    words.forEach((word, i) => {
      expect(read.row(i + 2)).toEqual(vectors.vector(word));
    });

    const taken = join(folder, 'folder');
    mkdirSync(taken);
    await expect(vectors.save(taken)).rejects.toMatchObject({ code: 'IO' });
    await expect(vectors.save(join(folder, 'none', 'own.vec'))).rejects.toMatchObject({ code: 'IO' });
    expect(readdirSync(folder).sort()).toEqual(['folder', 'own.vec']);
  });

  it('reports how far it is', async () => {
    const reports: VectorLearningProgress[] = [];
    await learnVectors(texts, { ...SMALL, onProgress: (progress) => reports.push(progress) });
    const last = reports.at(-1)!;
    expect(reports.map(({ phase }) => phase)).toEqual(
      expect.arrayContaining(['reading', 'learning'] satisfies VectorLearningProgress['phase'][]),
    );
    expect(last).toMatchObject({
      phase: 'learning',
      texts: 600,
      words: 5 * 4_800,
      totalWords: 5 * 4_800,
      secondsLeft: 0,
    });
    expect(last.loss).toBeGreaterThan(0.5);
    expect(last.loss).toBeLessThan(4.2);
  });

  it('ends when it is aborted, while it reads and while it learns', async () => {
    await expect(learnVectors(texts, { signal: AbortSignal.abort('no') })).rejects.toMatchObject({
      code: 'ABORTED',
      cause: 'no',
    });
    for (const phase of ['reading', 'learning'] as const) {
      const controller = new AbortController();
      const onProgress = (progress: VectorLearningProgress) => {
        if (progress.phase === phase) controller.abort();
      };
      const learning = learnVectors(texts, { ...SMALL, epochs: 10_000, signal: controller.signal, onProgress });
      await expect(learning).rejects.toMatchObject({ code: 'ABORTED' });
    }
  });

  it('passes on what the texts and the tokenizer throw', async () => {
    const broken = async function* () {
      yield 'a b';
      throw new Error('the source broke');
    };
    await expect(learnVectors(broken())).rejects.toThrow('the source broke');
    const tokenizer = () => {
      throw new Error('the tokenizer broke');
    };
    await expect(learnVectors(texts, { tokenizer })).rejects.toThrow('the tokenizer broke');
    const numbers = (() => [1]) as never;
    await expect(learnVectors(texts, { tokenizer: numbers })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('refuses what does not fit, by its name', async () => {
    const refused = async (given: unknown, options: object, option: string) => {
      const error = await learnVectors(given as string[], options).catch((error: unknown) => error);
      expect(error).toMatchObject({ name: 'ArgumentError', option });
    };
    await refused('text', {}, 'texts');
    await refused(null, {}, 'texts');
    await refused([1], {}, 'a text');
    await refused(texts, { dim: 0 }, 'dim');
    await refused(texts, { model: 'glove' }, 'model');
    await refused(texts, { lr: 0 }, 'lr');
    await refused(texts, { minn: 4, maxn: 3 }, 'minn');
    await refused(texts, { windows: 3 }, 'windows');
    await refused([], {}, 'minCount');
    await refused(['a b', 'a c'], {}, 'minCount');
    await expect(learnVectors(['a b', 'a c'])).rejects.toThrow(
      'at least two different words that occur 3 times or more (minCount)',
    );
    expect(existsSync(join(folder, 'undefined'))).toBe(false);
  });
});
