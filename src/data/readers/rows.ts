import { counted } from '../../core/counted.js';
import { DataError, type RecurraError } from '../../core/errors.js';
import type { TextSpan } from '../../text/tags/textSpans.js';

/** A text with its labels, as passed to `TextClassifier.train`, {@link encodeDataset} and {@link collect}. */
export interface Row {
  /** The text. */
  text: string;
  /**
   * Its label, not empty. With `multiLabel: true` it may be an array of any number of labels, including none; otherwise
   * an array must have exactly one.
   */
  label: string | readonly string[];
  /** Line of the file where the row begins, from 1, if known; used in messages. */
  line?: number | undefined;
}

/** A text with exactly one label. */
export interface LabelledText extends Row {
  /** Its label. */
  label: string;
}

/** A text without a label, for prediction. */
export interface UnlabelledText {
  /** The text. */
  text: string;
  /** Line of the file where the row begins, from 1, if known; used in messages. */
  line?: number | undefined;
}

/** A source with its target, as passed to `Seq2Seq.train`. */
export interface Pair {
  /** The text to read. */
  source: string;
  /** The text to write. */
  target: string;
  /** Further correct targets: training learns each of them, and in an evaluation any of them is correct. */
  references?: readonly string[] | undefined;
  /** Line of the file where the pair begins, from 1, if known; used in messages. */
  line?: number | undefined;
}

/** A label as callers may give it: numbers and booleans become text as JavaScript writes them, `1` and `true`. */
export type LabelValue = string | number | bigint | boolean;

/** A {@link Row} whose labels need not be text. */
export interface GivenRow extends Omit<Row, 'label'> {
  /** Like {@link Row.label}; numbers and booleans become text as JavaScript writes them. */
  label: LabelValue | readonly LabelValue[];
}

/** Where rows come from, and what their reader reported. */
export interface RowsOrigin {
  /** Path of the file that messages name. */
  readonly file?: string | undefined;
  /** Number of rows skipped so far. */
  readonly skipped?: number | undefined;
  /** Why the first of them was skipped. */
  readonly firstSkipped?: RecurraError | undefined;
  /** Why the first ten of them were skipped. */
  readonly whySkipped?: readonly RecurraError[] | undefined;
  /** With several columns of text: rows in which a column is empty, by column. */
  readonly emptyCells?: ReadonlyMap<string, number> | undefined;
  /** Data that may be misread. */
  readonly warnings?: readonly RecurraError[] | undefined;
}

/**
 * Texts with labels: an array, a generator, or a reader such as {@link readCsv} that yields them as it reads. A reader
 * may have `file`, the path for messages.
 */
export type Rows = (Iterable<GivenRow> | AsyncIterable<GivenRow>) & RowsOrigin;

/** Pairs: an array, a generator, or a reader such as {@link readPairs} that yields them as it reads. */
export type Pairs = (Iterable<Pair> | AsyncIterable<Pair>) & RowsOrigin;

/**
 * Rows with the origin of other rows.
 *
 * @internal
 */
export function withOrigin<R extends object>(rows: R, from: RowsOrigin): R & RowsOrigin {
  return Object.defineProperties(rows, {
    file: { get: () => from.file },
    skipped: { get: () => from.skipped },
    firstSkipped: { get: () => from.firstSkipped },
    whySkipped: { get: () => from.whySkipped },
    emptyCells: { get: () => from.emptyCells },
    warnings: { get: () => from.warnings },
  });
}

/**
 * How many rows were skipped, in words.
 *
 * @internal
 */
export function skippedRows(skipped: number, of = ''): string {
  return `${counted(skipped)}${of} ${skipped === 1 ? 'is invalid and was' : 'are invalid and were'} skipped`;
}

/**
 * The error for an empty set of rows.
 *
 * @param message - The whole sentence.
 *
 * @internal
 */
export function noRows(message: string, { file, skipped = 0, firstSkipped }: RowsOrigin): DataError {
  const left = skipped > 0 ? `; ${skippedRows(skipped)}, the first because: ${firstSkipped?.message}` : '';
  return new DataError('EMPTY_DATASET', message + left, { file });
}

/** The tokens of a sentence with a tag for each. */
export interface TaggedTokens {
  /** The tokens. */
  tokens: readonly string[];
  /** The tags, one per token. */
  tags: readonly string[];
  /** Line of the first token, from 1, if known; used in messages. */
  line?: number | undefined;
}

/** The tokens of a sentence, for prediction. */
export type Tokens = Pick<TaggedTokens, 'tokens' | 'line'>;

/** A text with labelled parts. */
export interface SpannedText {
  /** The text. */
  text: string;
  /** Its parts, in order, non-empty and without overlaps. */
  spans: readonly TextSpan[];
  /** Line of the file, from 1, if known; used in messages. */
  line?: number | undefined;
}
