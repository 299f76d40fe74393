import { choice, flag, integer, number, share } from '../../core/options/kinds.js';
import { option, type Rule, type SettingsOf, type TableOf } from '../../core/options/table.js';
import { OPTIMIZERS, type OptimizerName } from '../../engine/network.js';

/** Learning rate schedule: constant, linear decay to zero, or half a cosine. */
export type Schedule = 'constant' | 'linear' | 'cosine';

const SCHEDULES = ['constant', 'linear', 'cosine'] as const satisfies readonly Schedule[];

/** How a model learns. */
export interface LearningOptions {
  /** Passes over the training rows. Default: 4; up to 14 with many labels, which need more passes. */
  epochs?: number;
  /** Maximum rows per step. Default: rows / 128, clamped to 8..64; no limit with `tokensPerBatch`. */
  batchSize?: number;
  /**
   * Maximum tokens per step; a longer text forms its own step. Batches of short texts then have more rows. Default: no
   * limit.
   */
  tokensPerBatch?: number;
  /**
   * Whether texts of similar length share a batch, which saves time if lengths differ. Batches differ in every epoch
   * and come in random order. Default `true`; with `false` each batch is drawn at random.
   */
  bucketing?: boolean;
  /** The optimizer. Default `'adam'`. */
  optimizer?: OptimizerName;
  /** Initial learning rate, or the one after `warmup`. Default 0.008. */
  lr?: number;
  /**
   * Weight decay as the optimizer defines it. `adam` and `sgd` add it to the gradient, which updates every word vector at every
   * step and is slow for large vocabularies; `adamw` decouples it. Default 0; for `adamw` 0.01.
   */
  weightDecay?: number;
  /** Momentum, for `optimizer: 'sgd'` only. Default 0. */
  momentum?: number;
  /** Learning rate schedule. Default `'linear'`. */
  schedule?: Schedule;
  /**
   * Share of all steps during which the learning rate grows linearly to `lr`; `schedule` covers the rest. From 0 to
   * below 1. Default 0.
   */
  warmup?: number;
  /** Maximum Euclidean norm of all gradients together; larger ones are scaled down. Default 0, off. */
  clipGradNorm?: number;
  /**
   * Adversarial training, which improves models with few rows: each step trains on the batch twice, the second time
   * with noise on the word vectors of each text, in the direction that increases its loss most. The number is the norm
   * of the noise relative to that of the text's vectors; 0.05 is a good value, 0 turns it off, and 1,000 is the
   * maximum. A step takes about twice as long.
   *
   * With `e` the embedded tokens of a text, `[time, embeddingDim]`, and `g` the gradient of the loss by them, the noise
   * is `r = adversarial * |e| * g / |g|`, a constant, and the step minimises `L(e) + L(e + r)`; both passes have the
   * same dropout masks. Reported losses are `L(e)`, so they are comparable with those of other trainings. Miyato, Dai
   * and Goodfellow, "Adversarial Training Methods for Semi-Supervised Text Classification", 2017. Default 0.05 with few
   * rows, otherwise 0; for a classifier, few means up to 12,000 rows with up to 32 labels.
   */
  adversarial?: number;
  /**
   * Stops after this many consecutive epochs without improvement on the validation rows; the weights of the best epoch are
   * kept. Needs `validation`. Default: never.
   */
  patience?: number;
  /**
   * Standard deviation of the initial word vectors, except those from a file of `embeddings`. Small values keep rare words from
   * dominating before they have been trained; PyTorch's `nn.Embedding` starts with 1. Default 0.1.
   */
  embeddingStd?: number;
  /** Seed of initial weights, shuffling and dropout. Default 0. */
  seed?: number;
}

/** Text for a missing limit. */
const NO_LIMIT = 'no limit';

/** Maximum rows per step if only tokens limit it. */
const MOST_ROWS = 1_000_000;

/** The table of {@link LearningOptions}. */
export const LEARNING = {
  epochs: option(integer(1, 100_000), {
    // Undefined: the task's own number, once the rows are known.
    defaultText: '4; up to 14 with many labels',
    flag: '<n>',
    help: 'passes over the rows',
  }),
  batchSize: option(integer(1, MOST_ROWS), {
    // Undefined: defaultBatchSize, once the rows have been counted.
    defaultOf: ({ tokensPerBatch }) => (tokensPerBatch === undefined ? undefined : MOST_ROWS),
    defaultText: 'rows / 128, clamped to 8..64',
    flag: '<n>',
    help: 'maximum rows per step',
  }),
  tokensPerBatch: option(integer(1, 2 ** 31 - 1), {
    defaultText: NO_LIMIT,
    flag: '<n>',
    help: 'maximum tokens per step',
  }),
  bucketing: option(flag, {
    default: true,
    flag: '',
    help: 'put texts of similar length into the same batch',
    flagHelp: 'draw batches at random, instead of texts of similar length together',
  }),
  optimizer: option(choice(OPTIMIZERS), {
    default: 'adam',
    flag: '<name>',
    help: 'the optimizer',
  }),
  lr: option(number({ above: 0 }), { default: 8e-3, flag: '<rate>', help: 'learning rate' }),
  weightDecay: option(number({ from: 0 }), {
    defaultOf: ({ optimizer }) => (optimizer === 'adamw' ? 0.01 : 0),
    defaultText: '0; for adamw 0.01',
    flag: '<rate>',
    help: 'weight decay, as the optimizer defines it',
  }),
  momentum: option(number({ from: 0, to: 1 }), {
    default: 0,
    flag: '<share>',
    help: 'momentum, for sgd only',
  }),
  schedule: option(choice(SCHEDULES), { default: 'linear', flag: '<how>', help: 'learning rate schedule' }),
  warmup: option(share, { default: 0, flag: '<share>', help: 'share of the steps in which the learning rate grows' }),
  clipGradNorm: option(number({ from: 0 }), {
    default: 0,
    defaultText: '0, off',
    flag: '<norm>',
    help: 'scale larger gradients down to this norm',
  }),
  adversarial: option(number({ from: 0, to: 1_000 }), {
    // Undefined: the task's own number, once the rows are known.
    defaultText: '0.05 with few rows, otherwise 0',
    flag: '<eps>',
    help: 'train on each batch a second time with adversarial noise of this norm on the word vectors; 0 for none',
  }),
  patience: option(integer(1, 100_000), {
    defaultText: 'never',
    flag: '<epochs>',
    help: 'stop after this many epochs without improvement on the validation rows',
  }),
  embeddingStd: option(number({ from: 0 }), {
    default: 0.1,
    flag: '<number>',
    help: 'standard deviation of the initial word vectors',
  }),
  seed: option(integer(0), { default: 0, flag: '<n>', help: 'seed of weights, order and dropout' }),
} as const satisfies TableOf<LearningOptions>;

/**
 * {@link LearningOptions} with every default filled in, except `epochs`, `batchSize` and `adversarial`, which may
 * depend on the rows.
 */
export type LearningSettings = SettingsOf<typeof LEARNING>;

/** Rules between learning options. */
export const LEARNING_RULES: readonly Rule<LearningSettings & { validation: unknown }>[] = [
  {
    option: 'momentum',
    when: ({ momentum, optimizer }) => momentum > 0 && optimizer !== 'sgd',
    message: ({ optimizer }) => `momentum applies to optimizer 'sgd' only; '${optimizer}' has its own (beta1)`,
  },
  {
    option: 'patience',
    when: ({ patience, validation }) => patience !== undefined && validation === undefined,
    message: 'patience needs validation: without it there is nothing to compare epochs by',
  },
];

/** Default number of passes over the rows, if the task has none. */
export const DEFAULT_EPOCHS = 4;

/** Rows per step where no option says how many: with few rows, the number of steps matters most. */
export function defaultBatchSize(rows: number): number {
  return Math.min(64, Math.max(8, Math.ceil(rows / 128)));
}

/**
 * The row `clipGradNorm` of models that write texts: their gradients pass through many steps, and some are far too
 * large.
 */
export const CLIPPED = option(LEARNING.clipGradNorm.kind, {
  default: 1,
  flag: '<norm>',
  help: 'scale larger gradients down to this norm; 0 for off',
});
