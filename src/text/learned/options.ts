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

/** What is predicted: the words near a word from that word, or a word from those near it. */
export type VectorModel = 'skipgram' | 'cbow';

const MODELS = ['skipgram', 'cbow'] as const satisfies readonly VectorModel[];

/** Progress of {@link learnVectors}. */
export interface VectorLearningProgress {
  /** The phase: reading texts, or learning vectors. */
  phase: 'reading' | 'learning';
  /** Texts read. */
  texts: number;
  /** Words read; then words learned from, in all epochs together. */
  words: number;
  /** Total words of all epochs, without those that get no vector; undefined while texts are read. */
  totalWords: number | undefined;
  /** Mean loss of a pair of words since the last report; undefined if none was measured. */
  loss: number | undefined;
  /** Words learned from per second, so far; undefined while texts are read. */
  wordsPerSecond: number | undefined;
  /** Estimated seconds to the end; undefined while texts are read. */
  secondsLeft: number | undefined;
}

/** Options of {@link learnVectors}. fastText's option names are given if they differ. */
export interface LearnVectorsOptions {
  /**
   * `'skipgram'` predicts each word near a word from that word; `'cbow'` a word from the mean of those near it, which is several times
   * as fast and less accurate for rare words. Default `'skipgram'`.
   */
  model?: VectorModel;
  /** Size of a vector, from 1 to 4,096. Default 64, the size of a classifier's word vectors. */
  dim?: number;
  /**
   * Words on each side that count as near (fastText's `ws`). For each position, the number is drawn from 1 to this, so
   * that nearer words count more. Default 8.
   */
  window?: number;
  /** Negative samples per pair of words (`neg`). Default 5. */
  negatives?: number;
  /** Passes over the texts (`epoch`). Default 5; up to 25 for `cbow` on few texts, to reach 10 million words. */
  epochs?: number;
  /** Initial learning rate; it decays linearly to 0. Default 0.05. */
  lr?: number;
  /** Rarer words get no vector. Default 3. */
  minCount?: number;
  /**
   * Frequency above which some occurrences of a word are dropped at random (`t`): for a word with frequency `f`,
   * `sqrt(t / f) + t / f` are kept. 0 keeps all. Default 0.0001.
   */
  subsample?: number;
  /** Characters of the shortest subword, from 1 to `maxn`. Default 3; no effect if `maxn` is 0. */
  minn?: number;
  /**
   * Longest subword, in characters. With subwords, a word's vector is the mean of a vector for the whole word and those
   * of the runs of `minn` to `maxn` characters in `<word>`, and unseen words get a vector too. Default 0: no subwords.
   */
  maxn?: number;
  /** Number of subword vectors (`bucket`): subwords with the same hash share one. Default 2,000,000. */
  buckets?: number;
  /**
   * How texts are split into words, as for a classifier ({@link TextOptions.tokenizer}). Default: `basic_english`;
   * `unicode_words` for scripts without spaces between words, if they make up at least a tenth of the letters in the
   * first texts.
   */
  tokenizer?: TokenizerLike;
  /** Threads, at most 8; the vectors do not depend on their number. Default: the number of processors. */
  threads?: number;
  /**
   * Seed of all random draws. The same texts, options and seed give the same vectors on the same kind of processor.
   * Default 0.
   */
  seed?: number;
  /** Stops the work with an error of code `ABORTED`. */
  signal?: AbortSignal;
  /** Called regularly, at most about ten times a second. */
  onProgress?: (progress: VectorLearningProgress) => void;
}

/** The table of {@link LearnVectorsOptions}. */
export const LEARN_VECTORS = {
  model: option(choice(MODELS), {
    default: 'skipgram',
    flag: '<name>',
    help: 'predicts the words near a word, or a word from those near it',
  }),
  dim: option(integer(1, 4_096), { default: 64, flag: '<n>', help: 'size of a vector' }),
  window: option(integer(1, 1_000), { default: 8, flag: '<n>', help: 'words on each side that count as near' }),
  negatives: option(integer(1, 64), { default: 5, flag: '<n>', help: 'negative samples per pair of words' }),
  epochs: option(integer(1, 10_000), {
    defaultText: '5; up to 25 for cbow on few texts',
    flag: '<n>',
    help: 'passes over the texts',
  }),
  lr: option(number({ above: 0, to: 1 }), {
    default: 0.05,
    flag: '<rate>',
    help: 'initial learning rate; decays linearly to 0',
  }),
  minCount: option(integer(1, 2 ** 31 - 1), { default: 3, flag: '<n>', help: 'rarer words get no vector' }),
  subsample: option(number({ from: 0, to: 1 }), {
    default: 1e-4,
    flag: '<share>',
    help: 'frequency above which occurrences of a word are dropped at random; 0 keeps all',
  }),
  minn: option(integer(1, 64), { default: 3, flag: '<n>', help: 'characters of the shortest subword' }),
  maxn: option(integer(0, 64), { default: 0, flag: '<n>', help: 'characters of the longest subword; 0: no subwords' }),
  buckets: option(integer(1, 2 ** 31 - 1), { default: 2_000_000, flag: '<n>', help: 'number of subword vectors' }),
  tokenizer: option(TOKENS.tokenizer.kind as Kind<TokenizerLike>, {
    defaultText: TEXT.tokenizer.defaultText,
    flag: '<name-or-file>',
    help: 'how texts are split into words, as for a classifier',
    flagHelp: 'how texts are split into words, as in recurra train',
  }),
  threads: option(integer(1, 1_024), {
    defaultOf: () => availableParallelism(),
    defaultText: 'the number of processors',
    flag: '<n>',
    help: 'number of threads, at most 8',
  }),
  seed: option(integer(0), { default: 0, flag: '<n>', help: 'seed of all random draws' }),
  signal: option(signal, { help: 'stops the work when it is aborted' }),
  onProgress: option(callback<(progress: VectorLearningProgress) => void>(), { help: 'called regularly' }),
} as const satisfies TableOf<LearnVectorsOptions>;

/** Passes over the texts where no option says how many; words that CBOW reads in all passes, at least; and its passes, at most. */
const EPOCHS = 5;
const CBOW_WORDS = 10_000_000;
const MOST_CBOW_EPOCHS = 25;

/**
 * Default number of passes over texts with `words` words: 5, as in fastText. A continuous bag of words moves its
 * vectors once for each word, skip-gram once for each pair, so that 5 passes over few texts teach it hardly anything.
 * Of 8,000 texts of AG News (345,000 words) 5 passes give networks of 500 labelled rows 53 % (skip-gram 85 %), 10
 * passes 82 %, 15 passes 85 % and 25 passes 86 %; of 24,000 texts 5 passes 84 % and 10 passes 86 %.
 */
export function defaultVectorEpochs(model: VectorModel, words: number): number {
  if (model !== 'cbow') return EPOCHS;
  return Math.min(MOST_CBOW_EPOCHS, Math.max(EPOCHS, Math.round(CBOW_WORDS / Math.max(1, words))));
}

/** {@link LearnVectorsOptions} with every default filled in; without `epochs`, the number depends on the texts. */
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
