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

/** What the network of a language model looks like: it reads forwards only. */
export interface LanguageNetworkOptions extends Omit<NetworkOptions, 'bidirectional'> {
  /**
   * Takes the vectors of the units as the weights of the last layer too, as PyTorch's example with `--tied` does (Press and Wolf, 2017):
   * fewer weights, better for large vocabularies. `embeddingDim` must be `hiddenSize`, which it then is by default. Default `false`.
   */
  tieWeights?: boolean;
  /** Share of elements dropped in training from what the last layer reads. Default: `dropout`. */
  outputDropout?: number;
  /**
   * Share of the recurrent weights (`weight_hh`) dropped in training: one mask for a whole step, other ones in each step. It is the weight
   * drop of AWD-LSTM (Merity et al., 2018). Default 0.
   */
  recurrentDropout?: number;
  /**
   * How the next unit is scored. `'full'`: a linear layer with a row for each unit. `'adaptive'`: for large vocabularies, the first sixteenth of the
   * units, which are the most frequent, as in `'full'`, and the others in two groups by narrower layers, which in training are computed only
   * where the next unit is among them (Grave et al., 2017; `torch.nn.AdaptiveLogSoftmaxWithLoss`). Probabilities are exact in either case. `'auto'`:
   * adaptive for more than 10,000 units, but full with `tieWeights`. Default `'auto'`.
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

/** The table of {@link LanguageNetworkOptions}: that of all networks, with other defaults, and what it has beside. */
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
    help: 'take the vectors of the units as the weights of the last layer too',
  }),
  dropout: {
    ...NETWORK.dropout,
    default: DROPOUT,
    help: 'share of elements dropped in training from the outputs of each recurrent layer',
  },
  outputDropout: option(share, {
    defaultOf: ({ dropout }) => (dropout as number) ?? DROPOUT,
    defaultText: '`dropout`',
    flag: '<share>',
    help: 'share of elements dropped in training from what the last layer reads',
  }),
  embeddingDropout: {
    ...NETWORK.embeddingDropout,
    default: 0,
    help: 'share of elements dropped in training from the vectors of the units',
  },
  wordDropout: {
    ...NETWORK.wordDropout,
    default: 0,
    help: 'share of units read as `<unk>` in training',
  },
  recurrentDropout: option(share, {
    default: 0,
    flag: '<share>',
    help: 'share of the recurrent weights dropped in training, others at each step',
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
      `tieWeights needs vectors as wide as the state, but embeddingDim is ${embeddingDim} and hiddenSize ${hiddenSize}; give hiddenSize alone`,
  },
  {
    option: 'recurrentDropout',
    when: ({ recurrentDropout, cell }) => recurrentDropout > 0 && cell === 'mingru',
    message: "recurrentDropout needs a cell with recurrent weights; 'mingru' has none",
  },
  {
    option: 'softmax',
    when: ({ softmax, tieWeights }) => tieWeights && softmax === 'adaptive',
    message:
      'tieWeights needs a full softmax: an adaptive one has narrower weights for rare units; leave one of both out',
  },
];

/** What a network looks like, checked, with what a language model has no choice of. */
export function languageNetwork(options: object): LanguageNetworkSettings {
  const settings = { ...settingsOf(LANGUAGE_NETWORK, options), bidirectional: false };
  checkRules(settings, RULES);
  return settings;
}

/** Most units whose full softmax takes less than the rest of a step. */
const MOST_IN_FULL = 10_000;

/** The head: for each unit of a text, the next one. */
export function languageHead(units: number, { softmax, tieWeights }: LanguageNetworkSettings): HeadConfig {
  const adaptive = softmax === 'adaptive' || (softmax === 'auto' && !tieWeights && units > MOST_IN_FULL);
  if (adaptive && units < LEAST_ADAPTIVE_TAGS)
    throw constraint(
      'softmax',
      `an adaptive softmax needs at least ${LEAST_ADAPTIVE_TAGS} units, but the texts have ${units}; take 'full'`,
    );
  return { kind: 'tags', outputs: units, decoder: adaptive ? 'adaptive' : 'softmax' };
}
