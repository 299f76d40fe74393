import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { CsvError, type InfoRecord, Parser } from 'csv-parse';
import {
  ArgumentError,
  checkOptionNames,
  DataError,
  type FilePosition,
  invalidArgument,
  RecurraError,
} from '../errors.js';
import { LinePositions } from './linePositions.js';
import type { LabelledText, UnlabelledText } from './rows.js';
import { checkedUtf8, type TextEncoding } from './textStream.js';

/** A column by its name in the header, or by its number: 1 is the first, as in the positions that errors name. */
export type Column = string | number;

/** Options of {@link readTexts}. */
export interface ReadTextsOptions {
  /** Column of the text, or several that are joined by a blank. */
  text: Column | readonly Column[];
  /** Whether the first row has the names of the columns. Default: true if a column is given by name, else false. */
  header?: boolean | undefined;
  /** What stands between two fields. Default a tab for files whose names end in `.tsv` or `.tab`, else a comma. */
  delimiter?: string | undefined;
  /** What encloses fields that have delimiters, line ends or (doubled) quotes. Default `"`; null: nothing does. */
  quote?: string | null | undefined;
  /** How the file is encoded. Default: UTF-16 if it begins with that byte order mark, else UTF-8. */
  encoding?: TextEncoding | undefined;
  /** Longest row in bytes, default 16 MiB: so that a quote without its end does not read the whole file into memory. */
  maxRowBytes?: number | undefined;
}

/** Options of {@link readCsv}. */
export interface ReadCsvOptions extends ReadTextsOptions {
  /** Column of the label. */
  label: Column;
}

/** Rows of a file, read anew each time they are iterated over; rows of a stream can be iterated over once. */
export interface CsvRows<Row> extends AsyncIterable<Row> {
  /** Path of the file as it was given, undefined for a stream. */
  readonly file: string | undefined;
}

/**
 * Reads texts and labels from a CSV or TSV file, row by row: quoted fields with line ends, `\n`, `\r\n` or `\r`, with or
 * without byte order mark. Blank lines are skipped (an empty text in a file of one column is written `""`).
 *
 * @param input - Path of the file, or a stream of its bytes.
 * @param options - Which columns, and how the file is written; see {@link ReadCsvOptions}.
 * @returns Rows for `for await`, `TextClassifier.train`, {@link encodeDataset} or {@link collect}; the file is opened then.
 * @throws {@link ArgumentError} at once for options that do not fit. While reading {@link DataError} with file, line and
 * column: `FILE_NOT_FOUND`, `IO`, `MISSING_COLUMN` (the message lists the columns), `INVALID_ROW` (number of fields, quotes,
 * bytes that are not UTF-8, a row too long, an empty label), `INVALID_FILE` (a column name that is there twice).
 *
 * @example
 * ```ts
 * const rows = readCsv('tickets.csv', { text: ['subject', 'body'], label: 'queue' });
 * for await (const { text, label } of rows) console.log(label, text);
 * ```
 */
export function readCsv(input: string | Readable, options: ReadCsvOptions): CsvRows<LabelledText> {
  checkOptionNames('readCsv', options, [...READ_OPTION_NAMES, 'label']);
  const { label, ...rest } = options;
  const columns = [...textColumns(rest.text), checkColumn('label', label)];
  return rows(input, rest, columns, (fields, line, selected, file) => {
    const at = selected[selected.length - 1]!;
    const name = fields[at]!;
    if (name === '') throw new DataError('INVALID_ROW', 'the label is empty', { file, line, column: at + 1 });
    return { text: join(fields, selected, selected.length - 1), label: name, line };
  });
}

/**
 * Reads texts without labels from a CSV or TSV file, for prediction; otherwise as {@link readCsv}.
 *
 * @param input - Path of the file, or a stream of its bytes.
 * @param options - Which column, and how the file is written; see {@link ReadTextsOptions}.
 * @throws the same errors as {@link readCsv}.
 */
export function readTexts(input: string | Readable, options: ReadTextsOptions): CsvRows<UnlabelledText> {
  checkOptionNames('readTexts', options, READ_OPTION_NAMES);
  return rows(input, options, textColumns(options.text), (fields, line, selected) => ({
    text: join(fields, selected, selected.length),
    line,
  }));
}

const READ_OPTION_NAMES = ['text', 'header', 'delimiter', 'quote', 'encoding', 'maxRowBytes'] as const;

type MakeRow<Row> = (fields: string[], line: number, selected: number[], file: string | undefined) => Row;

function join(fields: string[], selected: number[], count: number): string {
  let text = fields[selected[0]!]!;
  for (let i = 1; i < count; i++) text += ` ${fields[selected[i]!]!}`;
  return text;
}

function textColumns(text: Column | readonly Column[]): Column[] {
  const columns = Array.isArray(text) ? text : [text];
  if (columns.length === 0) throw invalidArgument('text', 'at least one column', text);
  return columns.map((column) => checkColumn('text', column));
}

function checkColumn(name: string, column: Column): Column {
  if (typeof column === 'string' || (Number.isSafeInteger(column) && column >= 1)) return column;
  throw invalidArgument(name, 'the name of a column or its number, from 1', column);
}

function rows<Row>(
  input: string | Readable,
  options: ReadTextsOptions,
  columns: Column[],
  make: MakeRow<Row>,
): CsvRows<Row> {
  const { header = columns.some((column) => typeof column === 'string'), quote = '"', maxRowBytes = 2 ** 24 } = options;
  const isStream = typeof input === 'object' && input !== null && typeof input.pipe === 'function';
  if (typeof input !== 'string' && !isStream) throw invalidArgument('input', 'a path or a stream', input);
  const file = typeof input === 'string' ? input : undefined;
  const delimiter = options.delimiter ?? (file !== undefined && /\.(tsv|tab)$/i.test(file) ? '\t' : ',');
  if (typeof delimiter !== 'string' || delimiter === '')
    throw invalidArgument('delimiter', 'a non-empty string', delimiter);
  if (quote !== null && (typeof quote !== 'string' || quote === '')) {
    throw invalidArgument('quote', 'a non-empty string or null', quote);
  }
  if (typeof header !== 'boolean') throw invalidArgument('header', 'a boolean', header);
  const named = columns.find((column) => typeof column === 'string');
  if (!header && named !== undefined) {
    throw new ArgumentError(
      'INVALID_ARGUMENT',
      `Expected column numbers, from 1, without a header but received ${JSON.stringify(named)}`,
    );
  }
  if (!Number.isSafeInteger(maxRowBytes) || maxRowBytes < 1) {
    throw invalidArgument('maxRowBytes', 'a positive integer', maxRowBytes);
  }
  const { encoding } = options;
  if (encoding !== undefined && !['utf8', 'utf16le', 'latin1'].includes(encoding)) {
    throw invalidArgument('encoding', "'utf8', 'utf16le' or 'latin1'", encoding);
  }
  const settings = { file, columns, header, delimiter, quote, maxRowBytes, encoding };
  return {
    file,
    [Symbol.asyncIterator]: () => {
      if (typeof input !== 'string' && input.readableDidRead) {
        throw new ArgumentError('INVALID_ARGUMENT', 'The stream was read before; its rows can be iterated over once');
      }
      return read(input, settings, make);
    },
  };
}

interface Settings {
  file: string | undefined;
  columns: Column[];
  header: boolean;
  delimiter: string;
  quote: string | null;
  maxRowBytes: number;
  encoding: TextEncoding | undefined;
}

async function* read<Row>(
  input: string | Readable,
  settings: Settings,
  make: MakeRow<Row>,
): AsyncGenerator<Row, void, undefined> {
  const { file, columns, header, delimiter, quote, maxRowBytes, encoding } = settings;
  const lines = new LinePositions();
  let selected: number[] | undefined;
  let ready: Row[] = [];
  let line = 1;
  let recordEnd = 0;
  let emptyLines = 0;
  /** Line of the row that the parser is at: of what follows the last row, blank lines apart. */
  const startLine = (empty: number) => lines.lineAt(recordEnd) + empty - emptyLines;
  const parser = new Parser({
    bom: true,
    delimiter,
    quote,
    record_delimiter: ['\r\n', '\n', '\r'],
    skip_empty_lines: true,
    max_record_size: maxRowBytes,
    // Taking the rows here and passing none on spares each of them the way through the stream's queue.
    on_record: (fields: string[], info: InfoRecord) => {
      line = startLine(info.empty_lines);
      recordEnd = info.bytes;
      emptyLines = info.empty_lines;
      if (selected) {
        ready.push(make(fields, line, selected, file));
      } else {
        selected = columns.map((column) => find(column, header ? fields : undefined, fields.length, { file, line }));
        if (!header) ready.push(make(fields, line, selected, file));
      }
      return null;
    },
  });
  const source = typeof input === 'string' ? createReadStream(input) : input;
  let failure: unknown;
  try {
    for await (const bytes of checkedUtf8(source, lines, { file, encoding })) {
      failure = await feed(parser, bytes);
      for (const row of ready) yield row;
      ready = [];
      if (failure) throw failure;
    }
    failure = await feed(parser, undefined);
    for (const row of ready) yield row;
    if (failure) throw failure;
  } catch (error) {
    throw positioned(error, file, startLine(parser.info.empty_lines));
  } finally {
    parser.destroy();
  }
  if (!selected && header) {
    throw new DataError('MISSING_COLUMN', `the file is empty: expected a header with ${list(columns)}`, {
      file,
      line: 1,
    });
  }
}

/** Hands the parser bytes, or the end of the file, and returns the error if it finds one. */
function feed(parser: Parser, bytes: Uint8Array | undefined): Promise<Error | undefined> {
  return new Promise((resolve) => {
    parser.once('error', resolve);
    const done = (error?: Error | null) => {
      parser.off('error', resolve);
      // A stream emits the error as well, afterwards.
      if (error) parser.on('error', () => {});
      resolve(error ?? undefined);
    };
    if (bytes) parser.write(bytes, done);
    else parser.end(done);
  });
}

function find(column: Column, names: string[] | undefined, width: number, at: FilePosition): number {
  if (typeof column === 'number') {
    if (column <= width) return column - 1;
    throw new DataError('MISSING_COLUMN', `there is no column ${column}: the rows have ${width}`, at);
  }
  const index = names!.indexOf(column);
  if (index < 0) {
    throw new DataError(
      'MISSING_COLUMN',
      `there is no column ${JSON.stringify(column)}; there are ${list(names!)}`,
      at,
    );
  }
  const again = names!.indexOf(column, index + 1);
  if (again >= 0) {
    const message = `the header has ${JSON.stringify(column)} twice, as column ${index + 1} and ${again + 1}: choose by number`;
    throw new DataError('INVALID_FILE', message, { ...at, column: again + 1 });
  }
  return index;
}

function list(columns: readonly Column[]): string {
  return columns.map((column) => JSON.stringify(column)).join(', ');
}

/** Gives an error from below its code, the file and the line. */
function positioned(error: unknown, file: string | undefined, line: number): unknown {
  if (error instanceof CsvError) {
    const column = typeof error.column === 'number' ? error.column + 1 : undefined;
    return new DataError('INVALID_ROW', explain(error), { file, line, column }, { cause: error });
  }
  if (error instanceof RecurraError || !(error instanceof Error)) return error;
  return ioError(error, file);
}

function explain(error: CsvError): string {
  switch (error.code) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return 'the row has a quote that is not closed before the end of the file';
    case 'CSV_INVALID_CLOSING_QUOTE':
      return 'a closing quote is followed by neither a delimiter nor the end of the line (a quote within a field is doubled)';
    case 'INVALID_OPENING_QUOTE':
      return 'a quote stands within a field that does not begin with one';
    case 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH': {
      const [, expected, found] = /expect (\d+), got (\d+)/.exec(error.message) ?? [];
      return `expected ${expected} fields as in the first row but found ${found}`;
    }
    case 'CSV_MAX_RECORD_SIZE':
      return 'the row is longer than maxRowBytes; a quote may lack its end';
    default:
      return error.message;
  }
}

/**
 * Makes the error for a file that cannot be opened or read.
 *
 * @internal
 */
export function ioError(error: Error, file: string | undefined): DataError {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new DataError('FILE_NOT_FOUND', 'there is no such file', { file }, { cause: error });
  const reason = code === 'EISDIR' ? 'this is a folder, not a file' : `cannot be read: ${error.message}`;
  return new DataError('IO', reason, { file }, { cause: error });
}
