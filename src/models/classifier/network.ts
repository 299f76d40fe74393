import { choice, flag } from '../../core/options/kinds.js';
import { option, settingsOf, type TableOf } from '../../core/options/table.js';
import { NETWORK, type NetworkOptions, POOLINGS, type Pooling } from '../../engine/network.js';
import { type SubwordOptions, subwordKind, subwordTable, typedSubwords } from '../subwords.js';

/** Options of a classifier's head. */
export interface ClassifierHeadOptions {
  /** How a text's outputs are pooled into one vector. Default `'max'`. */
  pooling?: Pooling;
  /**
   * Whether a text may have any number of labels: each label then has an independent probability (a sigmoid) and a
   * decision threshold, see {@link Prediction.labels}. The loss is binary cross entropy, averaged over labels and rows
   * as in `torch.nn.BCEWithLogitsLoss`. Default `false`: each text has exactly one label.
   */
  multiLabel?: boolean;
}

/** What a classifier's network reads of a word, besides its vector. */
export interface ClassifierInputOptions {
  /**
   * Whether, and how, the network is trained with the characters of words; see {@link SubwordOptions}. Training words
   * with common parts then learn from each other. After training, a word's vector and that of its characters are
   * merged: the model has vectors of `embeddingDim + dim` numbers, and an unknown word stays unknown. `true` uses the
   * defaults. CPU only. Default: on with at least 20 labels and at most 50 rows each, otherwise off.
   */
  subwords?: boolean | SubwordOptions;
}

/** The network of a classifier. */
export interface ModelOptions extends NetworkOptions, ClassifierHeadOptions {}

/** {@link ModelOptions} with every default filled in. */
export type ModelSettings = Required<ModelOptions>;

/** Maximum number of networks. */
export const MOST_MEMBERS = 16;

/** The table of {@link ClassifierHeadOptions}. */
export const HEAD = {
  pooling: option(choice(POOLINGS), {
    default: 'max',
    flag: '<how>',
    help: 'how the outputs of a text are pooled into one vector',
  }),
  multiLabel: option(flag, {
    default: false,
    flag: '',
    help: 'a text may have any number of labels',
  }),
} as const satisfies TableOf<ClassifierHeadOptions>;

/** The table of {@link SubwordOptions} with the defaults of classifiers. */
export const SUBWORDS = subwordTable({
  buckets: 20_000,
  dim: 32,
  minn: 3,
  maxn: 5,
  lowercase: true,
  shape: false,
  shapeShare: 0,
  dropout: 0,
});

/** The table of {@link ClassifierInputOptions}. */
export const INPUTS = {
  subwords: option(subwordKind(SUBWORDS), {
    defaultText: 'on for 20 labels and more with up to 50 rows each',
    flag: '<buckets>',
    help: 'whether, and how, the network is trained with the characters of words',
    flagHelp: 'train with vectors for the characters of words, this many; 0 for none',
    parse: typedSubwords,
  }),
} as const satisfies TableOf<ClassifierInputOptions>;

/** The network of a classifier, checked. */
export function modelSettings(options: ModelOptions): ModelSettings {
  return settingsOf({ ...NETWORK, ...HEAD }, options);
}
