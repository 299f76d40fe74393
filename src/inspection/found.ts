import { splitsPair } from '../text/surrogates.js';

/** Where a row is. */
export interface RowPlace {
  /** Number of the row, from 1. */
  row: number;
  /** Line of the file where it begins, from 1, if known. */
  line?: number | undefined;
  /** The file, if the rows come from several. */
  file?: string | undefined;
}

/** A row as shown in a report. */
export interface RowShown extends RowPlace {
  /** Its labels; undefined for data without labels. */
  labels?: readonly string[] | undefined;
  /** Beginning of its text. */
  text: string;
}

/** A count of rows, with examples. */
export interface Found<Example = RowShown> {
  /** Number of rows. */
  rows: number;
  /** The first rows. */
  examples: Example[];
}

/** Maximum code units of a text in a report. */
const SHOWN = 120;

/**
 * The beginning of a text, cut between characters.
 *
 * @internal
 */
export function beginning(text: string, most = SHOWN): string {
  if (text.length <= most) return text;
  return `${text.slice(0, splitsPair(text, most) ? most - 1 : most)}…`;
}

/**
 * The position of a row, as a prefix for a message; empty if the error names its line anyway.
 *
 * @internal
 */
export function placeOf(row: number, { line }: { line?: number | undefined }): string {
  return line === undefined ? `row ${row}: ` : '';
}

/**
 * Counts rows and keeps the first.
 *
 * @internal
 */
export class Finding<Example = RowShown> {
  readonly #most: number;
  readonly #found: Found<Example> = { rows: 0, examples: [] };

  constructor(most: number) {
    this.#most = most;
  }

  /** Counts a row; `example` is called only for rows that are shown. */
  add(example: () => Example): void {
    this.#found.rows++;
    if (this.#found.examples.length < this.#most) this.#found.examples.push(example());
  }

  /** What was counted so far. */
  get found(): Found<Example> {
    return this.#found;
  }
}
