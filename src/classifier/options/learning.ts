import { integer, number, oneOf } from './checks.js';

/** How the learning rate moves over the training: it stays, falls linearly to zero, or along half a cosine. */
export type Schedule = 'constant' | 'linear' | 'cosine';

/** How a model learns. */
export interface LearningOptions {
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
  /** Seed of initial weights, shuffling and dropout. Default 0. */
  seed?: number;
}

/** {@link LearningOptions} with every default filled in. */
export interface LearningSettings {
  epochs: number;
  batchSize: number;
  lr: number;
  schedule: Schedule;
  clipGradNorm: number;
  seed: number;
}

/** Names of {@link LearningOptions}. */
export const LEARNING_NAMES = ['epochs', 'batchSize', 'lr', 'schedule', 'clipGradNorm', 'seed'] as const;

/** Checks {@link LearningOptions} and fills in the defaults. */
export function learningSettings(options: LearningOptions): LearningSettings {
  return {
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
    seed: integer('seed', options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER),
  };
}
