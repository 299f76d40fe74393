import type { Device } from '../core/device.js';
import { choice, flag, integer, share } from '../core/options/kinds.js';
import { option, type TableOf } from '../core/options/table.js';

/**
 * Kind of recurrent cell: those of `torch.nn.RNN` (with tanh), `LSTM` and `GRU`, and the minGRU of Feng et al. (2024),
 * "Were RNNs All We Needed?". Its gate and its candidate depend on the input only: `z = sigmoid(W_z x + b_z)`,
 * `n = W_n x + b_n`, `h' = (1 - z) h + z n`, with `z` before `n` in `weight_ih` `[2 * hiddenSize, inputs]` and
 * `bias_ih`, and no `weight_hh`. libtorch does not have it, so it runs on the CPU only.
 */
export type Cell = 'rnn' | 'lstm' | 'gru' | 'mingru';

/**
 * For each cell: blocks of `hiddenSize` rows in its weights, whether it has recurrent weights, and whether libtorch has
 * it.
 */
const WEIGHTS: Record<Cell, { gates: number; recurrent: boolean; libtorch: boolean }> = {
  rnn: { gates: 1, recurrent: true, libtorch: true },
  lstm: { gates: 4, recurrent: true, libtorch: true },
  gru: { gates: 3, recurrent: true, libtorch: true },
  mingru: { gates: 2, recurrent: false, libtorch: false },
};

/** All cells. */
export const CELLS = Object.keys(WEIGHTS) as readonly Cell[];

/**
 * The device of a network: the resolved `asked`, but the CPU if `auto` meets a cell or a head that libtorch does not
 * have.
 */
export function deviceFor(
  asked: Device | 'auto' | undefined,
  found: Device,
  cell: Cell,
  head: HeadConfig['kind'] = 'classes',
): Device {
  return asked === 'auto' && !(WEIGHTS[cell].libtorch && head === 'classes') ? 'cpu' : found;
}

/** Weights of the recurrent layers, without biases; equal to the multiply-adds per token. */
export function recurrentWeights(
  network: Pick<Required<NetworkOptions>, 'cell' | 'embeddingDim' | 'hiddenSize' | 'numLayers' | 'bidirectional'>,
): number {
  const { gates, recurrent } = WEIGHTS[network.cell];
  const features = network.hiddenSize * (network.bidirectional ? 2 : 1);
  const state = recurrent ? network.hiddenSize : 0;
  return gates * features * (network.embeddingDim + state + (network.numLayers - 1) * (features + state));
}

/**
 * How the outputs `h[t]` of the recurrent layers become one vector per text, over the real tokens only:
 *
 * - `last`: the final states of the last layer, both directions concatenated;
 * - `mean`, `max`: their mean, their maximum over time;
 * - `attention`: `sum over t of a[t] h[t]` with `a = softmax(q . tanh(W h[t] + b))`: the model learns which tokens
 *   matter. `W` and `b` are `attention.proj.weight` `[features, features]` and `attention.proj.bias`, `q` is
 *   `attention.query.weight` `[1, features]`, with `features` the width of the outputs: `hiddenSize`, times two for two
 *   directions. In PyTorch: `nn.Linear(features, features)` and `nn.Linear(features, 1, bias=False)`.
 */
export type Pooling = 'last' | 'mean' | 'max' | 'attention';

/** All kinds of pooling. */
export const POOLINGS = ['last', 'mean', 'max', 'attention'] as const satisfies readonly Pooling[];

/**
 * Vectors of a word's characters: the mean of their features' vectors, as in
 * `torch.nn.EmbeddingBag(buckets, dim, mode='mean')`, is appended to the word's own vector. In a file they are
 * `subwords.weight` `[buckets, dim]`. CPU kernels only.
 */
export interface SubwordsConfig {
  /** Number of vectors; features are hashed, so several may share one. */
  readonly buckets: number;
  /** Size of a feature's vector. */
  readonly dim: number;
  /** Share of each word's features dropped in training; 0 if omitted. */
  readonly dropout?: number;
}

/** The head on the recurrent layers. */
export type HeadConfig = ClassesHead | TagsHead | SequenceHead;

/**
 * One answer per row: pools the outputs of the recurrent layers into one vector and scores classes by a linear layer.
 */
export interface ClassesHead {
  readonly kind: 'classes';
  /** Number of scores per row. */
  readonly outputs: number;
  /** Whether a row may have any number of outputs, each with an independent probability. */
  readonly multiLabel: boolean;
  /** How a row's states become one vector. */
  readonly pooling: Pooling;
}

/**
 * How the scores of a row's tokens become tags:
 *
 * - `crf`: a linear-chain conditional random field. The score of a path is the sum of its tags' scores and of its transitions', and
 *   the most probable path is predicted (pytorch-crf's definitions);
 * - `softmax`: each token independently.
 */
export type Decoder = 'crf' | 'softmax';

/** All decoders. */
export const DECODERS = ['crf', 'softmax'] as const satisfies readonly Decoder[];

/** One answer per token: scores tags by a linear layer on the outputs of the recurrent layers. CPU kernels only. */
export interface TagsHead {
  readonly kind: 'tags';
  /** Number of tags. */
  readonly outputs: number;
  /**
   * How scores become tags, and the loss. `adaptive` is a softmax over many tags sorted by descending frequency
   * (`torch.nn.AdaptiveLogSoftmaxWithLoss`, {@link adaptiveScores}).
   */
  readonly decoder: Decoder | 'adaptive';
  /** Transitions that are never predicted; for `crf` only. No target may contain one. */
  readonly forbidden?: ForbiddenTransitions;
}

/**
 * Forbidden parts of a path of tags: 1 for forbidden. At least one tag must be allowed both first and last, for rows of
 * one token.
 */
export interface ForbiddenTransitions {
  /** First tags. `[outputs]` */
  readonly start: Uint8Array;
  /** Last tags. `[outputs]` */
  readonly end: Uint8Array;
  /** Pairs of consecutive tags. `[outputs, outputs]` row-major. */
  readonly between: Uint8Array;
}

/**
 * Scores of a token with a head of tags: the tag, its probability at the token, and the probability that this tag and
 * that of the next token are both right (at the last token of a row the same as the second). All tags of the tokens
 * from `s` to `e` are then correct with the probability `p[s] * product over t from s to e - 1 of both[t] / p[t]`,
 * exactly for a linear chain.
 */
export const TAG_SCORES = 3;

/** Minimum tags of an adaptive softmax. */
export const LEAST_ADAPTIVE_TAGS = 16;

/**
 * Number of scores of an adaptive softmax's head: the first sixteenth of the tags, and two groups, which start after a
 * sixteenth and a quarter.
 */
export function adaptiveScores(tags: number): number {
  return Math.floor(tags / 16) + 2;
}

/**
 * How a step of the decoder weighs each source unit; `h` is the decoder's new output, `a` the encoder's output at that
 * unit:
 *
 * - `luong`: `h . W a`, "general" of Luong, Pham and Manning, "Effective Approaches to Attention-based Neural Machine Translation", 2015;
 * - `bahdanau`: `v . tanh(Q h + W a + b)`, after Bahdanau, Cho and Bengio, "Neural Machine Translation by Jointly
 *   Learning to Align and Translate", 2015, but with the decoder's new output instead of its previous one.
 */
export type Attention = 'luong' | 'bahdanau';

/** All kinds of attention. */
export const ATTENTIONS = ['luong', 'bahdanau'] as const satisfies readonly Attention[];

/**
 * A decoder that writes unit by unit with attention over the encoder's outputs and input feeding: a step reads the
 * previous unit and the previous attentional vector. CPU kernels only.
 */
export interface SequenceHead {
  readonly kind: 'sequence';
  /** Number of target units. */
  readonly outputs: number;
  /** Size of the vectors of the target units. */
  readonly embeddingDim: number;
  /** Size of the decoder's state. */
  readonly hiddenSize: number;
  /** Recurrent layers of the decoder. */
  readonly numLayers: number;
  readonly attention: Attention;
  /** The decoder's first input; it is never written. */
  readonly start: number;
  /** The unit that ends a sequence. */
  readonly end: number;
}

/** Number of scores of a row of `length` tokens. */
export function scoresOfRow(head: HeadConfig, length: number): number {
  if (head.kind === 'sequence') return 0;
  return head.kind === 'tags' ? length * TAG_SCORES : head.outputs;
}

/** Multiply-adds per token in the recurrent layers and in a head that answers per token. */
export function tokenWork(
  network: Parameters<typeof recurrentWeights>[0] & { head: HeadConfig; subwords?: SubwordsConfig | undefined },
): number {
  const { head, subwords } = network;
  const recurrent = recurrentWeights({ ...network, embeddingDim: network.embeddingDim + (subwords?.dim ?? 0) });
  if (head.kind === 'classes') return recurrent;
  // A step of the decoder costs about as much as a unit in the encoder.
  if (head.kind === 'sequence') return 2 * recurrent + head.hiddenSize * head.outputs;
  const features = network.hiddenSize * (network.bidirectional ? 2 : 1);
  // Forward, backward and the best path.
  if (head.decoder === 'adaptive') {
    const [first, second] = [Math.floor(head.outputs / 16), Math.floor(head.outputs / 4)];
    const tails = ((second - first) * features) / 4 + ((head.outputs - second) * features) / 16;
    return recurrent + features * adaptiveScores(head.outputs) + tails;
  }
  return recurrent + features * head.outputs + (head.decoder === 'crf' ? 3 * head.outputs ** 2 : 0);
}

/** The optimizer, as in `torch.optim`: `Adam`, `AdamW`, `SGD`. */
export type OptimizerName = 'adam' | 'adamw' | 'sgd';

/** All optimizers. */
export const OPTIMIZERS = ['adam', 'adamw', 'sgd'] as const satisfies readonly OptimizerName[];

/** Shape of the recurrent network, independent of its head. */
export interface NetworkOptions {
  /** Recurrent cell. Default `'lstm'`. */
  cell?: Cell;
  /** Size of the word vectors. Default 64. */
  embeddingDim?: number;
  /** Size of the hidden state, per direction. Default 64. */
  hiddenSize?: number;
  /** Stacked recurrent layers. Default 1. */
  numLayers?: number;
  /** Reads every text forwards and backwards. Default `true`. */
  bidirectional?: boolean;
  /**
   * Dropout rate in training, of the pooled vector and between recurrent layers. With `numLayers: 1` it acts on the
   * pooled vector only (PyTorch's `nn.LSTM(dropout=...)` then warns and does nothing). Default 0.3.
   */
  dropout?: number;
  /** Dropout rate of the word vectors in training, per element. Default 0. */
  embeddingDropout?: number;
  /**
   * Share of tokens read as `<unk>` in training, drawn at each step: the model learns not to depend on any single word,
   * and how to treat unknown words. Default 0.2.
   */
  wordDropout?: number;
}

/** The table of {@link NetworkOptions}. */
export const NETWORK = {
  cell: option(choice(CELLS), { default: 'lstm', flag: '<cell>', help: 'recurrent cell' }),
  embeddingDim: option(integer(1, 65_536), { default: 64, flag: '<n>', help: 'size of the word vectors' }),
  hiddenSize: option(integer(1, 65_536), {
    default: 64,
    flag: '<n>',
    help: 'size of the hidden state, per direction',
  }),
  numLayers: option(integer(1, 64), { default: 1, flag: '<n>', help: 'recurrent layers' }),
  bidirectional: option(flag, {
    default: true,
    flag: '',
    help: 'read texts forwards and backwards',
    flagHelp: 'read texts forwards only',
  }),
  dropout: option(share, {
    default: 0.3,
    flag: '<share>',
    help: 'dropout rate in training, of the pooled vector and between layers',
  }),
  embeddingDropout: option(share, {
    default: 0,
    flag: '<share>',
    help: 'dropout rate of the word vectors in training',
  }),
  wordDropout: option(share, {
    default: 0.2,
    flag: '<share>',
    help: 'share of words read as `<unk>` in training',
  }),
} as const satisfies TableOf<NetworkOptions>;

/** {@link NetworkOptions} with every default filled in. */
export type NetworkSettings = Required<NetworkOptions>;
