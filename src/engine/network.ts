import type { Device } from '../core/device.js';
import { choice, flag, integer, share } from '../core/options/kinds.js';
import { option, type TableOf } from '../core/options/table.js';

/**
 * Kind of recurrent cell: those of `torch.nn.RNN` (with tanh), `LSTM` and `GRU`, and the minGRU of Feng et al. (2024), "Were RNNs
 * All We Needed?". Its gate and its candidate see the input only: `z = sigmoid(W_z x + b_z)`, `n = W_n x + b_n`,
 * `h' = (1 - z) h + z n`, with `z` before `n` in `weight_ih` `[2 * hiddenSize, inputs]` and `bias_ih`, and no `weight_hh`. libtorch
 * does not have it, so it runs on the CPU only.
 */
export type Cell = 'rnn' | 'lstm' | 'gru' | 'mingru';

/**
 * Blocks of `hiddenSize` rows in a cell's weights, whether the old state has weights as well as the input, and whether libtorch has
 * the cell.
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
 * The device of a network: what `asked` was found to be, but the CPU where `auto` meets a cell or a head that libtorch does not have.
 */
export function deviceFor(
  asked: Device | 'auto' | undefined,
  found: Device,
  cell: Cell,
  head: HeadConfig['kind'] = 'classes',
): Device {
  return asked === 'auto' && !(WEIGHTS[cell].libtorch && head === 'classes') ? 'cpu' : found;
}

/** Weights of the recurrent layers, without the biases; one token takes as many multiply-adds. */
export function recurrentWeights(
  network: Pick<Required<NetworkOptions>, 'cell' | 'embeddingDim' | 'hiddenSize' | 'numLayers' | 'bidirectional'>,
): number {
  const { gates, recurrent } = WEIGHTS[network.cell];
  const features = network.hiddenSize * (network.bidirectional ? 2 : 1);
  const state = recurrent ? network.hiddenSize : 0;
  return gates * features * (network.embeddingDim + state + (network.numLayers - 1) * (features + state));
}

/**
 * How the outputs `h[t]` of the recurrent layers become one vector per text, always over the real tokens alone:
 *
 * - `last`: the final states of the last layer, both directions side by side;
 * - `mean`, `max`: their mean, their maximum over time;
 * - `attention`: `sum over t of a[t] h[t]` with `a = softmax(q . tanh(W h[t] + b))`: the model learns which words of
 *   a text matter. `W` and `b` are `attention.proj.weight` `[features, features]` and `attention.proj.bias`, `q` is
 *   `attention.query.weight` `[1, features]`, with `features` the width of the outputs: `hiddenSize`, times two for two
 *   directions. In PyTorch: `nn.Linear(features, features)` and `nn.Linear(features, 1, bias=False)`.
 */
export type Pooling = 'last' | 'mean' | 'max' | 'attention';

/** All ways of pooling. */
export const POOLINGS = ['last', 'mean', 'max', 'attention'] as const satisfies readonly Pooling[];

/**
 * What the characters of a word add to its own vector: behind it stands the mean of the vectors of their features, as
 * `torch.nn.EmbeddingBag(buckets, dim, mode='mean')` gives it. In a file they are `subwords.weight` `[buckets, dim]`. On the CPU
 * kernels only.
 */
export interface SubwordsConfig {
  /** Number of features, which are hashed: several may share one. */
  readonly buckets: number;
  /** Values of a feature's vector. */
  readonly dim: number;
  /** Share of the features of each word that are left out in training; 0 if left out. */
  readonly dropout?: number;
}

/** What stands on the recurrent layers. */
export type HeadConfig = ClassesHead | TagsHead | SequenceHead;

/** One answer to a row: pools the outputs of the recurrent layers into one vector and scores classes by a linear layer. */
export interface ClassesHead {
  readonly kind: 'classes';
  /** Scores that it gives for a row. */
  readonly outputs: number;
  /** Whether a row may have any number of outputs, each with a probability of its own. */
  readonly multiLabel: boolean;
  /** How a row's states become one vector. */
  readonly pooling: Pooling;
}

/**
 * How the scores of a row's tokens become tags:
 *
 * - `crf`: a linear-chain conditional random field. The score of a path is the sum of its tags' scores and of its transitions', and
 *   the most probable path is predicted (pytorch-crf's definitions);
 * - `softmax`: each token by itself.
 */
export type Decoder = 'crf' | 'softmax';

/** All decoders. */
export const DECODERS = ['crf', 'softmax'] as const satisfies readonly Decoder[];

/** One answer to a token: scores tags by a linear layer on the outputs of the recurrent layers. It runs on the CPU kernels only. */
export interface TagsHead {
  readonly kind: 'tags';
  /** Number of tags. */
  readonly outputs: number;
  /**
   * How scores become tags, and what the loss is of. `adaptive` is a softmax over many tags that are sorted by falling frequency
   * (`torch.nn.AdaptiveLogSoftmaxWithLoss`, {@link adaptiveScores}).
   */
  readonly decoder: Decoder | 'adaptive';
  /** Transitions that are never predicted; for `crf` only. No row may be trained towards one. */
  readonly forbidden?: ForbiddenTransitions;
}

/** What a path of tags never has: 1 for never. A row of one token must have a tag that may be both its first and its last. */
export interface ForbiddenTransitions {
  /** First tags. `[outputs]` */
  readonly start: Uint8Array;
  /** Last tags. `[outputs]` */
  readonly end: Uint8Array;
  /** A tag and the one that follows it. `[outputs, outputs]` row-major, from before to. */
  readonly between: Uint8Array;
}

/**
 * Scores of a token with a head of tags: the tag, its probability at the token, and the probability that this tag and that of the next
 * token are both right (at the last token of a row the same as the second). The tokens from `s` to `e` so have all their tags with
 * the probability `p[s] * product over t from s to e - 1 of both[t] / p[t]`, exactly for a linear chain.
 */
export const TAG_SCORES = 3;

/** Fewest tags of an adaptive softmax. */
export const LEAST_ADAPTIVE_TAGS = 16;

/**
 * The scores of an adaptive softmax's head, which has as many weights for each as there are features: the first sixteenth of the tags, and two
 * groups, which begin after a sixteenth and a quarter.
 */
export function adaptiveScores(tags: number): number {
  return Math.floor(tags / 16) + 2;
}

/**
 * How much each source unit counts at a step of the decoder, whose new output is `h`; `a` is the encoder's output at that unit:
 *
 * - `luong`: `h . W a`, "general" of Luong, Pham and Manning, "Effective Approaches to Attention-based Neural Machine Translation", 2015;
 * - `bahdanau`: `v . tanh(Q h + W a + b)`, after Bahdanau, Cho and Bengio, "Neural Machine Translation by Jointly Learning to Align and
 *   Translate", 2015, but with the decoder's new output in place of its old one.
 */
export type Attention = 'luong' | 'bahdanau';

/** All kinds of attention. */
export const ATTENTIONS = ['luong', 'bahdanau'] as const satisfies readonly Attention[];

/**
 * A decoder that writes one unit after the other while it looks at the encoder's outputs, with input feeding: a step reads the unit before
 * and the attentional vector of the step before. It runs on the CPU kernels only.
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
  /** The unit that the decoder reads first; it is never written. */
  readonly start: number;
  /** The unit that ends a sequence. */
  readonly end: number;
}

/** How many scores an engine gives for a row of `length` tokens. */
export function scoresOfRow(head: HeadConfig, length: number): number {
  if (head.kind === 'sequence') return 0;
  return head.kind === 'tags' ? length * TAG_SCORES : head.outputs;
}

/** Multiply-adds that a token takes in the recurrent layers, and in a head that answers for each token. */
export function tokenWork(
  network: Parameters<typeof recurrentWeights>[0] & { head: HeadConfig; subwords?: SubwordsConfig | undefined },
): number {
  const { head, subwords } = network;
  const recurrent = recurrentWeights({ ...network, embeddingDim: network.embeddingDim + (subwords?.dim ?? 0) });
  if (head.kind === 'classes') return recurrent;
  // A step of the decoder takes about what the encoder takes for a unit.
  if (head.kind === 'sequence') return 2 * recurrent + head.hiddenSize * head.outputs;
  const features = network.hiddenSize * (network.bidirectional ? 2 : 1);
  // Forward, back and the best path.
  if (head.decoder === 'adaptive') {
    const [first, second] = [Math.floor(head.outputs / 16), Math.floor(head.outputs / 4)];
    const tails = ((second - first) * features) / 4 + ((head.outputs - second) * features) / 16;
    return recurrent + features * adaptiveScores(head.outputs) + tails;
  }
  return recurrent + features * head.outputs + (head.decoder === 'crf' ? 3 * head.outputs ** 2 : 0);
}

/** The rule by which a step moves the weights, as in `torch.optim`: `Adam`, `AdamW`, `SGD`. */
export type OptimizerName = 'adam' | 'adamw' | 'sgd';

/** All optimizers. */
export const OPTIMIZERS = ['adam', 'adamw', 'sgd'] as const satisfies readonly OptimizerName[];

/** What the recurrent network looks like, whatever stands on it. */
export interface NetworkOptions {
  /** Recurrent cell. Default `'lstm'`. */
  cell?: Cell;
  /** Size of the word vectors. Default 64. */
  embeddingDim?: number;
  /** Size of the hidden state, per direction. Default 64. */
  hiddenSize?: number;
  /** Recurrent layers on top of each other. Default 1. */
  numLayers?: number;
  /** Reads every text forwards and backwards. Default `true`. */
  bidirectional?: boolean;
  /**
   * Share of elements dropped in training: from the pooled vector, and from what each recurrent layer but the last hands to
   * the next. With `numLayers: 1` there is nothing between layers, so it acts on the pooled vector alone (PyTorch's
   * `nn.LSTM(dropout=...)` then warns and does nothing; here it is of use). Default 0.3.
   */
  dropout?: number;
  /** Share of elements dropped in training from the word vectors, each element by itself. Default 0. */
  embeddingDropout?: number;
  /**
   * Share of the tokens that are read as `<unk>` in training, different ones at each step: the model learns to do without
   * any one word, and what to make of words that it does not know. Default 0.2.
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
    help: 'share of elements dropped in training from the pooled vector, and between layers',
  }),
  embeddingDropout: option(share, {
    default: 0,
    flag: '<share>',
    help: 'share of elements dropped in training from the word vectors',
  }),
  wordDropout: option(share, {
    default: 0.2,
    flag: '<share>',
    help: 'share of words read as `<unk>` in training',
  }),
} as const satisfies TableOf<NetworkOptions>;

/** {@link NetworkOptions} with every default filled in. */
export type NetworkSettings = Required<NetworkOptions>;
