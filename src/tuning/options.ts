import { typedByteSize } from '../core/byteSize.js';
import { constraint, invalidArgument } from '../core/errors.js';
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
const DEFAULT_MINUTES = 10;

/** Settings that are tried at most where no option says so: of more, the best is the luckiest. */
export const MOST_TRIALS = 81;

/** The share of the rows that is held out where no option says it. */
export const HELD_SHARE = 0.2;

/** Training options that do not apply to a search, which holds out rows itself and trains many models. */
export type NotTuned =
  | 'checkpoint'
  | 'resume'
  | 'tensorboard'
  | 'patience'
  | 'onEvent'
  | 'onProgress'
  | 'validation'
  | 'signal';

/**
 * The given training options, which all settings have.
 *
 * @param table - The table of the training's options.
 */
export function fixedOptions<T extends object>(options: object, table: object): T {
  const own = new Set([...Object.keys(SEARCH), 'validation', 'signal', 'onProgress']);
  const given = Object.entries(options).filter(
    ([name, value]) => value !== undefined && Object.hasOwn(table, name) && !own.has(name),
  );
  return Object.fromEntries(given) as T;
}

/** Throws for sources that can be read only once. */
export function checkReadAgain(name: string, source: unknown): void {
  if (typeof source === 'object' && source !== null && typeof (source as { next?: unknown }).next === 'function')
    throw constraint(
      name,
      `${name} is read once for each training, which a generator cannot be; give an array or a file`,
    );
}

/** Whether a number of trials ends the search, not the time: the result then depends on rows and seed alone. */
export function isCounted({ trials, minutes }: TuningOptions): boolean {
  return trials !== undefined && minutes === undefined;
}

/**
 * Seconds that are left for a search; undefined without a limit.
 *
 * @param began - When it began, by `performance.now()`.
 */
export function secondsLeft(options: TuningOptions, began: number): number | undefined {
  if (isCounted(options)) return undefined;
  const { minutes = DEFAULT_MINUTES } = options;
  return Math.max(0, 60 * minutes - (performance.now() - began) / 1000);
}
