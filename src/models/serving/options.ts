import { integer, number } from '../../core/options/kinds.js';
import { checkNames, option, settingsOf, type TableOf } from '../../core/options/table.js';

/** Options of {@link TextClassifier.setServing}: how calls of `predict` and `predictMany` share the model. */
export interface ServingOptions {
  /** Maximum texts in a batch; an integer of at least 1. Default: 1,024. */
  maxBatch?: number;
  /**
   * Milliseconds that an idle model waits for more texts before it computes fewer than `maxBatch`. Default: 0. Texts
   * that arrive during a computation are batched anyway; additional waiting makes batches larger and answers slower,
   * which pays off only for large models.
   */
  maxWait?: number;
  /**
   * Maximum waiting texts; beyond that, new calls are refused with `OVERLOADED`. A call of `predictMany` counts with at
   * most one batch of texts, and an accepted call is never refused later. An integer of at least 1. Default: 10,000.
   */
  maxQueue?: number;
}

/** State of a model's calls, in {@link TextClassifier.serving}. */
export interface ServingState extends Required<ServingOptions> {
  /** Texts waiting, counted as for `maxQueue`. */
  readonly waiting: number;
  /** Texts being computed. */
  readonly running: number;
  /** Texts answered since the model was made. */
  readonly texts: number;
  /** Batches computed; a text computed alone counts as one. */
  readonly batches: number;
  /** Calls refused with `OVERLOADED`. */
  readonly refused: number;
}

/** The table of {@link ServingOptions}. */
export const SERVING = {
  maxBatch: option(integer(1), { default: 1_024, flag: '<n>', help: 'maximum texts in a batch' }),
  maxWait: option(number({ from: 0, to: 60_000 }, 'milliseconds from 0 to 60000'), {
    default: 0,
    flag: '<ms>',
    help: 'milliseconds that an idle model waits for more texts',
    guide: 'milliseconds that an idle model waits for more texts; pays off for large models only',
  }),
  maxQueue: option(integer(1), {
    default: 10_000,
    flag: '<n>',
    help: 'maximum waiting texts before requests are refused',
    guide: 'maximum waiting texts; a call of `predictMany` counts with at most one batch',
  }),
} as const satisfies TableOf<ServingOptions>;

/** The defaults. */
export const DEFAULTS: Required<ServingOptions> = settingsOf(SERVING, {});

/** Checks serving options; options that are not given are taken from `before`. */
export function servingSettings(options: ServingOptions, before: Required<ServingOptions>): Required<ServingOptions> {
  checkNames('setServing', options, SERVING);
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return settingsOf(SERVING, { ...before, ...Object.fromEntries(given) });
}
