import { type ErrorCode, RecurraError, type RecurraErrorOptions } from '../core/errors.js';
import { aborted } from '../core/signals.js';
import type { TrainedModel } from './task.js';

/**
 * A training that did not finish: `ABORTED` by its signal, `NON_FINITE_LOSS`, or `IO` for checkpoints that cannot be
 * written. The weights learned so far are in {@link model}.
 *
 * @example
 * ```ts
 * try {
 *   await TextClassifier.train(rows, { lr: 1e30 });
 * } catch (error) {
 *   if (error instanceof TrainingError) console.log(error.code, error.message);
 * }
 * ```
 */
export class TrainingError<M extends TrainedModel = TrainedModel> extends RecurraError {
  /** Name of the class, as for every JavaScript error. */
  override name = 'TrainingError';
  /** The best model so far; `undefined` if training stopped before the first step. */
  readonly model: M | undefined;

  constructor(code: ErrorCode, message: string, model: M | undefined, options: RecurraErrorOptions = {}) {
    super(code, message, options);
    this.model = model;
  }
}

/** The error of a training that was aborted before there was a model. */
export function abortedBefore(cause: unknown): TrainingError {
  const { code, message } = aborted('the training, before its first step,');
  return new TrainingError(code, message, undefined, { cause });
}
