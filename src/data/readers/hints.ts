import { counted } from '../../core/counted.js';
import { listed } from '../../core/listed.js';
import { closest } from '../../core/options/names.js';
import type { Column } from './fields.js';
import { bareUtf16 } from './textStream.js';

/** Maximum number of names in a message. */
const MOST_NAMES = 20;

/** Possible delimiters, the most likely first. */
const DELIMITERS = [',', ';', '\t', '|', ':'];

/**
 * Names of columns or fields, for a message.
 *
 * @internal
 */
export function list(names: readonly Column[]): string {
  return listed(
    names.map((name) => JSON.stringify(name)),
    MOST_NAMES,
  );
}

/**
 * What a message says after the name of a missing column or field: those that exist, and which one may be meant.
 *
 * @internal
 */
export function there(name: Column, names: readonly string[]): string {
  if (names.length === 0) return '; there are none';
  const meant = typeof name === 'string' ? meantBy(name, names) : undefined;
  return `; there are ${list(names)}${meant === undefined ? '' : `; did you mean ${JSON.stringify(meant)}?`}`;
}

/** The name that differs from another by blanks, case or a typo. */
function meantBy(name: string, names: readonly string[]): string | undefined {
  const plain = (each: string) => each.trim().toLowerCase();
  return names.find((each) => plain(each) === plain(name)) ?? (name.length > 2 ? closest(name, names) : undefined);
}

/**
 * What a message says about a first row without the column, since the file may have another format: a likely delimiter
 * or encoding.
 *
 * @param column - The missing column.
 * @param fields - The row.
 * @param delimiter - The delimiter it was split by.
 *
 * @internal
 */
export function otherwiseWritten(column: Column, fields: readonly string[], delimiter: string): string {
  const bare = bareUtf16(Buffer.from(fields.join('')));
  if (bare !== undefined) return `; ${bare}`;
  const row = fields.join(delimiter);
  const fits = (each: string) => {
    const parts = row.split(each);
    return typeof column === 'number' ? parts.length >= column : parts.map((part) => part.trim()).includes(column);
  };
  const found = DELIMITERS.filter((each) => each !== delimiter && row.includes(each)).find(fits);
  if (found === undefined) return '';
  return `; the delimiter seems to be different: give ${delimiterWords(found)}`;
}

/** A delimiter as an option and as a flag. */
function delimiterWords(delimiter: string): string {
  const shown = delimiter === '\t' ? '\\t' : delimiter;
  return `delimiter: '${shown}' (on the command line --delimiter '${shown}')`;
}

/**
 * Detects a field that has swallowed rows: a quote that opens in one row and closes in a later one turns everything
 * between into one field. Its lines then have as many delimiters as rows do.
 *
 * @param width - Fields of a row.
 * @returns the number of lines in the field if so, otherwise 0.
 *
 * @internal
 */
export function swallowedLines(field: string, width: number, delimiter: string): number {
  if (width < 2 || !/[\r\n]/.test(field)) return 0;
  const lines = field.split(/\r\n|\n|\r/);
  // The first line and the last one are parts of rows.
  const whole = lines.slice(1, -1);
  if (whole.length < SWALLOWED_LINES) return 0;
  // In prose, a space follows the comma.
  const isRow = (parts: string[]) => parts.length === width && !parts.slice(1).some((part) => part.startsWith(' '));
  const rows = whole.filter((line) => isRow(line.split(delimiter)));
  return rows.length >= 0.8 * whole.length ? lines.length : 0;
}

/** Minimum number of lines for a field to count as one that swallowed rows. */
const SWALLOWED_LINES = 8;

/**
 * Detects a header that is read as a row: no other row has its label, and its text is one word, unlike most rows.
 *
 * @internal
 */
export class HeaderWatch {
  #first: { text: string; label: string } | undefined;
  #rows = 0;
  /** Rows whose text is more than a word. */
  #phrases = 0;
  #again = false;

  /** Takes the next row; `label` represents all its labels. */
  add(text: string, label: string): void {
    this.#rows++;
    if (/\S\s+\S/.test(text)) this.#phrases++;
    if (!this.#first) this.#first = { text, label };
    else if (label === this.#first.label) this.#again = true;
  }

  /** The hint for the end of the file, if any. */
  get hint(): string | undefined {
    const { text, label } = this.#first ?? {};
    if (text === undefined || this.#again || this.#rows < 3 || /\s/.test(text.trim())) return undefined;
    if (2 * this.#phrases < this.#rows - 1) return undefined;
    return (
      `the first line is read as a row with the text ${JSON.stringify(text)} and the label ${JSON.stringify(label)}, which no other row has; ` +
      'if it names the columns, give header: true (on the command line --header)'
    );
  }
}

/** Detects later rows that equal the header, as in files that were joined with `cat`. */
export class RepeatedHeader {
  readonly #header: readonly string[];
  #rows = 0;
  /** Line of the first of them. */
  line: number | undefined;

  constructor(header: readonly string[]) {
    this.#header = header;
  }

  /** Whether a row equals the header. In a file of one column it may be a text. */
  is(fields: readonly string[], line: number): boolean {
    const header = this.#header;
    if (header.length < 2 || fields.length !== header.length) return false;
    if (!header.every((name, at) => name === fields[at])) return false;
    this.#rows++;
    this.line ??= line;
    return true;
  }

  /** The hint for the end of the file, if any. */
  get hint(): string | undefined {
    if (this.#rows === 0) return undefined;
    const are = this.#rows === 1 ? 'equals the header and was' : 'equal the header and were';
    return `${counted(this.#rows)} ${are} skipped: several files with a header seem to have been joined`;
  }
}
