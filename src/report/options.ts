import { invalidArgument } from '../core/errors.js';
import { callback, choice, custom, flag, integer, signal, text } from '../core/options/kinds.js';
import { option, type TableOf } from '../core/options/table.js';
import type { OnUnknownLabel } from '../models/unknownLabels.js';

/** Progress of a report. */
export interface ReportProgress {
  /** The current stage: measuring rows, drawing intervals, explaining mistakes, judging labels with other models. */
  stage: 'measuring' | 'intervals' | 'explaining' | 'judging';
  /** Finished rows, resamples, texts, or parts. */
  done: number;
}

/** Options of {@link reportModel}. */
export interface ReportOptions {
  /** Name of a property of the rows to group results by; {@link withColumn} adds one to the rows of a file. */
  by?: string;
  /**
   * Maximum texts in the report, for the cells of the confusion matrix. An integer from 0 to 100,000, default 2,000.
   */
  texts?: number;
  /** Number of most confident mistakes to explain. An integer from 0 to 1,000, default 30. */
  mistakes?: number;
  /** Number of bootstrap resamples for the intervals. An integer from 100 to 100,000, default 1,000. */
  resamples?: number;
  /** Seed of the sample of texts and of the bootstrap. An integer of at least 0, default 0. */
  seed?: number;
  /**
   * Whether labels are judged by models that have not seen them, which trains models on the rows
   * ({@link findDoubtfulRows}) and reads rows twice. Otherwise they are judged by the model itself. Default `false`.
   */
  labels?: boolean;
  /**
   * Events of the training, such as those of `onEvent` or the JSON lines of `recurra train --json`: adds curves within
   * epochs, and times.
   */
  events?: readonly object[];
  /**
   * What to do with a label that the model does not have: throw, or with `'wrong'` count it as wrong. Default
   * `'error'`.
   */
  unknownLabels?: OnUnknownLabel;
  /** Stops the work with an error of code `ABORTED`. */
  signal?: AbortSignal;
  /** Called regularly. */
  onProgress?: (progress: ReportProgress) => void;
}

const EVENTS = 'an array of events';

/** The table of {@link ReportOptions}. */
export const REPORT = {
  by: option(text('the name of a property of the rows'), {
    defaultText: 'none',
    flag: '<column>',
    help: 'also group results by this column',
  }),
  texts: option(integer(0, 100_000), { default: 2_000, flag: '<n>', help: 'maximum texts in the report' }),
  mistakes: option(integer(0, 1_000), {
    default: 30,
    flag: '<n>',
    help: 'number of most confident mistakes to explain',
  }),
  resamples: option(integer(100, 100_000), {
    default: 1_000,
    flag: '<n>',
    help: 'number of bootstrap resamples for the intervals',
  }),
  seed: option(integer(0), { default: 0, flag: '<n>', help: 'seed of the sample of texts and of the bootstrap' }),
  labels: option(flag, {
    default: false,
    flag: '',
    help: 'judge labels by models that have not seen them, which trains models on the rows',
  }),
  events: option(
    custom<readonly object[]>(EVENTS, (name, value) => {
      if (!Array.isArray(value)) throw invalidArgument(name, EVENTS, value);
      return value as readonly object[];
    }),
    { defaultText: 'none', help: 'events of the training: add curves within epochs, and times' },
  ),
  unknownLabels: option(choice(['error', 'wrong'] as const), {
    default: 'error',
    flag: '<what>',
    help: 'what to do with labels that the model does not have: an error, or count them as wrong',
  }),
  signal: option(signal, { help: 'stops the work when it is aborted' }),
  onProgress: option(callback<(progress: ReportProgress) => void>(), { help: 'called regularly' }),
} as const satisfies TableOf<ReportOptions>;
