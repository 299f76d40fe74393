import { choice } from '../../core/options/kinds.js';
import { option, settingsOf, type TableOf } from '../../core/options/table.js';
import { DECODERS, type Decoder, NETWORK, type NetworkOptions } from '../../engine/network.js';
import { type SubwordOptions, type SubwordSettings, subwordKind, subwordTable, typedSubwords } from '../subwords.js';

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

/** The table of {@link SubwordOptions} with the defaults of taggers. */
export const SUBWORDS = subwordTable({ buckets: 32_768, dim: 64, minn: 2, maxn: 4, lowercase: true, shape: true });

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

/**
 * The table of {@link TaggerModelOptions}: that of all networks with the defaults of taggers. They were chosen on dev parts, of Snips one made of
 * training rows. Figures are the entity F1 on WNUT-17 (GloVe 50d, after 10 or 12 epochs), the accuracy on UD English EWT (after 8 or 9 epochs
 * with GloVe, 6 or 9 without) and the slot F1 on Snips; one seed where no number is given.
 *
 * - Runs of characters in lower case, as written: WNUT-17 39.0 and 34.6 (2 seeds each), UD without vectors 94.8 and 94.8.
 * - Runs of 2 to 4 characters, of 3 to 5: WNUT-17 38.9 and 33.9; of 1 to 5: UD without vectors 94.7.
 * - Vectors of 64 numbers for the characters with `embeddingDropout: 0.3` and `wordDropout: 0.1`, of 32 with 0.5 and 0.2 (3 seeds each, last epoch):
 *   UD 95.3 and 95.0 with GloVe, 95.1 and 94.9 without, Snips 96.3 and 96.3, WNUT-17 37.2 and 38.2. The second suits few rows better.
 * - Vectors of 64 with 0.5 and 0.2: Snips 96.5, UD without vectors 94.9, WNUT-17 36.9 (2 seeds); of 32 with 0.3 and 0.1: WNUT-17 39.0 (2 seeds).
 * - `hiddenSize: 150` instead of 100, with vectors of 32: UD 95.4, at the price of a slower step.
 * - `lr: 0.004` instead of 0.008: WNUT-17 38.1; 0.005: UD 95.2.
 */
export const TAGGER_NETWORK = {
  ...NETWORK,
  hiddenSize: { ...NETWORK.hiddenSize, default: 100 },
  dropout: {
    ...NETWORK.dropout,
    default: 0.5,
    help: "share of elements dropped in training from the tokens' outputs, and between layers",
  },
  embeddingDropout: { ...NETWORK.embeddingDropout, default: 0.3 },
  wordDropout: { ...NETWORK.wordDropout, default: 0.1 },
  decoder: option(choice(DECODERS), {
    default: 'crf',
    flag: '<how>',
    help: 'how tags are chosen: `crf`, the best sequence, or `softmax`, each by itself',
  }),
  subwords: option(subwordKind(SUBWORDS), {
    default: settingsOf(SUBWORDS, {}),
    defaultText: 'on',
    flag: '<buckets>',
    help: 'whether, and how, the network sees the characters of words',
    flagHelp: 'vectors for what the characters of words say (default: 32768); 0 for none',
    parse: typedSubwords,
  }),
} as const satisfies TableOf<TaggerModelOptions>;

/** What the network of a tagger looks like, checked. */
export function taggerModelSettings(options: TaggerModelOptions): TaggerModelSettings {
  return settingsOf(TAGGER_NETWORK, options);
}
