import { choice } from '../../core/options/kinds.js';
import { option, settingsOf, type TableOf } from '../../core/options/table.js';
import { DECODERS, type Decoder, NETWORK, type NetworkOptions } from '../../engine/network.js';

/** What a tagger's network has on top of its recurrent layers. */
export interface TaggerHeadOptions {
  /**
   * How tags are chosen. `'crf'` chooses the most probable sequence of tags (Viterbi) and is trained on the probability of whole
   * sequences, as `pytorch-crf`; `'softmax'` chooses each tag by itself, which is faster with hundreds of tags. Default `'crf'`.
   */
  decoder?: Decoder;
}

/** What the network of a tagger looks like. */
export interface TaggerModelOptions extends NetworkOptions, TaggerHeadOptions {}

/** {@link TaggerModelOptions} with every default filled in. */
export type TaggerModelSettings = Required<TaggerModelOptions>;

/** The table of {@link TaggerModelOptions}: that of all networks with the defaults of taggers. */
export const TAGGER_NETWORK = {
  ...NETWORK,
  hiddenSize: { ...NETWORK.hiddenSize, default: 100 },
  dropout: {
    ...NETWORK.dropout,
    default: 0.5,
    help: "share of elements dropped in training from the tokens' outputs, and between layers",
  },
  wordDropout: { ...NETWORK.wordDropout, default: 0.1 },
  decoder: option(choice(DECODERS), {
    default: 'crf',
    flag: '<how>',
    help: 'how tags are chosen: `crf`, the best sequence, or `softmax`, each by itself',
  }),
} as const satisfies TableOf<TaggerModelOptions>;

/** What the network of a tagger looks like, checked. */
export function taggerModelSettings(options: TaggerModelOptions): TaggerModelSettings {
  return settingsOf(TAGGER_NETWORK, options);
}
