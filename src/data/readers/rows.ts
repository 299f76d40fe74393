import type { TextSpan } from '../../text/tags/textSpans.js';

/** A text with its classes, as it is given to `TextClassifier.train`, {@link encodeDataset} and {@link collect}. */
export interface Row {
  /** The text as it was written. */
  text: string;
  /**
   * Name of its class. With the option `multiLabel: true` it may be an array of any number of names, none included; without
   * it an array must have exactly one.
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

/** Where rows come from. */
export interface RowsOrigin {
  /** Path of the file that messages name. */
  readonly file?: string | undefined;
}

/**
 * Texts with their classes: an array, a generator, or a reader such as {@link readCsv} that gives them as it reads.
 * A reader may have `file`, the path that messages name.
 */
export type Rows = (Iterable<Row> | AsyncIterable<Row>) & RowsOrigin;

/** The tokens of a sentence with a tag for each. */
export interface TaggedTokens {
  /** The tokens as they were written. */
  tokens: readonly string[];
  /** As many tags. */
  tags: readonly string[];
  /** Line of the first token, from 1, if the sentence comes from a file; used in messages. */
  line?: number | undefined;
}

/** A text with labelled parts. */
export interface SpannedText {
  /** The text as it was written. */
  text: string;
  /** Its parts, in order; none overlaps another or is empty. */
  spans: readonly TextSpan[];
  /** Line of the file, from 1, if the text comes from a file; used in messages. */
  line?: number | undefined;
}
