import { flag, integer, number, oneOf, share } from '../../core/checks.js';
import { invalidArgument } from '../../core/errors.js';

/** How the learning rate moves over the training: it stays, falls linearly to zero, or along half a cosine. */
export type Schedule = 'constant' | 'linear' | 'cosine';

/** The rule by which a step moves the weights, as in `torch.optim`: `Adam`, `AdamW`, `SGD`. */
export type OptimizerName = 'adam' | 'adamw' | 'sgd';

/**
 * What each class counts for: `'balanced'`, or a weight above 0 for some labels, by name; the others have 1.
 *
 * An object's own enumerable properties count, also one with the name `__proto__` if it was made by `JSON.parse` or
 * `Object.fromEntries`; a `Map` works with every name.
 */
export type ClassWeights = 'balanced' | Readonly<Record<string, number>> | ReadonlyMap<string, number>;

/** How a model learns. */
export interface LearningOptions {
  /** Passes over the training rows. Default 4. */
  epochs?: number;
  /**
   * Rows per step, at most. Default 64, and of fewer than 8,192 rows one 128th, but at least 8, so that few rows make steps
   * enough; with `tokensPerBatch` no limit.
   */
  batchSize?: number;
  /**
   * Tokens per step, at most, but for a text that has more by itself: batches of short texts have more rows then than those
   * of long ones. Default: no limit.
   */
  tokensPerBatch?: number;
  /**
   * Whether texts of similar length are put into the same batch, which spares time where lengths differ. The batches are
   * other ones in every epoch, and in random order. Default `true`; with `false` each batch is drawn at random.
   */
  bucketing?: boolean;
  /** How weights are moved. Default `'adam'`. */
  optimizer?: OptimizerName;
  /** Learning rate at the start, or once `warmup` is over. Default 8e-3. */
  lr?: number;
  /**
   * Weight decay as the optimizer defines it: added to the gradient by `adam` and `sgd`, which makes every word's vector
   * move at every step and is slow with many words; apart from it by `adamw`. Default 0; for `adamw` 0.01.
   */
  weightDecay?: number;
  /** Share of the last step's direction that is kept; for `optimizer: 'sgd'` only. Default 0. */
  momentum?: number;
  /** How the learning rate moves. Default `'linear'`. */
  schedule?: Schedule;
  /**
   * Share of all steps during which the learning rate rises in equal steps to `lr`; `schedule` goes over the others. From
   * 0 to below 1. Default 0.
   */
  warmup?: number;
  /** Largest Euclidean norm of all gradients together; larger ones are scaled down to it. Default 0: off. */
  clipGradNorm?: number;
  /**
   * What each label counts for in the loss. `'balanced'` makes rare labels count as much as frequent ones.
   *
   * With exclusive labels the loss is that of `torch.nn.CrossEntropyLoss(weight)`: the weighted mean, divided by the sum
   * of the rows' weights; `'balanced'` is scikit-learn's `n / (k * count)`. With `multiLabel` it is that of
   * `torch.nn.BCEWithLogitsLoss(pos_weight)`, by which a label that is there counts so many times as one that is not;
   * `'balanced'` is the number of rows without the label divided by the number of those with it. Default: 1 each.
   */
  classWeights?: ClassWeights;
  /**
   * Share of each row's target that is spread evenly over all labels, as `torch.nn.CrossEntropyLoss(label_smoothing)` does:
   * probabilities become less extreme. From 0 to below 1; not with `multiLabel`. Default 0.
   */
  labelSmoothing?: number;
  /**
   * Ends the training when so many epochs in a row did not improve on the best one on the validation rows; the best one's
   * weights are kept. Needs `validation`. Default: all epochs are made.
   */
  patience?: number;
  /**
   * Standard deviation of the numbers that word vectors begin with, those of a file of `embeddings` apart. Small ones let a
   * word that few rows have speak no louder than what was learned of it; PyTorch's `nn.Embedding` begins with 1. Default 0.1.
   */
  embeddingStd?: number;
  /** Seed of initial weights, shuffling and dropout. Default 0. */
  seed?: number;
}

/** {@link LearningOptions} with every default filled in. */
export interface LearningSettings {
  epochs: number;
  /** Undefined: {@link defaultBatchSize}. */
  batchSize: number | undefined;
  tokensPerBatch: number | undefined;
  bucketing: boolean;
  optimizer: OptimizerName;
  lr: number;
  weightDecay: number;
  momentum: number;
  schedule: Schedule;
  warmup: number;
  clipGradNorm: number;
  classWeights: 'balanced' | ReadonlyMap<string, number> | undefined;
  labelSmoothing: number;
  patience: number | undefined;
  embeddingStd: number;
  seed: number;
}

/** Names of {@link LearningOptions}. */
export const LEARNING_NAMES = [
  'epochs',
  'batchSize',
  'tokensPerBatch',
  'bucketing',
  'optimizer',
  'lr',
  'weightDecay',
  'momentum',
  'schedule',
  'warmup',
  'clipGradNorm',
  'classWeights',
  'labelSmoothing',
  'patience',
  'embeddingStd',
  'seed',
] as const satisfies readonly (keyof LearningOptions)[];

const notNegative = (value: number) => value >= 0 && Number.isFinite(value);

/** {@link ClassWeights} as a map, checked but for the names, which only the rows tell. */
function classWeightSettings(weights: ClassWeights | undefined): LearningSettings['classWeights'] {
  if (weights === undefined || weights === 'balanced') return weights;
  if (typeof weights !== 'object' || weights === null || Array.isArray(weights)) {
    throw invalidArgument('classWeights', "'balanced' or an object from label to weight", weights);
  }
  const map = new Map(weights instanceof Map ? weights : Object.entries(weights as Record<string, number>));
  for (const [label, weight] of map) {
    const name = `classWeights[${JSON.stringify(label)}]`;
    if (typeof label !== 'string') throw invalidArgument('a label of classWeights', 'a string', label);
    // Above 0 also as a float32, which is what the loss computes with.
    number(name, weight, (value) => Math.fround(value) > 0 && Number.isFinite(Math.fround(value)), 'a number above 0');
  }
  return map;
}

/** Rows per step where nobody says how many: what so many rows learn depends on the number of steps more than on all else. */
export function defaultBatchSize(rows: number): number {
  return Math.min(64, Math.max(8, Math.ceil(rows / 128)));
}

/** Checks {@link LearningOptions} and fills in the defaults. */
export function learningSettings(options: LearningOptions): LearningSettings {
  const { tokensPerBatch, patience } = options;
  const optimizer = oneOf('optimizer', options.optimizer ?? 'adam', ['adam', 'adamw', 'sgd']);
  const momentum = number(
    'momentum',
    options.momentum ?? 0,
    (value) => value >= 0 && value <= 1,
    'a number from 0 to 1',
  );
  if (momentum > 0 && optimizer !== 'sgd') {
    throw invalidArgument('momentum', `nothing with optimizer: '${optimizer}', which has its own,`, momentum);
  }
  const batchSize = options.batchSize ?? (tokensPerBatch === undefined ? undefined : 1_000_000);
  return {
    epochs: integer('epochs', options.epochs ?? 4, 1, 100_000),
    batchSize: batchSize === undefined ? undefined : integer('batchSize', batchSize, 1, 1_000_000),
    tokensPerBatch: tokensPerBatch === undefined ? undefined : integer('tokensPerBatch', tokensPerBatch, 1),
    bucketing: flag('bucketing', options.bucketing ?? true),
    optimizer,
    lr: number('lr', options.lr ?? 8e-3, (value) => value > 0 && Number.isFinite(value), 'a number above 0'),
    weightDecay: number(
      'weightDecay',
      options.weightDecay ?? (optimizer === 'adamw' ? 0.01 : 0),
      notNegative,
      'a number from 0',
    ),
    momentum,
    schedule: oneOf('schedule', options.schedule ?? 'linear', ['constant', 'linear', 'cosine']),
    warmup: share('warmup', options.warmup ?? 0),
    clipGradNorm: number('clipGradNorm', options.clipGradNorm ?? 0, notNegative, 'a number from 0'),
    classWeights: classWeightSettings(options.classWeights),
    labelSmoothing: share('labelSmoothing', options.labelSmoothing ?? 0),
    patience: patience === undefined ? undefined : integer('patience', patience, 1, 100_000),
    embeddingStd: number('embeddingStd', options.embeddingStd ?? 0.1, notNegative, 'a number from 0'),
    seed: integer('seed', options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER),
  };
}
