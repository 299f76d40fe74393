import { invalidArgument } from '../core/errors.js';
import { callback, choice, custom, flag, integer, signal, text } from '../core/options/kinds.js';
import { option, type TableOf } from '../core/options/table.js';
import type { OnUnknownLabel } from '../models/unknownLabels.js';

/** How far a report is. */
export interface ReportProgress {
  /** What is done: rows are measured, intervals are drawn, mistakes are explained, labels are judged by other models. */
  stage: 'measuring' | 'intervals' | 'explaining' | 'judging';
  /** What is done of it: rows, resamples, texts, or parts. */
  done: number;
}

/** Options of {@link reportModel}. */
export interface ReportOptions {
  /** Name of a property of the rows, by whose values results are also given; {@link withColumn} adds one to the rows of a file. */
  by?: string;
  /** Texts that the report holds, at most: those behind the cells of the confusion matrix. An integer from 0 to 100,000, default 2,000. */
  texts?: number;
  /** The most confident mistakes that are explained. An integer from 0 to 1,000, default 30. */
  mistakes?: number;
  /** How often rows are drawn for the intervals. An integer from 100 to 100,000, default 1,000. */
  resamples?: number;
  /** Decides which texts are shown and which rows are drawn. An integer of at least 0, default 0. */
  seed?: number;
  /**
   * Whether labels are judged by models that have not seen them, which trains models on the rows ({@link findDoubtfulRows}); rows are read twice then. Else they
   * are judged by the model itself. Default `false`.
   */
  labels?: boolean;
  /** Events of the training, such as those of `onEvent` or the JSON lines of `recurra train --json`: curves within epochs, and seconds. */
  events?: readonly object[];
  /** What to do with a label that the model does not have: end with an error, or with `'wrong'` count it as wrong. Default `'error'`. */
  unknownLabels?: OnUnknownLabel;
  /** Stops the work with an error of code `ABORTED`. */
  signal?: AbortSignal;
  /** Called from time to time. */
  onProgress?: (progress: ReportProgress) => void;
}

const EVENTS = 'an array of events';

/** The table of {@link ReportOptions}. */
export const REPORT = {
  by: option(text('the name of a property of the rows'), {
    defaultText: 'none',
    flag: '<column>',
    help: 'also give the results by the values of this column',
  }),
  texts: option(integer(0, 100_000), { default: 2_000, flag: '<n>', help: 'texts that the report holds, at most' }),
  mistakes: option(integer(0, 1_000), {
    default: 30,
    flag: '<n>',
    help: 'the most confident mistakes that are explained',
  }),
  resamples: option(integer(100, 100_000), {
    default: 1_000,
    flag: '<n>',
    help: 'how often rows are drawn for the intervals',
  }),
  seed: option(integer(0), { default: 0, flag: '<n>', help: 'decides which texts are shown and which rows are drawn' }),
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
    { defaultText: 'none', help: 'events of the training: curves within epochs, and seconds' },
  ),
  unknownLabels: option(choice(['error', 'wrong'] as const), {
    default: 'error',
    flag: '<what>',
    help: 'what to do with labels that the model does not have: an error, or count them as wrong',
  }),
  signal: option(signal, { help: 'stops the work when it is aborted' }),
  onProgress: option(callback<(progress: ReportProgress) => void>(), { help: 'called from time to time' }),
} as const satisfies TableOf<ReportOptions>;
