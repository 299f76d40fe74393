import { constraint } from '../../core/errors.js';
import { choice, flag, share } from '../../core/options/kinds.js';
import { checkRules, option, type Rule, settingsOf, type TableOf } from '../../core/options/table.js';
import {
  type HeadConfig,
  LEAST_ADAPTIVE_TAGS,
  NETWORK,
  type NetworkOptions,
  type NetworkSettings,
} from '../../engine/network.js';

/** Shape of a language model's network, which reads forwards only. */
export interface LanguageNetworkOptions extends Omit<NetworkOptions, 'bidirectional'> {
  /**
   * Also uses the vectors of the units as the weights of the last layer, as PyTorch's example with `--tied` (Press and
   * Wolf, 2017): fewer weights, better for large vocabularies. `embeddingDim` must equal `hiddenSize`, which is then
   * its default. Default `false`.
   */
  tieWeights?: boolean;
  /** Dropout rate of the last layer's input in training. Default: `dropout`. */
  outputDropout?: number;
  /**
   * Share of the recurrent weights (`weight_hh`) dropped in training: one mask per step. It is the weight drop of
   * AWD-LSTM (Merity et al., 2018). Default 0.
   */
  recurrentDropout?: number;
  /**
   * How the next unit is scored. `'full'`: a linear layer with a row for each unit. `'adaptive'`: for large
   * vocabularies, the most frequent sixteenth of the units as in `'full'`, the others in two groups by narrower layers,
   * which in training are computed only if the next unit is in them (Grave et al., 2017;
   * `torch.nn.AdaptiveLogSoftmaxWithLoss`). Probabilities are exact in either case. `'auto'`: adaptive for more than
   * 10,000 units, but full with `tieWeights`. Default `'auto'`.
   */
  softmax?: 'auto' | 'full' | 'adaptive';
}

/** {@link LanguageNetworkOptions} with every default filled in. */
export interface LanguageNetworkSettings extends NetworkSettings {
  tieWeights: boolean;
  outputDropout: number;
  recurrentDropout: number;
  softmax: 'auto' | 'full' | 'adaptive';
}

const { bidirectional: _, ...FORWARD } = NETWORK;
const HIDDEN_SIZE = 256;
const DROPOUT = 0.1;

/** The table of {@link LanguageNetworkOptions}: that of all networks, with other defaults, and additional options. */
export const LANGUAGE_NETWORK = {
  ...FORWARD,
  embeddingDim: option(NETWORK.embeddingDim.kind, {
    defaultOf: ({ tieWeights, hiddenSize }) => (tieWeights === true ? ((hiddenSize as number) ?? HIDDEN_SIZE) : 64),
    defaultText: '64; `hiddenSize` with `tieWeights`',
    flag: '<n>',
    help: 'size of the vectors of the units',
  }),
  hiddenSize: option(NETWORK.hiddenSize.kind, { default: HIDDEN_SIZE, flag: '<n>', help: 'size of the hidden state' }),
  numLayers: option(NETWORK.numLayers.kind, { default: 2, flag: '<n>', help: 'recurrent layers' }),
  tieWeights: option(flag, {
    default: false,
    flag: '',
    help: 'also use the vectors of the units as the weights of the last layer',
  }),
  dropout: {
    ...NETWORK.dropout,
    default: DROPOUT,
    help: 'dropout rate of the outputs of each recurrent layer in training',
  },
  outputDropout: option(share, {
    defaultOf: ({ dropout }) => (dropout as number) ?? DROPOUT,
    defaultText: '`dropout`',
    flag: '<share>',
    help: "dropout rate of the last layer's input in training",
  }),
  embeddingDropout: {
    ...NETWORK.embeddingDropout,
    default: 0,
    help: 'dropout rate of the vectors of the units in training',
  },
  wordDropout: {
    ...NETWORK.wordDropout,
    default: 0,
    help: 'share of units read as `<unk>` in training',
  },
  recurrentDropout: option(share, {
    default: 0,
    flag: '<share>',
    help: 'dropout rate of the recurrent weights in training, one mask per step',
  }),
  softmax: option(choice(['auto', 'full', 'adaptive']), {
    default: 'auto',
    flag: '<name>',
    help: 'how the next unit is scored: `full`, or `adaptive`, which `auto` takes for more than 10,000 units',
  }),
} as const satisfies TableOf<LanguageNetworkOptions>;

const RULES: readonly Rule<LanguageNetworkSettings>[] = [
  {
    option: 'embeddingDim',
    when: ({ tieWeights, embeddingDim, hiddenSize }) => tieWeights && embeddingDim !== hiddenSize,
    message: ({ embeddingDim, hiddenSize }) =>
      `tieWeights needs vectors as wide as the state, but embeddingDim is ${embeddingDim} and hiddenSize ${hiddenSize}; give only hiddenSize`,
  },
  {
    option: 'recurrentDropout',
    when: ({ recurrentDropout, cell }) => recurrentDropout > 0 && cell === 'mingru',
    message: "recurrentDropout needs a cell with recurrent weights; 'mingru' has none",
  },
  {
    option: 'softmax',
    when: ({ softmax, tieWeights }) => tieWeights && softmax === 'adaptive',
    message: 'tieWeights needs a full softmax: an adaptive one has narrower weights for rare units; remove one of them',
  },
];

/** The checked shape of the network, with the fixed settings of a language model. */
export function languageNetwork(options: object): LanguageNetworkSettings {
  const settings = { ...settingsOf(LANGUAGE_NETWORK, options), bidirectional: false };
  checkRules(settings, RULES);
  return settings;
}

/** Maximum units whose full softmax takes less time than the rest of a step. */
const MOST_IN_FULL = 10_000;

/** The head: for each unit of a text, the next one. */
export function languageHead(units: number, { softmax, tieWeights }: LanguageNetworkSettings): HeadConfig {
  const adaptive = softmax === 'adaptive' || (softmax === 'auto' && !tieWeights && units > MOST_IN_FULL);
  if (adaptive && units < LEAST_ADAPTIVE_TAGS)
    throw constraint(
      'softmax',
      `an adaptive softmax needs at least ${LEAST_ADAPTIVE_TAGS} units, but the texts have ${units}; use 'full'`,
    );
  return { kind: 'tags', outputs: units, decoder: adaptive ? 'adaptive' : 'softmax' };
}
