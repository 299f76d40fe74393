import { availableParallelism } from 'node:os';
import { callback, choice, integer, type Kind, number, signal } from '../../core/options/kinds.js';
import {
  checkNames,
  checkRules,
  option,
  type Rule,
  type SettingsOf,
  settingsOf,
  type TableOf,
} from '../../core/options/table.js';
import { TEXT, TOKENS } from '../options.js';
import type { TokenizerLike } from '../tokenizer.js';

/** What is predicted from what: the words near a word from that word, or a word from those near it. */
export type VectorModel = 'skipgram' | 'cbow';

const MODELS = ['skipgram', 'cbow'] as const satisfies readonly VectorModel[];

/** How far {@link learnVectors} is. */
export interface VectorLearningProgress {
  /** Whether texts are still read, or vectors learned. */
  phase: 'reading' | 'learning';
  /** Texts that were read. */
  texts: number;
  /** Words of the texts that were read; then words that were learned from, in all epochs together. */
  words: number;
  /** Words that all epochs have together, those without a vector not counted; undefined while texts are read. */
  totalWords: number | undefined;
  /** Mean loss of a pair of words since the last report; undefined where none was measured. */
  loss: number | undefined;
  /** Words that are learned from in a second, so far; undefined while texts are read. */
  wordsPerSecond: number | undefined;
  /** Estimated seconds to the end; undefined while texts are read. */
  secondsLeft: number | undefined;
}

/** Options of {@link learnVectors}. The names of fastText's own options are given where they differ. */
export interface LearnVectorsOptions {
  /**
   * `'skipgram'` predicts each word near a word from that word; `'cbow'` a word from the mean of those near it, which is several times
   * as fast and less accurate for rare words. Default `'skipgram'`.
   */
  model?: VectorModel;
  /** Numbers of a vector, from 1 to 4,096. Default 64, the size of a classifier's word vectors. */
  dim?: number;
  /**
   * Words on each side that count as near (fastText's `ws`). For each place the number is drawn from 1 to this, so that nearer words
   * count more. Default 8.
   */
  window?: number;
  /** Random words that are pushed away for each pair of words (`neg`). Default 5. */
  negatives?: number;
  /** Passes over the texts (`epoch`). Default 5; up to 25 for `cbow` on few texts, as many as 10 million words take. */
  epochs?: number;
  /** Learning rate at the beginning; it falls linearly to 0. Default 0.05. */
  lr?: number;
  /** Words that the texts have less often get no vector. Default 3. */
  minCount?: number;
  /**
   * Share of all words above which some occurrences of a word are left out at random (`t`): of a word with share `f`,
   * `sqrt(t / f) + t / f` are kept. 0 keeps all. Default 0.0001.
   */
  subsample?: number;
  /** Characters of the shortest subword, from 1 to `maxn`. Default 3; without effect where `maxn` is 0. */
  minn?: number;
  /**
   * Characters of the longest subword. With subwords a word's vector is the mean of its own and those of the runs of `minn` to `maxn`
   * characters in `<word>`, and words that the texts do not have get a vector too. Default 0: no subwords.
   */
  maxn?: number;
  /** Number of different subwords (`bucket`): those with the same hash share a vector. Default 2,000,000. */
  buckets?: number;
  /**
   * How texts are split into words, as for a classifier ({@link TextOptions.tokenizer}). Default: `basic_english`; `unicode_words` for
   * scripts without blanks between words, if at least a tenth of the letters of the first texts are of such.
   */
  tokenizer?: TokenizerLike;
  /** Threads of the work, on whose number the vectors do not depend; more than 8 are not used. Default: as many as processors. */
  threads?: number;
  /** Seed of all that is drawn. The same texts, options and seed give the same vectors on the same kind of processor. Default 0. */
  seed?: number;
  /** Stops the work with an error of code `ABORTED`. */
  signal?: AbortSignal;
  /** Called from time to time, at most about ten times a second. */
  onProgress?: (progress: VectorLearningProgress) => void;
}

/** The table of {@link LearnVectorsOptions}. */
export const LEARN_VECTORS = {
  model: option(choice(MODELS), {
    default: 'skipgram',
    flag: '<name>',
    help: 'predicts the words near a word, or a word from those near it',
  }),
  dim: option(integer(1, 4_096), { default: 64, flag: '<n>', help: 'numbers of a vector' }),
  window: option(integer(1, 1_000), { default: 8, flag: '<n>', help: 'words on each side that count as near' }),
  negatives: option(integer(1, 64), { default: 5, flag: '<n>', help: 'random words for each pair of words' }),
  epochs: option(integer(1, 10_000), {
    defaultText: '5; up to 25 for cbow on few texts',
    flag: '<n>',
    help: 'passes over the texts',
  }),
  lr: option(number({ above: 0, to: 1 }), {
    default: 0.05,
    flag: '<rate>',
    help: 'learning rate at the beginning; it falls linearly to 0',
  }),
  minCount: option(integer(1, 2 ** 31 - 1), { default: 3, flag: '<n>', help: 'rarer words get no vector' }),
  subsample: option(number({ from: 0, to: 1 }), {
    default: 1e-4,
    flag: '<share>',
    help: 'share of all words above which occurrences of a word are left out at random; 0 keeps all',
  }),
  minn: option(integer(1, 64), { default: 3, flag: '<n>', help: 'characters of the shortest subword' }),
  maxn: option(integer(0, 64), { default: 0, flag: '<n>', help: 'characters of the longest subword; 0: no subwords' }),
  buckets: option(integer(1, 2 ** 31 - 1), { default: 2_000_000, flag: '<n>', help: 'number of different subwords' }),
  tokenizer: option(TOKENS.tokenizer.kind as Kind<TokenizerLike>, {
    defaultText: TEXT.tokenizer.defaultText,
    flag: '<name-or-file>',
    help: 'how texts are split into words, as for a classifier',
    flagHelp: 'how texts are split into words, as recurra train has it',
  }),
  threads: option(integer(1, 1_024), {
    defaultOf: () => availableParallelism(),
    defaultText: 'as many as processors',
    flag: '<n>',
    help: 'threads of the work; more than 8 are not used',
  }),
  seed: option(integer(0), { default: 0, flag: '<n>', help: 'seed of all that is drawn' }),
  signal: option(signal, { help: 'ends the work when it is aborted' }),
  onProgress: option(callback<(progress: VectorLearningProgress) => void>(), { help: 'called from time to time' }),
} as const satisfies TableOf<LearnVectorsOptions>;

/** Passes over the texts where no option says how many; words that CBOW reads in all passes, at least; and its passes, at most. */
const EPOCHS = 5;
const CBOW_WORDS = 10_000_000;
const MOST_CBOW_EPOCHS = 25;

/**
 * Passes over texts with so many words where no option says how many: 5, as fastText has it. A continuous bag of words moves its vectors once for each
 * word, skip-gram once for each pair, so that 5 passes over few texts teach it hardly anything. Of 8,000 texts of AG News (345,000 words) 5 passes give
 * networks of 500 labelled rows 53 % (skip-gram 85 %), 10 passes 82 %, 15 passes 85 % and 25 passes 86 %; of 24,000 texts 5 passes 84 % and 10 passes 86 %.
 */
export function defaultVectorEpochs(model: VectorModel, words: number): number {
  if (model !== 'cbow') return EPOCHS;
  return Math.min(MOST_CBOW_EPOCHS, Math.max(EPOCHS, Math.round(CBOW_WORDS / Math.max(1, words))));
}

/** {@link LearnVectorsOptions} with every default filled in; without `epochs` the texts decide. */
export type LearnVectorsSettings = SettingsOf<typeof LEARN_VECTORS>;

const RULES: readonly Rule<LearnVectorsSettings>[] = [
  {
    option: 'minn',
    when: ({ minn, maxn }) => maxn > 0 && minn > maxn,
    message: ({ minn, maxn }) => `Expected minn of at most maxn (${maxn}) but got ${minn}`,
  },
];

/**
 * Checks the options and fills in the defaults.
 *
 * @throws {@link ArgumentError}
 */
export function learnVectorsSettings(options: LearnVectorsOptions): LearnVectorsSettings {
  checkNames('learnVectors', options, LEARN_VECTORS);
  const settings = settingsOf(LEARN_VECTORS, options);
  checkRules(settings, RULES);
  return settings;
}
