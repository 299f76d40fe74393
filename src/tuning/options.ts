import { typedByteSize } from '../core/byteSize.js';
import { invalidArgument } from '../core/errors.js';
import { callback, custom, integer, number } from '../core/options/kinds.js';
import { option, type TableOf } from '../core/options/table.js';
import type { TuningEvent } from './events.js';
import type { TuningMetric } from './score.js';

/** Limits and metric of a search for settings. */
export interface TuningOptions {
  /**
   * Time limit in minutes, including the estimated training of the winner on all rows. The number of tried settings
   * then depends on the machine. Above 0. Default 10; no limit with `trials`.
   */
  minutes?: number;
  /**
   * Maximum settings to try, including the two baselines. With it and without `minutes`, the same rows and seed give
   * the same model on every machine of one kind. An integer from 2 to 10,000. Default: as many as there is time for, at
   * most 81.
   */
  trials?: number;
  /**
   * Maximum size of the model's file in bytes, at least 50,000: larger settings get fewer words and n-grams, or are not
   * tried. Default: no limit.
   */
  maxSize?: number;
  /**
   * The metric to maximise: `'accuracy'` (with `multiLabel` the share of rows whose labels are exactly right),
   * `'macroF1'`, the mean of the labels' F1, or `'f1:LABEL'`, the F1 of one label. Default `'accuracy'`.
   */
  metric?: TuningMetric;
  /** Called with everything that happens, as it happens. */
  onEvent?: (event: TuningEvent) => void;
}

/** Minimum size of any model. */
const LEAST_SIZE = 50_000;

const METRIC = "'accuracy', 'macroF1' or 'f1:LABEL'";
const SIZE = `bytes, from ${LEAST_SIZE} on`;

/** The table of {@link TuningOptions}. */
export const SEARCH = {
  minutes: option(number({ above: 0, to: 100_000 }), {
    defaultText: '10; no limit with `trials`',
    flag: '<n>',
    help: 'time limit in minutes, including the training of the winner',
  }),
  trials: option(integer(2, 10_000), {
    defaultText: 'as many as there is time for, at most 81',
    flag: '<n>',
    help: 'settings to try at most; without `minutes`, the result only depends on rows and seed',
  }),
  maxSize: option(
    custom<number>(
      SIZE,
      (name, value) => {
        if (!Number.isSafeInteger(value) || (value as number) < LEAST_SIZE) throw invalidArgument(name, SIZE, value);
        return value as number;
      },
      'integer',
    ),
    {
      defaultText: 'no limit',
      flag: '<size>',
      help: 'maximum bytes of the model file',
      flagHelp: 'maximum size of the model file, such as 2MB',
      parse: typedByteSize,
    },
  ),
  metric: option(
    custom<TuningMetric>(METRIC, (name, value) => {
      if (value !== 'accuracy' && value !== 'macroF1' && !(typeof value === 'string' && /^f1:./s.test(value)))
        throw invalidArgument(name, METRIC, value);
      return value as TuningMetric;
    }),
    {
      default: 'accuracy',
      flag: '<name>',
      help: 'metric to maximise: `accuracy`, `macroF1`, or `f1:LABEL` for the F1 of one label',
    },
  ),
  onEvent: option(callback<(event: TuningEvent) => void>(), { help: 'called with everything that happens' }),
} as const satisfies TableOf<TuningOptions>;

/** Minutes where neither they nor a number of trials is given. */
export const DEFAULT_MINUTES = 10;

/** Settings that are tried at most where no option says so: of more, the best is the luckiest. */
export const MOST_TRIALS = 81;
