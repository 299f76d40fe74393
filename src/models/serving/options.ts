import { checkOptionNames, invalidArgument } from '../../core/errors.js';

/** Options of {@link TextClassifier.setServing}: how calls of `predict` and `predictMany` share the model. */
export interface ServingOptions {
  /** Most texts that are computed together; an integer from 1. Default: 1,024. */
  maxBatch?: number;
  /**
   * How many milliseconds an idle model waits for more texts before it computes fewer than `maxBatch`. Default: 0. Texts
   * that come while the model computes are computed together in any case; waiting on top of that makes batches larger and
   * answers later, which pays only for large models.
   */
  maxWait?: number;
  /**
   * Texts that may wait; while so many do, new calls are refused with `OVERLOADED`. A call of `predictMany` counts with the
   * texts of one batch at most, and one that was let in is never refused later. An integer from 1. Default: 10,000.
   */
  maxQueue?: number;
}

/** What the calls of a model are doing, in {@link TextClassifier.serving}. */
export interface ServingState extends Required<ServingOptions> {
  /** Texts that wait now, counted as for `maxQueue`. */
  readonly waiting: number;
  /** Texts that are being computed now. */
  readonly running: number;
  /** Texts answered since the model was made. */
  readonly texts: number;
  /** Batches computed; a text that was computed at once, by itself, counts as one. */
  readonly batches: number;
  /** Calls refused with `OVERLOADED`. */
  readonly refused: number;
}

/** What holds where nothing is set. */
export const DEFAULTS: Required<ServingOptions> = { maxBatch: 1_024, maxWait: 0, maxQueue: 10_000 };

/** Checks serving options and fills in what is not given from `before`. */
export function servingSettings(options: ServingOptions, before: Required<ServingOptions>): Required<ServingOptions> {
  checkOptionNames('setServing', options, ['maxBatch', 'maxWait', 'maxQueue']);
  const settings = { ...before };
  for (const name of ['maxBatch', 'maxQueue'] as const) {
    const value = options[name];
    if (value === undefined) continue;
    if (!Number.isSafeInteger(value) || value < 1) throw invalidArgument(name, 'an integer from 1', value);
    settings[name] = value;
  }
  const { maxWait } = options;
  if (maxWait !== undefined) {
    if (typeof maxWait !== 'number' || !(maxWait >= 0 && maxWait <= 60_000)) {
      throw invalidArgument('maxWait', 'milliseconds from 0 to 60000', maxWait);
    }
    settings.maxWait = maxWait;
  }
  return settings;
}
