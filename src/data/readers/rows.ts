import { counted } from '../../core/counted.js';
import { DataError, type FilePosition, type RecurraError } from '../../core/errors.js';
import type { TextSpan } from '../../text/tags/textSpans.js';
import type { RowColumns } from './columns.js';

/** A text with its labels, as passed to `TextClassifier.train`, {@link encodeDataset} and {@link collect}. */
export interface Row {
  /** The text. */
  text: string;
  /**
   * Its label, not empty. With `multiLabel: true` it may be an array of any number of labels, including none; otherwise
   * an array must have exactly one.
   */
  label: string | readonly string[];
  /**
   * What the row belongs to, such as a customer or a thread: rows of the same group stay on one side when validation
   * rows are split off. Default: the row is a separate group.
   */
  group?: string | number | undefined;
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
  /** The values of the columns that the option `keep` of `readTexts` names, by the names of the columns. */
  kept?: Readonly<Record<string, unknown>> | undefined;
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
  /** Path of the file that messages name; undefined for several files. */
  readonly file?: string | undefined;
  /** Paths of the files, if there are several. */
  readonly files?: readonly string[] | undefined;
  /** Of several files the one that a row of the last iteration comes from, by the number of the row, from 1. */
  readonly fileOf?: ((row: number) => string | undefined) | undefined;
  /** The columns that the rows are read from, which a trained model keeps. */
  readonly columns?: RowColumns | undefined;
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
    files: { get: () => from.files },
    fileOf: { get: () => from.fileOf },
    columns: { get: () => from.columns },
    skipped: { get: () => from.skipped },
    firstSkipped: { get: () => from.firstSkipped },
    whySkipped: { get: () => from.whySkipped },
    emptyCells: { get: () => from.emptyCells },
    warnings: { get: () => from.warnings },
  });
}

/**
 * The file that a row comes from, if it is known.
 *
 * @param row - The number of the row, from 1.
 *
 * @internal
 */
export function fileOfRow({ file, fileOf }: RowsOrigin, row: number): string | undefined {
  return fileOf ? fileOf(row) : file;
}

/**
 * Where a row is, for an error about it.
 *
 * @param row - The number of the row, from 1.
 * @param line - Its line, if known.
 *
 * @internal
 */
export function positionOf(origin: RowsOrigin, row: number, line: number | undefined): FilePosition {
  return { file: fileOfRow(origin, row), line };
}

/**
 * Where a row is, in words: its line, and its file if there are several.
 *
 * @param row - The number of the row, from 1.
 * @param line - Its line, if known.
 *
 * @internal
 */
export function placeInWords(origin: RowsOrigin, row: number, line: number | undefined): string {
  const place = line === undefined ? `row ${row}` : `line ${line}`;
  return origin.fileOf ? `${place} of ${fileOfRow(origin, row) ?? 'a stream'}` : place;
}

/**
 * The names of the files that rows come from, for a sentence about all of them.
 *
 * @internal
 */
export function filesInWords({ file, files }: RowsOrigin): string | undefined {
  if (file !== undefined || files === undefined || files.length === 0) return file;
  return files.length <= 3 ? new Intl.ListFormat('en-GB').format(files) : `${files.length} files`;
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
export type Tokens = Pick<TaggedTokens, 'tokens' | 'line'> & Pick<UnlabelledText, 'kept'>;

/** A text with labelled parts. */
export interface SpannedText {
  /** The text. */
  text: string;
  /** Its parts, in order, non-empty and without overlaps. */
  spans: readonly TextSpan[];
  /** Line of the file, from 1, if known; used in messages. */
  line?: number | undefined;
}
