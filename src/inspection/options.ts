import { invalidArgument } from '../core/errors.js';
import { callback, choice, custom, integer, number, signal, text } from '../core/options/kinds.js';
import { option, type TableOf } from '../core/options/table.js';
import type { GivenRow, RowsOrigin, UnlabelledText } from '../data/readers/rows.js';
import type { OnUnknownLabel } from '../models/unknownLabels.js';
import { TOKENIZER_NAMES, type TokenizerName } from '../text/names.js';

/** Texts with or without labels: an array, a generator, or a reader. */
export type InspectedRows = (Iterable<GivenRow | UnlabelledText> | AsyncIterable<GivenRow | UnlabelledText>) &
  RowsOrigin;

/** Options of {@link inspectRows}. */
export interface InspectOptions {
  /** Rows that a model of these rows will be measured on: reports texts that appear in both. */
  against?: InspectedRows;
  /** File of word vectors (GloVe or word2vec): how many of the words it has. */
  embeddings?: string;
  /** How texts are split to count their tokens. Default: chosen by script, as in training. */
  tokenizer?: TokenizerName;
  /** Texts with at least this many tokens count as long. An integer of at least 1, default 400. */
  maxLength?: number;
  /** Minimum Jaccard similarity of character 5-grams for near duplicates: above 0 and at most 1, default 0.8. */
  similarity?: number;
  /**
   * Maximum distinct texts that others are compared with for near duplicates; each takes about 1 KB. An integer of at
   * least 0, default 200,000; 0 turns the search off.
   */
  nearRows?: number;
  /** Maximum rows shown per finding. An integer from 0 to 1,000,000, default 5. */
  examples?: number;
  /** Stops the work with an error of code `ABORTED`. */
  signal?: AbortSignal;
  /** Called every few milliseconds with the number of rows read so far. */
  onProgress?: (progress: { rows: number }) => void;
}

/** The kind of the rows option. */
export const INSPECTED = custom<InspectedRows>('rows: an array, an iterable, or a reader', (name, value) => {
  const rows = Object(value) as Partial<Iterable<unknown> & AsyncIterable<unknown>>;
  if (typeof value === 'string' || !(rows[Symbol.iterator] ?? rows[Symbol.asyncIterator]))
    throw invalidArgument(name, INSPECTED.expected, value);
  return value as InspectedRows;
});

/** Maximum of the option `examples`. */
export const MOST_EXAMPLES = 1_000_000;

/** The table of {@link InspectOptions}. */
export const INSPECT = {
  against: option(INSPECTED, { help: 'rows that a model will be measured on' }),
  embeddings: option(text('the path of a file of word vectors'), {
    flag: '<file>',
    help: 'file of word vectors; the report says how many of the words it has',
  }),
  tokenizer: option(choice(TOKENIZER_NAMES), {
    flag: '<name>',
    help: 'how texts are split to count their tokens',
    defaultText: 'basic_english; unicode_words for scripts without spaces between words',
  }),
  maxLength: option(integer(1, 2 ** 31 - 1), {
    default: 400,
    flag: '<n>',
    help: 'texts with at least this many tokens count as long',
  }),
  similarity: option(number({ above: 0, to: 1 }), {
    default: 0.8,
    flag: '<share>',
    help: 'minimum similarity of near duplicates, by character 5-grams',
  }),
  nearRows: option(integer(0, 10_000_000), {
    default: 200_000,
    flag: '<n>',
    help: 'maximum texts that others are compared with for near duplicates',
  }),
  examples: option(integer(0, MOST_EXAMPLES), { default: 5, flag: '<n>', help: 'rows shown per finding' }),
  signal: option(signal, { help: 'stops the work when it is aborted' }),
  onProgress: option(callback<(progress: { rows: number }) => void>(), {
    help: 'called with the number of rows read so far',
  }),
} as const satisfies TableOf<InspectOptions>;

/** Options of {@link findDoubtfulRows}. */
export interface DoubtOptions {
  /** Number of parts; each is judged by a model trained on the others. An integer of at least 2, default 5. */
  folds?: number;
  /** Seed of the assignment of rows to parts. An integer of at least 0, default 0. */
  seed?: number;
  /** Threads of each training. An integer of at least 1; default as for training. */
  threads?: number;
  /** Stops the work with an error of code `ABORTED`. */
  signal?: AbortSignal;
  /** Called before each part and at the end with the number of finished parts. */
  onProgress?: (progress: { fold: number; folds: number }) => void;
}

/** The table of {@link DoubtOptions}. */
export const DOUBT = {
  folds: option(integer(2, 1_000), {
    default: 5,
    flag: '<n>',
    help: 'with --labels: parts, each judged by a model of the others',
    guide: 'parts of the rows, each judged by a model of the others',
  }),
  seed: option(integer(0), {
    default: 0,
    flag: '<n>',
    help: 'with --labels: seed of the assignment of rows to parts',
    guide: 'seed of the assignment of rows to parts',
  }),
  threads: option(integer(1, 1_024), {
    defaultText: 'the number of processors',
    flag: '<n>',
    help: 'with --labels: threads of each training',
    guide: 'threads of each training',
  }),
  signal: option(signal, { help: 'stops the work when it is aborted' }),
  onProgress: option(callback<(progress: { fold: number; folds: number }) => void>(), {
    help: 'called with the number of finished parts',
  }),
} as const satisfies TableOf<DoubtOptions>;

/** Options of {@link compareModels}. */
export interface CompareOptions {
  /** Maximum rows shown that only one model labels correctly. An integer of at least 0, default 5. */
  examples?: number;
  /**
   * What to do with a label that a model does not have: throw, or with `'wrong'` count it as wrong. Default `'error'`.
   */
  unknownLabels?: OnUnknownLabel;
  /** Stops the work with an error of code `ABORTED`. */
  signal?: AbortSignal;
}

/** The table of {@link CompareOptions}. */
export const COMPARE = {
  examples: option(integer(0, MOST_EXAMPLES), {
    default: 5,
    flag: '<n>',
    help: 'rows shown that only one model labels correctly',
  }),
  unknownLabels: option(choice(['error', 'wrong'] as const), {
    default: 'error',
    flag: '<what>',
    help: 'what to do with labels that a model does not have: an error, or count them as wrong',
  }),
  signal: option(signal, { help: 'stops the work when it is aborted' }),
} as const satisfies TableOf<CompareOptions>;
