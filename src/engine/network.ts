import { flag, integer, oneOf, share } from '../core/checks.js';

/** Kind of recurrent cell. */
export type Cell = 'rnn' | 'lstm' | 'gru';

/**
 * How the outputs `h[t]` of the recurrent layers become one vector per text, always over the real tokens alone:
 *
 * - `last`: the final states of the last layer, both directions side by side;
 * - `mean`, `max`: their mean, their maximum over time;
 * - `attention`: `sum over t of a[t] h[t]` with `a = softmax(q . tanh(W h[t] + b))`, what the text's important words are
 *   being learned. `W` and `b` are `attention.proj.weight` `[features, features]` and `attention.proj.bias`, `q` is
 *   `attention.query.weight` `[1, features]`, with `features` the width of the outputs: `hiddenSize`, times two for two
 *   directions. In PyTorch: `nn.Linear(features, features)` and `nn.Linear(features, 1, bias=False)`.
 */
export type Pooling = 'last' | 'mean' | 'max' | 'attention';

const POOLINGS = ['last', 'mean', 'max', 'attention'] as const satisfies readonly Pooling[];

/** What the network looks like. */
export interface ModelOptions {
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
  /** How a text's outputs become one vector. Default `'max'`. */
  pooling?: Pooling;
  /**
   * Share of elements dropped in training: from the pooled vector, and from what each recurrent layer but the last hands to
   * the next. With `numLayers: 1` there is nothing between layers, so it acts on the pooled vector alone (PyTorch's
   * `nn.LSTM(dropout=...)` then warns and does nothing; here it is of use). Default 0.3.
   */
  dropout?: number;
  /** Share of elements dropped in training from the word vectors, each element by itself. Default 0. */
  embeddingDropout?: number;
  /**
   * Share of the tokens that are read as `<unk>` in training, other ones at every step: the model learns to do without
   * any one word, and what to make of words that it does not know. Default 0.2.
   */
  wordDropout?: number;
  /**
   * Whether a text may have any number of labels: each label then has a probability of its own (a sigmoid) and a threshold
   * above which it is given, see {@link Prediction.labels}; the loss is binary cross entropy, the mean over labels and rows
   * as `torch.nn.BCEWithLogitsLoss` gives it. Default `false`: each text has exactly one label.
   */
  multiLabel?: boolean;
}

/** {@link ModelOptions} with every default filled in. */
export type ModelSettings = Required<ModelOptions>;

/** Names of {@link ModelOptions}. */
export const MODEL_NAMES = [
  'cell',
  'embeddingDim',
  'hiddenSize',
  'numLayers',
  'bidirectional',
  'pooling',
  'dropout',
  'embeddingDropout',
  'wordDropout',
  'multiLabel',
] as const;

/** Checks {@link ModelOptions} and fills in the defaults. */
export function modelSettings(options: ModelOptions): ModelSettings {
  const settings: ModelSettings = {
    cell: oneOf('cell', options.cell ?? 'lstm', ['rnn', 'lstm', 'gru']),
    embeddingDim: integer('embeddingDim', options.embeddingDim ?? 64, 1, 65_536),
    hiddenSize: integer('hiddenSize', options.hiddenSize ?? 64, 1, 65_536),
    numLayers: integer('numLayers', options.numLayers ?? 1, 1, 64),
    bidirectional: flag('bidirectional', options.bidirectional ?? true),
    pooling: oneOf('pooling', options.pooling ?? 'max', POOLINGS),
    dropout: share('dropout', options.dropout ?? 0.3),
    embeddingDropout: share('embeddingDropout', options.embeddingDropout ?? 0),
    wordDropout: share('wordDropout', options.wordDropout ?? 0.2),
    multiLabel: flag('multiLabel', options.multiLabel ?? false),
  };
  return settings;
}
