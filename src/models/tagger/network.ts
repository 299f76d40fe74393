import { choice } from '../../core/options/kinds.js';
import { option, settingsOf, type TableOf } from '../../core/options/table.js';
import { DECODERS, type Decoder, NETWORK, type NetworkOptions } from '../../engine/network.js';
import { type SubwordOptions, type SubwordSettings, subwordKind, subwordTable, typedSubwords } from '../subwords.js';

/** Maximum tags of a CRF: the time per token grows with the square of their number. */
export const MOST_CRF_TAGS = 2_048;

/** Options of a tagger's head. */
export interface TaggerHeadOptions {
  /**
   * How tags are chosen. `'crf'` chooses the most probable sequence of tags (Viterbi) and is trained on the probability
   * of whole sequences, as `pytorch-crf`; `'softmax'` chooses each tag independently, which is faster with hundreds of
   * tags and required for more than 2,048. Default `'crf'`.
   */
  decoder?: Decoder;
}

/** The table of {@link SubwordOptions} with the defaults of taggers. */
export const SUBWORDS = subwordTable({
  buckets: 32_768,
  dim: 64,
  minn: 2,
  maxn: 4,
  lowercase: true,
  shape: true,
  shapeShare: 0.5,
  dropout: 0.5,
});

/** How a tagger's network reads tokens. */
export interface TaggerInputOptions {
  /**
   * Whether, and how, the network reads the characters of words; see {@link SubwordOptions}. Default: `true`.
   */
  subwords?: boolean | SubwordOptions;
}

/** The network of a tagger. */
export interface TaggerModelOptions extends NetworkOptions, TaggerHeadOptions, TaggerInputOptions {}

/** {@link TaggerModelOptions} with every default filled in. */
export interface TaggerModelSettings extends Required<Omit<TaggerModelOptions, 'subwords'>> {
  /** How the network reads the characters of words; false if it does not. */
  subwords: false | SubwordSettings;
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
    help: "dropout rate in training, of the tokens' outputs and between layers",
  },
  embeddingDropout: { ...NETWORK.embeddingDropout, default: 0.5 },
  wordDropout: { ...NETWORK.wordDropout, default: 0.1 },
  decoder: option(choice(DECODERS), {
    default: 'crf',
    flag: '<how>',
    help: 'how tags are chosen: `crf`, the best sequence, or `softmax`, each independently',
  }),
  subwords: option(subwordKind(SUBWORDS), {
    default: settingsOf(SUBWORDS, {}),
    defaultText: 'on',
    flag: '<buckets>',
    help: 'whether, and how, the network reads the characters of words',
    flagHelp: 'number of vectors for the characters of words (default: 32768); 0 for none',
    parse: typedSubwords,
  }),
} as const satisfies TableOf<TaggerModelOptions>;

/** The checked network of a tagger. */
export function taggerModelSettings(options: TaggerModelOptions): TaggerModelSettings {
  return settingsOf(TAGGER_NETWORK, options);
}
