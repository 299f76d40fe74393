import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DataError, invalidArgument } from '../core/errors.js';
import { ioError } from '../core/ioError.js';
import { checkOptionNames } from '../core/options/names.js';
import { readCsv } from '../data/readers/csv.js';
import type { LabelledText } from '../data/readers/rows.js';
import { getTokenizer, type TokenizerLike } from '../text/tokenizer.js';
import type { Vocab } from '../text/vocab.js';

/**
 * Names of AG News' classes, in the order of the numbers 1 to 4 that its files have.
 *
 * @example
 * ```ts
 * AG_NEWS_CLASSES[1]; // 'Sports'
 * ```
 */
export const AG_NEWS_CLASSES = ['World', 'Sports', 'Business', 'Sci/Tech'] as const;

/** MD5 sums of the original files, as torchtext's `AG_NEWS` checks them. */
const MD5 = {
  'train.csv': 'b1a00f826fdfbd249f79597b59e1dc12',
  'test.csv': 'd52ea96a97a2d943681189a97654912d',
} as const;

/** One side of AG News: iterates over its rows, reading the file again each time. */
export interface AgNewsPart extends AsyncIterable<LabelledText> {
  /** Path of the file. */
  readonly file: string;
  /** Whether the file is the original one, by its MD5 sum; other files are read too. */
  readonly original: boolean;
}

/** Result of {@link agNews}. */
export interface AgNews {
  /** The training rows: 120,000 in the original file. */
  train: AgNewsPart;
  /** The test rows: 7,600 in the original file. */
  test: AgNewsPart;
  /** Names of the classes; a row's `label` is one of them. */
  classes: readonly string[];
}

/** Options of {@link agNews}. */
export interface AgNewsOptions {
  /** Folder that has `train.csv` and `test.csv`. */
  root: string;
}

/**
 * Opens the AG News data set: news items of four classes, as `train.csv` and `test.csv` with label (1 to 4), title and
 * description. A row's text is title and description joined by a space, as in torchtext.
 *
 * @param options - See {@link AgNewsOptions}.
 * @throws DataError with code `FILE_NOT_FOUND`, saying where it looked and where to get the files; while
 * reading rows, also `INVALID_ROW` with file and line.
 *
 * @example
 * ```ts
 * const { train, test, classes } = await agNews({ root: 'data/ag_news' });
 * const { dataset, vocab } = await collect(train, { classes });
 * ```
 */
export async function agNews(options: AgNewsOptions): Promise<AgNews> {
  checkOptionNames('agNews', options, ['root']);
  const { root } = options;
  if (typeof root !== 'string') throw invalidArgument('root', 'the path of a folder', root);
  const files = (['train.csv', 'test.csv'] as const).map((name) => ({ file: join(root, name), md5: MD5[name] }));
  for (const { file } of files) await checkThere(file, root);
  const [train, test] = await Promise.all(files.map(({ file, md5 }) => part(file, md5)));
  return { train: train!, test: test!, classes: AG_NEWS_CLASSES };
}

/** The lesson's name for {@link agNews}. */
export const loadDataset: typeof agNews = agNews;

/** Options of {@link encode}. */
export interface TextEncodeOptions {
  /** The vocabulary that maps tokens to indices. */
  vocab: Vocab;
  /** Splits the text. Default `'basic_english'`. */
  tokenizer?: TokenizerLike | undefined;
}

/**
 * Turns one text into indices, as the lesson's `encode`. A text without tokens gives one unknown token, so that it has a
 * length that can be packed.
 *
 * @param text - The text.
 * @param options - See {@link TextEncodeOptions}.
 * @returns Indices, at least one.
 * @throws `ArgumentError` for invalid options, or a token that is not in a vocabulary without unknown token.
 *
 * @example
 * ```ts
 * const vocab = Vocab.fromTokens(['<unk>', 'oil', 'prices'], { unkToken: '<unk>' });
 * [...encode('Oil prices soar', { vocab })]; // [1, 2, 0]
 * ```
 */
export function encode(text: string, options: TextEncodeOptions): Int32Array {
  checkOptionNames('encode', options, ['vocab', 'tokenizer']);
  const { vocab, tokenizer } = options;
  if (typeof vocab?.encode !== 'function') throw invalidArgument('vocab', 'a Vocab', vocab);
  const tokens = getTokenizer(tokenizer)(text);
  return tokens.length > 0 ? vocab.encode(tokens) : Int32Array.of(vocab.defaultIndex ?? vocab.get(''));
}

async function checkThere(file: string, root: string): Promise<void> {
  try {
    await access(file);
  } catch (cause) {
    throw new DataError(
      'FILE_NOT_FOUND',
      `AG News was not found (looked in ${resolve(root)} for train.csv and test.csv). Get the data set "AG News" by Xiang Zhang and ` +
        'others as CSV files with label, title and description (the ones that torchtext.datasets.AG_NEWS fetches, from the ' +
        'repository mhjabreel/CharCnn_Keras, data/ag_news_csv) and put both into that folder',
      { file },
      { cause },
    );
  }
}

async function part(file: string, md5: string): Promise<AgNewsPart> {
  const original = (await md5Of(file)) === md5;
  return { file, original, [Symbol.asyncIterator]: () => read(file) };
}

async function md5Of(file: string): Promise<string> {
  const hash = createHash('md5');
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
  } catch (error) {
    throw ioError(error as Error, file);
  }
  return hash.digest('hex');
}

async function* read(file: string): AsyncGenerator<LabelledText, void, undefined> {
  for await (const row of readCsv(file, { text: [2, 3], label: 1 })) {
    const label = /^[1-4]$/.test(row.label) ? AG_NEWS_CLASSES[Number(row.label) - 1] : undefined;
    if (label === undefined) {
      const message = `expected a label from 1 to 4 but found ${JSON.stringify(row.label)}`;
      throw new DataError('INVALID_ROW', message, { file, line: row.line, column: 1 });
    }
    row.label = label;
    yield row;
  }
}
