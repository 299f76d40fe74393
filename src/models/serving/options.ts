import { integer, number } from '../../core/options/kinds.js';
import { checkNames, option, settingsOf, type TableOf } from '../../core/options/table.js';

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

/** The table of {@link ServingOptions}. */
export const SERVING = {
  maxBatch: option(integer(1), { default: 1_024, flag: '<n>', help: 'most texts that are computed together' }),
  maxWait: option(number({ from: 0, to: 60_000 }, 'milliseconds from 0 to 60000'), {
    default: 0,
    flag: '<ms>',
    help: 'milliseconds for which an idle model waits for more texts',
    guide: 'milliseconds for which an idle model waits for more texts; worth it for large models only',
  }),
  maxQueue: option(integer(1), {
    default: 10_000,
    flag: '<n>',
    help: 'texts that may wait before requests are refused',
    guide: 'texts that may wait; a call of `predictMany` counts with those of one batch',
  }),
} as const satisfies TableOf<ServingOptions>;

/** What holds where nothing is set. */
export const DEFAULTS: Required<ServingOptions> = settingsOf(SERVING, {});

/** Checks serving options and fills in what is not given from `before`. */
export function servingSettings(options: ServingOptions, before: Required<ServingOptions>): Required<ServingOptions> {
  checkNames('setServing', options, SERVING);
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return settingsOf(SERVING, { ...before, ...Object.fromEntries(given) });
}
