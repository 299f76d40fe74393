import type { Rows } from '../data/rows.js';
import { ArgumentError, checkOptionNames, invalidArgument } from '../errors.js';
import type { Tokenizer, TokenizerName } from '../text/tokenizer.js';
import type { Progress } from './progress.js';

/** Kind of recurrent cell. */
export type Cell = 'rnn' | 'lstm' | 'gru';

/**
 * How the outputs of the recurrent layers become one vector per text, always over the real tokens alone:
 * `last` takes the final states of the last layer, `mean` and `max` the mean and the maximum over time.
 */
export type Pooling = 'last' | 'mean' | 'max';

/** How the learning rate moves over the training: it stays, falls linearly to zero, or along half a cosine. */
export type Schedule = 'constant' | 'linear' | 'cosine';

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

/** How texts become token ids. */
export interface TextOptions {
  /** Splits a text into tokens. Default `'basic_english'`. A function is not saved: give it again to {@link TextClassifier.load}. */
  tokenizer?: TokenizerName | Tokenizer;
  /** Words seen less often than this become `<unk>`. Default 1. */
  minFreq?: number;
  /** Largest vocabulary, the two specials included. Default: no limit. */
  maxTokens?: number;
  /** Tokens of a text that are read; the rest is cut off. Default 1,000. */
  maxLength?: number;
}

/** Options of {@link TextClassifier.train}. */
export interface TrainOptions extends ModelOptions, TextOptions {
  /** Passes over the training rows. Default 4. */
  epochs?: number;
  /** Rows per step. Default 64. */
  batchSize?: number;
  /** Learning rate of Adam at the start. Default 5e-3. */
  lr?: number;
  /** How the learning rate moves. Default `'linear'`. */
  schedule?: Schedule;
  /** Largest Euclidean norm of all gradients together; larger ones are scaled down to it. Default 0: off. */
  clipGradNorm?: number;
  /**
   * Rows to measure on after each epoch: a share of the training rows, split off by label, or rows of their own. With it,
   * the weights of the best epoch are kept. Default: none.
   */
  validation?: number | Rows;
  /** Seed of initial weights, shuffling and dropout. Default 0. */
  seed?: number;
  /** Threads of the numeric work. Default: as many as there are processors. */
  threads?: number;
  /** Where to compute. Default `'cpu'`. */
  device?: 'cpu';
  /** Called from time to time while training, at most about ten times a second, and after each epoch. */
  onProgress?: (progress: Progress) => void;
  /** Stops the training; the promise rejects with a {@link TrainingError} that carries the model as far as it has learned. */
  signal?: AbortSignal;
}

/** {@link ModelOptions} with every default filled in. */
export type ModelSettings = Required<ModelOptions>;

/** {@link TextOptions} with every default filled in. */
export interface TextSettings {
  tokenizer: TokenizerName | Tokenizer;
  minFreq: number;
  maxTokens: number | undefined;
  maxLength: number;
}

/** {@link TrainOptions} with every default filled in. */
export interface TrainSettings {
  model: ModelSettings;
  text: TextSettings;
  epochs: number;
  batchSize: number;
  lr: number;
  schedule: Schedule;
  clipGradNorm: number;
  validation: number | Rows | undefined;
  seed: number;
  threads: number | undefined;
  onProgress: ((progress: Progress) => void) | undefined;
  signal: AbortSignal | undefined;
}

const MODEL_NAMES = [
  'cell',
  'embeddingDim',
  'hiddenSize',
  'numLayers',
  'bidirectional',
  'pooling',
  'dropout',
  'embeddingDropout',
] as const;
const TEXT_NAMES = ['tokenizer', 'minFreq', 'maxTokens', 'maxLength'] as const;
const TRAIN_NAMES = [
  'epochs',
  'batchSize',
  'lr',
  'schedule',
  'clipGradNorm',
  'validation',
  'seed',
  'threads',
  'device',
  'onProgress',
  'signal',
] as const;

function oneOf<T extends string>(name: string, value: T, allowed: readonly T[]): T {
  if (!allowed.includes(value))
    throw invalidArgument(name, `one of ${allowed.map((word) => `'${word}'`).join(', ')}`, value);
  return value;
}

function integer(name: string, value: number, least: number, most = 2 ** 31 - 1): number {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw invalidArgument(name, `an integer from ${least} to ${most}`, value);
  }
  return value;
}

function number(name: string, value: number, fits: (value: number) => boolean, expected: string): number {
  if (typeof value !== 'number' || !fits(value)) throw invalidArgument(name, expected, value);
  return value;
}

function share(name: string, value: number): number {
  return number(name, value, (given) => given >= 0 && given < 1, 'a number from 0 to below 1');
}

function flag(name: string, value: boolean): boolean {
  if (typeof value !== 'boolean') throw invalidArgument(name, 'true or false', value);
  return value;
}

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

/** Checks {@link TextOptions} and fills in the defaults. */
export function textSettings(options: TextOptions): TextSettings {
  const tokenizer = options.tokenizer ?? 'basic_english';
  if (typeof tokenizer !== 'function' && tokenizer !== 'basic_english') {
    throw invalidArgument('tokenizer', "'basic_english' or a function from text to tokens", tokenizer);
  }
  return {
    tokenizer,
    minFreq: integer('minFreq', options.minFreq ?? 1, 1),
    maxTokens: options.maxTokens === undefined ? undefined : integer('maxTokens', options.maxTokens, 2),
    maxLength: integer('maxLength', options.maxLength ?? 1_000, 1, 1_000_000),
  };
}

/**
 * Checks {@link TrainOptions} and fills in the defaults.
 *
 * @throws ArgumentError naming the option, what was expected and what was given.
 */
export function trainSettings(options: TrainOptions): TrainSettings {
  if (typeof options !== 'object' || options === null) throw invalidArgument('options', 'an object', options);
  checkOptionNames('TextClassifier.train', options, [...MODEL_NAMES, ...TEXT_NAMES, ...TRAIN_NAMES]);
  const { validation, onProgress, signal } = options;
  if (typeof validation === 'number') {
    number('validation', validation, (value) => value > 0 && value < 1, 'rows, or a share between 0 and 1');
  }
  if (onProgress !== undefined && typeof onProgress !== 'function')
    throw invalidArgument('onProgress', 'a function', onProgress);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalidArgument('signal', 'an AbortSignal', signal);
  if (options.device !== undefined && options.device !== 'cpu') {
    throw new ArgumentError(
      'INVALID_DEVICE',
      `Expected 'cpu' for device but received ${JSON.stringify(options.device)}`,
    );
  }
  return {
    model: modelSettings(options),
    text: textSettings(options),
    epochs: integer('epochs', options.epochs ?? 4, 1, 100_000),
    batchSize: integer('batchSize', options.batchSize ?? 64, 1, 1_000_000),
    lr: number('lr', options.lr ?? 5e-3, (value) => value > 0 && Number.isFinite(value), 'a number above 0'),
    schedule: oneOf('schedule', options.schedule ?? 'linear', ['constant', 'linear', 'cosine']),
    clipGradNorm: number(
      'clipGradNorm',
      options.clipGradNorm ?? 0,
      (value) => value >= 0 && Number.isFinite(value),
      'a number from 0',
    ),
    validation,
    seed: integer('seed', options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER),
    threads: options.threads === undefined ? undefined : integer('threads', options.threads, 1, 1_024),
    onProgress,
    signal,
  };
}
