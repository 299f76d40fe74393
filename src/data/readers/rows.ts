import { DataError, type RecurraError } from '../../core/errors.js';
import type { TextSpan } from '../../text/tags/textSpans.js';

/** A text with its classes, as it is given to `TextClassifier.train`, {@link encodeDataset} and {@link collect}. */
export interface Row {
  /** The text as it was written. */
  text: string;
  /**
   * Name of its class, not empty. With the option `multiLabel: true` it may be an array of any number of names, none included;
   * without it an array must have exactly one.
   */
  label: string | readonly string[];
  /** Line of the file where the row begins, from 1, if it comes from a file; used in messages. */
  line?: number | undefined;
}

/** A text and the one class it belongs to. */
export interface LabelledText extends Row {
  /** Name of its class. */
  label: string;
}

/** A text without a class, for prediction. */
export interface UnlabelledText {
  /** The text as it was written. */
  text: string;
  /** Line of the file where the row begins, from 1, if it comes from a file; used in messages. */
  line?: number | undefined;
}

/** A source with what is to be written for it, as it is given to `Seq2Seq.train`. */
export interface Pair {
  /** What is read. */
  source: string;
  /** What is to be written. */
  target: string;
  /** Further right answers: a training learns each, and when a model is measured any of them is right. */
  references?: readonly string[] | undefined;
  /** Line of the file where the pair begins, from 1, if it comes from a file; used in messages. */
  line?: number | undefined;
}

/** A label as it may be given: numbers and booleans become text as JavaScript writes them, `1` and `true`. */
export type LabelValue = string | number | bigint | boolean;

/** A {@link Row} whose labels need not be text. */
export interface GivenRow extends Omit<Row, 'label'> {
  /** As {@link Row.label}; numbers and booleans become text as JavaScript writes them. */
  label: LabelValue | readonly LabelValue[];
}

/** Where rows come from, and what a reader noted of them. */
export interface RowsOrigin {
  /** Path of the file that messages name. */
  readonly file?: string | undefined;
  /** Number of rows that were left out so far. */
  readonly skipped?: number | undefined;
  /** Why the first of them was left out. */
  readonly firstSkipped?: RecurraError | undefined;
  /** What may be read otherwise than meant. */
  readonly warnings?: readonly RecurraError[] | undefined;
}

/**
 * Texts with their classes: an array, a generator, or a reader such as {@link readCsv} that gives them as it reads.
 * A reader may have `file`, the path that messages name.
 */
export type Rows = (Iterable<GivenRow> | AsyncIterable<GivenRow>) & RowsOrigin;

/** Pairs: an array, a generator, or a reader such as {@link readPairs} that gives them as it reads. */
export type Pairs = (Iterable<Pair> | AsyncIterable<Pair>) & RowsOrigin;

/**
 * Rows that say the same of where they come from as others do.
 *
 * @internal
 */
export function withOrigin<R extends object>(rows: R, from: RowsOrigin): R & RowsOrigin {
  return Object.defineProperties(rows, {
    file: { get: () => from.file },
    skipped: { get: () => from.skipped },
    firstSkipped: { get: () => from.firstSkipped },
    warnings: { get: () => from.warnings },
  });
}

/**
 * The error for rows of which there are none.
 *
 * @param message - The whole sentence.
 *
 * @internal
 */
export function noRows(message: string, { file, skipped = 0, firstSkipped }: RowsOrigin): DataError {
  const left =
    skipped > 0 ? `; ${skipped} rows do not fit and were left out, the first because: ${firstSkipped?.message}` : '';
  return new DataError('EMPTY_DATASET', message + left, { file });
}

/** The tokens of a sentence with a tag for each. */
export interface TaggedTokens {
  /** The tokens as they were written. */
  tokens: readonly string[];
  /** As many tags. */
  tags: readonly string[];
  /** Line of the first token, from 1, if the sentence comes from a file; used in messages. */
  line?: number | undefined;
}

/** The tokens of a sentence, for prediction. */
export type Tokens = Pick<TaggedTokens, 'tokens' | 'line'>;

/** A text with labelled parts. */
export interface SpannedText {
  /** The text as it was written. */
  text: string;
  /** Its parts, in order; none overlaps another or is empty. */
  spans: readonly TextSpan[];
  /** Line of the file, from 1, if the text comes from a file; used in messages. */
  line?: number | undefined;
}
