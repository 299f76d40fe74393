import { BYTE_SIZE, byteSize } from '../core/byteSize.js';
import { invalidArgument } from '../core/errors.js';
import { callback, custom, integer, number } from '../core/options/kinds.js';
import { option, type TableOf } from '../core/options/table.js';
import type { TuningEvent } from './events.js';
import type { TuningMetric } from './score.js';

/** What ends a search for settings, and what it goes by. */
export interface TuningOptions {
  /**
   * Minutes that the search may take, with the training of the winner on all rows, as far as that can be estimated. How many settings are tried then
   * depends on the machine. Above 0. Default 10; no limit with `trials`.
   */
  minutes?: number;
  /**
   * Settings that are tried at most, the two baselines included: with it and without `minutes`, the same rows and seed give the same model on
   * every machine of one kind. An integer from 2 to 10,000. Default: as many as there is time for, 81 at most.
   */
  trials?: number;
  /**
   * Bytes that the model's file may have, from 50,000 on: settings with which it would be larger get fewer words and n-grams, or are not
   * tried. Default: no limit.
   */
  maxSize?: number;
  /**
   * What is to become large: `'accuracy'` (with `multiLabel` the share of rows whose labels are exactly right), `'macroF1'`, the mean of the labels' F1, or
   * `'f1:LABEL'`, the F1 of one label. Default `'accuracy'`.
   */
  metric?: TuningMetric;
  /** Called with everything that happens, as it happens. */
  onEvent?: (event: TuningEvent) => void;
}

/** Bytes below which no model fits. */
const LEAST_SIZE = 50_000;

const METRIC = "'accuracy', 'macroF1' or 'f1:LABEL'";
const SIZE = `bytes, from ${LEAST_SIZE} on`;

/** What `--max-size` says, in bytes. */
function typedSize(text: string): number {
  const bytes = byteSize(text);
  if (bytes === undefined) throw new Error(`Expected ${BYTE_SIZE}.`);
  return bytes;
}

/** The table of {@link TuningOptions}. */
export const SEARCH = {
  minutes: option(number({ above: 0, to: 100_000 }), {
    defaultText: '10; no limit with `trials`',
    flag: '<n>',
    help: 'minutes that everything may take, the training of the winner included',
  }),
  trials: option(integer(2, 10_000), {
    defaultText: 'as many as there is time for, 81 at most',
    flag: '<n>',
    help: 'settings to try at most; without `minutes` the result then depends on rows and seed alone',
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
      help: 'bytes that the file of the model may have',
      flagHelp: 'the most that the file of the model may have, such as 2MB',
      parse: typedSize,
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
      help: 'what is to become large: `accuracy`, `macroF1`, or `f1:LABEL` for the F1 of one label',
    },
  ),
  onEvent: option(callback<(event: TuningEvent) => void>(), { help: 'called with everything that happens' }),
} as const satisfies TableOf<TuningOptions>;

/** Minutes where neither they nor a number of trials is given. */
export const DEFAULT_MINUTES = 10;

/** Settings that are tried at most where no option says so: of more, the best is the luckiest. */
export const MOST_TRIALS = 81;
