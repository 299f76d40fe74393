import { option, settingsOf, type TableOf } from '../../core/options/table.js';
import { type HeadConfig, NETWORK, type NetworkOptions, type NetworkSettings } from '../../engine/network.js';

/** What the network of a language model looks like: it reads forwards only. */
export type LanguageNetworkOptions = Omit<NetworkOptions, 'bidirectional'>;

const { bidirectional: _, ...FORWARD } = NETWORK;

/** The table of {@link LanguageNetworkOptions}: that of all networks, with other defaults. */
export const LANGUAGE_NETWORK = {
  ...FORWARD,
  embeddingDim: option(NETWORK.embeddingDim.kind, {
    default: 64,
    flag: '<n>',
    help: 'size of the vectors of the units',
  }),
  hiddenSize: option(NETWORK.hiddenSize.kind, { default: 256, flag: '<n>', help: 'size of the hidden state' }),
  numLayers: option(NETWORK.numLayers.kind, { default: 2, flag: '<n>', help: 'recurrent layers' }),
  dropout: option(NETWORK.dropout.kind, {
    default: 0.1,
    flag: '<share>',
    help: 'share of elements dropped in training from the outputs of each recurrent layer',
  }),
  embeddingDropout: option(NETWORK.embeddingDropout.kind, {
    default: 0,
    flag: '<share>',
    help: 'share of elements dropped in training from the vectors of the units',
  }),
  wordDropout: option(NETWORK.wordDropout.kind, {
    default: 0,
    flag: '<share>',
    help: 'share of units read as `<unk>` in training',
  }),
} as const satisfies TableOf<LanguageNetworkOptions>;

/** What a network looks like, checked, with what a language model has no choice of. */
export function languageNetwork(options: object): NetworkSettings {
  return { ...settingsOf(LANGUAGE_NETWORK, options), bidirectional: false };
}

/** The head: for each unit of a text, the next one. */
export function languageHead(units: number): HeadConfig {
  return { kind: 'tags', outputs: units, decoder: 'softmax' };
}
