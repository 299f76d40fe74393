import { choice, flag } from '../../core/options/kinds.js';
import { option, settingsOf, type TableOf } from '../../core/options/table.js';
import { NETWORK, type NetworkOptions, POOLINGS, type Pooling } from '../../engine/network.js';
import { type SubwordOptions, subwordKind, subwordTable, typedSubwords } from '../subwords.js';

/** What a classifier's network has on top of its recurrent layers. */
export interface ClassifierHeadOptions {
  /** How a text's outputs become one vector. Default `'max'`. */
  pooling?: Pooling;
  /**
   * Whether a text may have any number of labels: each label then has a probability of its own (a sigmoid) and a threshold
   * above which it is given, see {@link Prediction.labels}; the loss is binary cross entropy, the mean over labels and rows
   * as `torch.nn.BCEWithLogitsLoss` gives it. Default `false`: each text has exactly one label.
   */
  multiLabel?: boolean;
}

/** What a classifier's network reads of a word, beside its own vector. */
export interface ClassifierInputOptions {
  /**
   * Whether, and how, the network is trained with the characters of words; see {@link SubwordOptions}. Words of the training rows that have
   * parts in common then learn from each other. Once it is trained, a word's vector and that of its characters are one: the model has vectors of
   * `embeddingDim + dim` numbers, and an unknown word stays unknown. `true` is on with its defaults. On the CPU only. Default: on from 20 labels on with up to 50 rows each, else off.
   */
  subwords?: boolean | SubwordOptions;
}

/** What the network of a classifier looks like. */
export interface ModelOptions extends NetworkOptions, ClassifierHeadOptions {}

/** {@link ModelOptions} with every default filled in. */
export type ModelSettings = Required<ModelOptions>;

/** Networks that a model has at most. */
export const MOST_MEMBERS = 16;

/** The table of {@link ClassifierHeadOptions}. */
export const HEAD = {
  pooling: option(choice(POOLINGS), {
    default: 'max',
    flag: '<how>',
    help: 'how the outputs of a text become one vector',
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

/** What the network of a classifier looks like, checked. */
export function modelSettings(options: ModelOptions): ModelSettings {
  return settingsOf({ ...NETWORK, ...HEAD }, options);
}
