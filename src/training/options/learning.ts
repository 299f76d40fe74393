import { choice, flag, integer, number, share } from '../../core/options/kinds.js';
import { option, type Rule, type SettingsOf, type TableOf } from '../../core/options/table.js';
import { OPTIMIZERS, type OptimizerName } from '../../engine/network.js';

/** How the learning rate moves over the training: it stays, falls linearly to zero, or along half a cosine. */
export type Schedule = 'constant' | 'linear' | 'cosine';

const SCHEDULES = ['constant', 'linear', 'cosine'] as const satisfies readonly Schedule[];

/** How a model learns. */
export interface LearningOptions {
  /** Passes over the training rows. Default: 4; up to 14 with many labels, which need more passes until they are learned. */
  epochs?: number;
  /** Rows per step, at most. Default: rows / 128, clamped to 8..64; no limit with `tokensPerBatch`. */
  batchSize?: number;
  /**
   * Tokens per step, at most; a longer text makes a step of its own. Batches of short texts then have more rows than those of
   * long ones. Default: no limit.
   */
  tokensPerBatch?: number;
  /**
   * Whether texts of similar length share a batch, which saves time where lengths differ. Batches change with every epoch and
   * come in random order. Default `true`; with `false` each batch is drawn at random.
   */
  bucketing?: boolean;
  /** The rule by which a step moves the weights. Default `'adam'`. */
  optimizer?: OptimizerName;
  /** Learning rate at the start, or once `warmup` is over. Default 0.008. */
  lr?: number;
  /**
   * Weight decay as the optimizer defines it. `adam` and `sgd` add it to the gradient, which updates every word vector at every
   * step and is slow for large vocabularies; `adamw` decouples it. Default 0; for `adamw` 0.01.
   */
  weightDecay?: number;
  /** Share of the last step's direction that is kept; for `optimizer: 'sgd'` only. Default 0. */
  momentum?: number;
  /** How the learning rate moves. Default `'linear'`. */
  schedule?: Schedule;
  /**
   * Share of all steps during which the learning rate rises in equal steps to `lr`; `schedule` covers the rest. From 0 to
   * below 1. Default 0.
   */
  warmup?: number;
  /** Largest Euclidean norm of all gradients together; larger ones are scaled down to it. Default 0, off. */
  clipGradNorm?: number;
  /**
   * Adversarial training, which makes models of few rows better: each step learns the batch twice, the second time with noise on
   * the word vectors of each text, in the direction that raises its loss most. The number is the length of the noise as a share
   * of the length of the text's vectors; 0.05 is a good one, 0 turns it off, and 1,000 is the most. A step takes about twice the time.
   *
   * With `e` the embedded tokens of a text, `[time, embeddingDim]`, and `g` the gradient of the loss by them, the noise is
   * `r = adversarial * |e| * g / |g|`, a constant, and the step minimises `L(e) + L(e + r)`; both passes have the same dropout masks.
   * The losses that are reported are `L(e)`, so that they compare with those of other trainings. Miyato, Dai and Goodfellow,
   * "Adversarial Training Methods for Semi-Supervised Text Classification", 2017. Default 0.05 with few rows, else 0; a
   * classifier has few up to 12,000 rows with up to 32 labels.
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

/** Words for a training without a limit. */
const NO_LIMIT = 'no limit';

/** Rows per step where only tokens limit it. */
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
    help: 'rows per step, at most',
  }),
  tokensPerBatch: option(integer(1, 2 ** 31 - 1), {
    defaultText: NO_LIMIT,
    flag: '<n>',
    help: 'tokens per step, at most',
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
    help: 'the rule by which a step moves the weights',
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
    help: "share of the last step's direction that is kept; for sgd only",
  }),
  schedule: option(choice(SCHEDULES), { default: 'linear', flag: '<how>', help: 'how the learning rate moves' }),
  warmup: option(share, { default: 0, flag: '<share>', help: 'share of the steps in which the learning rate rises' }),
  clipGradNorm: option(number({ from: 0 }), {
    default: 0,
    defaultText: '0, off',
    flag: '<norm>',
    help: 'scale larger gradients down to this norm',
  }),
  adversarial: option(number({ from: 0, to: 1_000 }), {
    // Undefined: the task's own number, once the rows are known.
    defaultText: '0.05 with few rows, else 0',
    flag: '<eps>',
    help: 'learn each batch a second time with adversarial noise of this length on the word vectors; 0 for none',
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

/** {@link LearningOptions} with every default filled in, but for `epochs`, `batchSize` and `adversarial`, which may wait for the
 * rows. */
export type LearningSettings = SettingsOf<typeof LEARNING>;

/** What no learning option can break alone. */
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

/** Passes over the rows where neither an option nor the task says how many. */
export const DEFAULT_EPOCHS = 4;

/** Rows per step where no option says how many: with few rows, the number of steps matters most. */
export function defaultBatchSize(rows: number): number {
  return Math.min(64, Math.max(8, Math.ceil(rows / 128)));
}

/** The row `clipGradNorm` of models that write texts: their gradients go back through many steps, and some are far too large. */
export const CLIPPED = option(LEARNING.clipGradNorm.kind, {
  default: 1,
  flag: '<norm>',
  help: 'scale larger gradients down to this norm; 0 for never',
});
