import { choice, flag } from '../../core/options/kinds.js';
import { option, settingsOf, type TableOf } from '../../core/options/table.js';
import { NETWORK, type NetworkOptions, POOLINGS, type Pooling } from '../../engine/network.js';

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

/** What the network of a classifier looks like, checked. */
export function modelSettings(options: ModelOptions): ModelSettings {
  return settingsOf({ ...NETWORK, ...HEAD }, options);
}
