import { note } from '../core/terminal.js';
import {
  type ReadRowsOptions,
  type ReadTextsOptions,
  readRows,
  readTexts,
  type TextFormat,
} from '../data/readers/readRows.js';
import type { Row, UnlabelledText } from '../data/readers/rows.js';
import type { FileRows } from '../data/readers/source.js';

/** The flags that say where a file's texts are and how it is written. */
export interface TextFlags {
  format?: TextFormat;
  text?: string[];
  delimiter?: string;
  header?: boolean;
  skipBadRows?: boolean;
}

/** The flags that say where a file's texts and labels are and how it is written. */
export interface RowFlags extends TextFlags {
  format?: Exclude<TextFormat, 'lines'>;
  label?: string;
  labelSeparator?: string;
}

/** A column as it was typed: digits mean its number, counted from 1. */
function column(typed: string): string | number {
  return /^[1-9]\d*$/.test(typed) ? Number(typed) : typed;
}

/** Turns the flags into the options of `readTexts`. */
function textOptions(flags: TextFlags): ReadTextsOptions {
  const { format, text, delimiter, header, skipBadRows } = flags;
  return {
    ...(format === undefined ? {} : { format }),
    ...(text === undefined ? {} : { text: text.map(column) }),
    ...(delimiter === undefined ? {} : { delimiter: delimiter === '\\t' ? '\t' : delimiter }),
    ...(header === undefined ? {} : { header }),
    ...(skipBadRows ? { onBadRow: 'skip' } : {}),
  };
}

/** Opens a file of labelled texts as the flags say. */
export function openRows(file: string, flags: RowFlags): FileRows<Row> {
  const { label, labelSeparator } = flags;
  const options = {
    ...textOptions(flags),
    ...(label === undefined ? {} : { label: column(label) }),
    ...(labelSeparator === undefined ? {} : { labelSeparator }),
  } as ReadRowsOptions;
  return readRows(file, options);
}

/** Opens a file of texts as the flags say. */
export function openTexts(file: string, flags: TextFlags): FileRows<UnlabelledText> {
  return readTexts(file, textOptions(flags));
}

/** Names of files that have fields. */
const WITH_FIELDS = /\.(csv|tsv|tab|jsonl|ndjson|jsonlines|json|parquet|pq)(\.(gz|gzip|zst|zstd))?$/i;

/**
 * Opens a file of texts beside that of the rows: by its name it has the same fields as the rows, else each line is a text. It may be
 * written otherwise than the rows are.
 */
export function openUnlabelled(file: string, { format: _, ...flags }: RowFlags): FileRows<UnlabelledText> {
  if (WITH_FIELDS.test(file)) return openTexts(file, flags);
  return readTexts(file, { format: 'lines' });
}

/** Says how many rows were left out, if any. */
export function noteSkipped(rows: FileRows<unknown>): void {
  if (rows.skipped > 0) note(`recurra: ${rows.skipped} rows of ${rows.file} do not fit and were left out`);
}
