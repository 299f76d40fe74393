import { choice, integer } from '../../core/options/kinds.js';
import { option, settingsOf, type TableOf } from '../../core/options/table.js';
import { ATTENTIONS, type Attention, NETWORK, type NetworkOptions } from '../../engine/network.js';

/** Shape of the decoder. */
export interface DecoderOptions {
  /** Size of the vectors of the target units. Default: `embeddingDim`. */
  targetEmbeddingDim?: number;
  /** Size of the decoder's state. Default: the size of the encoder's outputs, `hiddenSize` times its directions. */
  decoderHiddenSize?: number;
  /**
   * Recurrent layers of the decoder. Each one starts from the final states of the same layer of the encoder, or of its
   * last. Default: `numLayers`.
   */
  decoderLayers?: number;
  /**
   * How a step of the decoder weighs each source unit: `'luong'`, a bilinear product, or `'bahdanau'`, a small network.
   * Default `'luong'`.
   */
  attention?: Attention;
}

/** Shape of the network: an encoder that reads the source, and a decoder that writes the target. */
export interface Seq2SeqNetworkOptions extends NetworkOptions, DecoderOptions {}

/** Default size of the encoder's state. */
const HIDDEN = 128;

/** The table of {@link Seq2SeqNetworkOptions}: that of all networks with other defaults, and the decoder. */
export const SEQ2SEQ_NETWORK = {
  ...NETWORK,
  hiddenSize: {
    ...NETWORK.hiddenSize,
    default: HIDDEN,
    help: "size of the encoder's hidden state, per direction",
  },
  dropout: {
    ...NETWORK.dropout,
    default: 0.2,
    help: "dropout rate in training, between layers and of the scoring layer's input",
  },
  embeddingDropout: {
    ...NETWORK.embeddingDropout,
    default: 0,
    help: 'dropout rate of the vectors of the units of both sides in training',
  },
  wordDropout: {
    ...NETWORK.wordDropout,
    default: 0,
    help: 'share of source units read as `<unk>` in training',
  },
  targetEmbeddingDim: option(NETWORK.embeddingDim.kind, {
    defaultOf: ({ embeddingDim }) => (embeddingDim ?? NETWORK.embeddingDim.default) as number,
    defaultText: 'that of embeddingDim',
    flag: '<n>',
    help: 'size of the vectors of the target units',
  }),
  decoderHiddenSize: option(integer(1, 65_536), {
    defaultOf: ({ hiddenSize = HIDDEN, bidirectional = true }) => (hiddenSize as number) * (bidirectional ? 2 : 1),
    defaultText: 'hiddenSize times the directions of the encoder',
    flag: '<n>',
    help: "size of the decoder's hidden state",
  }),
  decoderLayers: option(NETWORK.numLayers.kind, {
    defaultOf: ({ numLayers }) => (numLayers ?? NETWORK.numLayers.default) as number,
    defaultText: 'that of numLayers',
    flag: '<n>',
    help: 'recurrent layers of the decoder',
  }),
  attention: option(choice(ATTENTIONS), {
    default: 'luong',
    flag: '<kind>',
    help: 'how a step of the decoder weighs each source unit',
  }),
} as const satisfies TableOf<Seq2SeqNetworkOptions>;

/** {@link Seq2SeqNetworkOptions} with every default filled in. */
export interface Seq2SeqModelSettings extends Required<Seq2SeqNetworkOptions> {}

/** Checks the shape of the network and fills in the defaults. */
export function seq2seqNetwork(options: object): Seq2SeqModelSettings {
  return settingsOf(SEQ2SEQ_NETWORK, options);
}
