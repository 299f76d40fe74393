import { flag, integer, oneOf, share } from './checks.js';

/** Kind of recurrent cell. */
export type Cell = 'rnn' | 'lstm' | 'gru';

/**
 * How the outputs of the recurrent layers become one vector per text, always over the real tokens alone:
 * `last` takes the final states of the last layer, `mean` and `max` the mean and the maximum over time.
 */
export type Pooling = 'last' | 'mean' | 'max';

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
  /** Share of elements dropped in training from the pooled vector, and between recurrent layers. Default 0.3. */
  dropout?: number;
  /** Share of elements dropped in training from the word vectors. Default 0. */
  embeddingDropout?: number;
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
] as const;

/** Checks {@link ModelOptions} and fills in the defaults. */
export function modelSettings(options: ModelOptions): ModelSettings {
  const settings: ModelSettings = {
    cell: oneOf('cell', options.cell ?? 'lstm', ['rnn', 'lstm', 'gru']),
    embeddingDim: integer('embeddingDim', options.embeddingDim ?? 64, 1, 65_536),
    hiddenSize: integer('hiddenSize', options.hiddenSize ?? 64, 1, 65_536),
    numLayers: integer('numLayers', options.numLayers ?? 1, 1, 64),
    bidirectional: flag('bidirectional', options.bidirectional ?? true),
    pooling: oneOf('pooling', options.pooling ?? 'max', ['last', 'mean', 'max']),
    dropout: share('dropout', options.dropout ?? 0.3),
    embeddingDropout: share('embeddingDropout', options.embeddingDropout ?? 0),
  };
  return settings;
}
