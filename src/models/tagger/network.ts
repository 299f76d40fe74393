import { constraint, invalidArgument } from '../../core/errors.js';
import { choice, custom, flag, integer, number, share } from '../../core/options/kinds.js';
import { checkNames, option, settingsOf, type TableOf } from '../../core/options/table.js';
import { DECODERS, type Decoder, NETWORK, type NetworkOptions } from '../../engine/network.js';

/** Tags of a CRF at most: each token takes time with the square of their number. */
export const MOST_CRF_TAGS = 2_048;

/** What a tagger's network has on top of its recurrent layers. */
export interface TaggerHeadOptions {
  /**
   * How tags are chosen. `'crf'` chooses the most probable sequence of tags (Viterbi) and is trained on the probability of whole
   * sequences, as `pytorch-crf`; `'softmax'` chooses each tag by itself, which is faster with hundreds of tags, and the one for more than 2,048. Default `'crf'`.
   */
  decoder?: Decoder;
}

/**
 * What the characters of a word say about it: the mean of the vectors of its features, beside the word's own vector. Features are runs of
 * its characters, its borders counted, the word as a whole and its shape; they are hashed to the numbers of the vectors, so that a word
 * that was never met has a vector too.
 */
export interface SubwordOptions {
  /** Vectors of features; several features may share one. Default 32,768. */
  buckets?: number;
  /** Size of these vectors. Default 64. */
  dim?: number;
  /** Characters of the shortest run. Default 2. */
  minn?: number;
  /** Characters of the longest run, from `minn` to 16; 0 for no runs. Default 4. */
  maxn?: number;
  /** Whether the runs are those of the word in lower case. Default `true`. */
  lowercase?: boolean;
  /** Whether the shape of the word counts, such as `Xxxxx` for `Berlin`. Default `true`. */
  shape?: boolean;
  /**
   * Share of the mean that the shape has, from 0 to 0.9; the runs share the rest. With 0 the shape counts as one run, and a mean of many
   * runs hides it. Default 0.5.
   */
  shapeShare?: number;
  /**
   * Share of the features that are left out in training, each by itself and others at each step. The network then learns to read a word by
   * some of its features, not to recognise the word by all of them. Default 0.5.
   */
  dropout?: number;
}

/** The table of {@link SubwordOptions}. */
export const SUBWORDS = {
  buckets: option(integer(1, 2 ** 24), { default: 32_768, defaultText: '32,768', help: 'vectors of features' }),
  dim: option(integer(1, 65_536), { default: 64, help: 'size of these vectors' }),
  minn: option(integer(1, 16), { default: 2, help: 'characters of the shortest run' }),
  maxn: option(integer(0, 16), { default: 4, help: 'characters of the longest run; 0 for no runs' }),
  lowercase: option(flag, { default: true, help: 'whether the runs are those of the word in lower case' }),
  shape: option(flag, { default: true, help: 'whether the shape of the word counts' }),
  shapeShare: option(number({ from: 0, to: 0.9 }), { default: 0.5, help: 'share of the mean that the shape has' }),
  dropout: option(share, { default: 0.5, help: 'share of the features that are left out in training' }),
} as const satisfies TableOf<SubwordOptions>;

/** {@link SubwordOptions} with every default filled in. */
export type SubwordSettings = Required<SubwordOptions>;

/** What the tokens of a tagger are to its network. */
export interface TaggerInputOptions {
  /**
   * Whether, and how, the network sees the characters of words; see {@link SubwordOptions}. `true` is the same as no option. Default: it
   * does.
   */
  subwords?: boolean | SubwordOptions;
}

/** What the network of a tagger looks like. */
export interface TaggerModelOptions extends NetworkOptions, TaggerHeadOptions, TaggerInputOptions {}

/** {@link TaggerModelOptions} with every default filled in. */
export interface TaggerModelSettings extends Required<Omit<TaggerModelOptions, 'subwords'>> {
  /** How the network sees the characters of words; false if it does not. */
  subwords: false | SubwordSettings;
}

const SUBWORDS_EXPECTED = 'true, false or an object of options';

/** Checks the option `subwords`. */
function subwordSettings(name: string, value: unknown): false | SubwordSettings {
  if (typeof value === 'boolean') return value && settingsOf(SUBWORDS, {});
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidArgument(name, SUBWORDS_EXPECTED, value);
  checkNames(name, value, SUBWORDS);
  const settings = settingsOf(SUBWORDS, value, `${name}.`);
  const { minn, maxn } = settings;
  if (maxn > 0 && maxn < minn) throw constraint(`${name}.maxn`, `${name}.maxn is ${maxn}, but ${name}.minn ${minn}`);
  return settings;
}

/**
 * The table of {@link TaggerModelOptions}: that of all networks with the defaults of taggers. They were chosen without the test files. WNUT-17
 * has two figures: the entity F1 on its dev part (GloVe 50d), and that of a training on the dev part on half of the training part, which
 * comes from another site, as the test part does; the mean of two seeds after the last epoch. UD is the accuracy on the dev part of UD English EWT
 * without vectors, Snips the slot F1 on a part of the training rows with GloVe; one seed each.
 *
 * - `shapeShare: 0` and `dropout: 0` for the characters, `embeddingDropout: 0.3`: WNUT-17 37.0 and 15.5, UD 95.1. The mean hid the shape among
 *   some fifteen runs, and the network recognised words by them: the shape alone, without runs, gives 41.9 and 22.0.
 * - `shapeShare: 0.5` and `dropout: 0.3`: WNUT-17 with `embeddingDropout: 0.5` 42.2 and 21.5, with 0.3 19.3 on the second; UD 95.0, Snips 96.5 with 0.3.
 * - More dropout of features (with the class of capitals as a further feature, `embeddingDropout: 0.3`): 0.6 gives 42.9 and 22.3, UD 94.9; 0.8 gives
 *   42.4 on the first.
 * - `wordDropout: 0.2` instead of 0.1, `minFreq: 2`, or frozen word vectors: 41.9, 41.6 and 37.1 on the first, where 42.9 is without.
 * - Runs of 2 to 4 characters in lower case, vectors of 64 for them, `hiddenSize: 100` and `lr: 0.008` were chosen before that: as written, longer, 32, 150
 *   and 0.004 were no better on most sets.
 */
export const TAGGER_NETWORK = {
  ...NETWORK,
  hiddenSize: { ...NETWORK.hiddenSize, default: 100 },
  dropout: {
    ...NETWORK.dropout,
    default: 0.5,
    help: "share of elements dropped in training from the tokens' outputs, and between layers",
  },
  embeddingDropout: { ...NETWORK.embeddingDropout, default: 0.5 },
  wordDropout: { ...NETWORK.wordDropout, default: 0.1 },
  decoder: option(choice(DECODERS), {
    default: 'crf',
    flag: '<how>',
    help: 'how tags are chosen: `crf`, the best sequence, or `softmax`, each by itself',
  }),
  subwords: option(custom<boolean | SubwordOptions, false | SubwordSettings>(SUBWORDS_EXPECTED, subwordSettings), {
    default: settingsOf(SUBWORDS, {}),
    defaultText: 'on',
    flag: '<buckets>',
    help: 'whether, and how, the network sees the characters of words',
    flagHelp: 'vectors for what the characters of words say (default: 32768); 0 for none',
    parse: (text) => (text === '0' ? false : { buckets: Number(text) }),
  }),
} as const satisfies TableOf<TaggerModelOptions>;

/** What the network of a tagger looks like, checked. */
export function taggerModelSettings(options: TaggerModelOptions): TaggerModelSettings {
  return settingsOf(TAGGER_NETWORK, options);
}
