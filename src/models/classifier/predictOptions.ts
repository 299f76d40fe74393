import { flag, integer, number, signal } from '../../core/options/kinds.js';
import { checkNames, option, settingsOf, type TableOf } from '../../core/options/table.js';

/** Options of {@link TextClassifier.predict} and {@link TextClassifier.predictMany}. */
export interface PredictOptions {
  /** Number of most probable labels listed in each prediction. Default: all. */
  topK?: number;
  /** Stops the call: pending work is discarded, and the call rejects with `ABORTED`. */
  signal?: AbortSignal;
  /**
   * Whether to find out for each text if it is unlike those of the training, see {@link Prediction.outOfScope}. Only a model that was trained with
   * validation rows, 20 at least, can tell. It takes about twice the time. Default `false`.
   */
  outOfScope?: boolean;
  /** With it a prediction may have no label: see {@link Caution}. */
  minProbability?: undefined;
  /** With it a prediction may have no label: see {@link Caution}. */
  precision?: undefined;
}

/** When a prediction has no label, because the model is not sure enough. Of both options the stricter one holds. */
export interface Caution {
  /**
   * Minimum probability of a label. Below it, `label` is `null` and `labels` is empty; `classes` still lists the most
   * probable ones. From 0 to 1. Default 0.
   */
  minProbability?: number | undefined;
  /**
   * The share of the given labels that are to be right: gives no label whose probability is below the threshold that reached this precision on the
   * validation rows of the training, see {@link TextClassifier.thresholdFor}. Above 0, at most 1. Default: none.
   */
  precision?: number | undefined;
}

/** {@link PredictOptions} with which a prediction may have no label, because the model is not sure enough: at least one of {@link Caution}. */
export type CautiousOptions = Omit<PredictOptions, keyof Caution> &
  Caution &
  (
    | {
        /** See {@link Caution.minProbability}. */
        minProbability: number | undefined;
      }
    | {
        /** See {@link Caution.precision}. */
        precision: number | undefined;
      }
  );

/** A share of answers that are to be right. */
export const PRECISION = number({ above: 0, to: 1 });

/** The table of {@link CautiousOptions}. */
export const PREDICT = {
  topK: option(integer(1), { defaultText: 'all', help: 'labels to list for each text' }),
  minProbability: option(number({ from: 0, to: 1 }), {
    default: 0,
    flag: '<share>',
    help: 'minimum probability of a label; below it, the label is `null`',
    flagHelp: 'for classifiers: minimum probability of a label; below it, there is none (label null with --json)',
  }),
  precision: option(PRECISION, {
    flag: '<share>',
    help: 'give no label below the threshold that reached this precision on the validation rows of the training: `null` in its place',
    flagHelp:
      'of a classifier: give no label below the threshold that reached this precision on validation (label null with --json)',
  }),
  outOfScope: option(flag, {
    default: false,
    flag: '',
    help: 'whether to find out for each text if it is unlike those of the training',
    flagHelp: 'of a classifier: say which texts are unlike those of the training (outOfScope with --json)',
  }),
  signal: option(signal, { help: 'stops the call when it is aborted' }),
} as const satisfies TableOf<CautiousOptions>;

/**
 * Checks options of a prediction and fills in the defaults.
 *
 * @param labels - Number of labels of the model.
 * @throws ArgumentError for an invalid option.
 */
export function predictSettings(options: PredictOptions | CautiousOptions, labels: number) {
  checkNames('predict', options, PREDICT);
  const { topK = labels, ...rest } = settingsOf(PREDICT, options);
  return { topK, ...rest };
}
