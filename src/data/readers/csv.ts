import type { CsvError, InfoRecord, Parser } from 'csv-parse';
import { checkFilled, checkFlag, checkInteger } from '../../core/checks.js';
import { constraint, DataError, type FilePosition, RecurraError } from '../../core/errors.js';
import { ioError } from '../../core/ioError.js';
import { checkOptionNames } from '../../core/options/names.js';
import { type Column, checkColumn, checkSeparator, separated, textColumns } from './fields.js';
import { csvParse } from './libraries.js';
import { LinePositions } from './linePositions.js';
import type { LabelledText, Row, UnlabelledText } from './rows.js';
import { type BadRows, type FileRows, fileRows, type Input, type OnBadRow, type Source, sourceOf } from './source.js';
import { checkEncoding, checkedUtf8, type TextEncoding } from './textStream.js';

/** Where the texts of a CSV or TSV file are, and how it is written. */
export interface CsvTextOptions {
  /** Column of the text, or several that are joined by a blank. */
  text: Column | readonly Column[];
  /** Whether the first row has the names of the columns. Default: true if a column is given by name, else false. */
  header?: boolean | undefined;
  /** What stands between two fields. Default a tab for files named `.tsv` or `.tab` (also `.tsv.gz`), else a comma. */
  delimiter?: string | undefined;
  /** What encloses fields that have delimiters, line ends or (doubled) quotes. Default `"`; null: nothing does. */
  quote?: string | null | undefined;
  /** How the file is encoded. Default: UTF-16 if it begins with that byte order mark, else UTF-8. */
  encoding?: TextEncoding | undefined;
  /** Longest row in bytes, default 16 MiB: so that a quote without its end does not read the whole file into memory. */
  maxRowBytes?: number | undefined;
  /**
   * What to do with a row that does not fit (another number of fields, an empty label): an error (the default), or leave it
   * out and count it in `skipped`.
   */
  onBadRow?: OnBadRow | undefined;
}

/** Options of {@link readCsv}. */
export interface ReadCsvOptions extends CsvTextOptions {
  /** Column of the label. */
  label: Column;
  /**
   * What stands between the labels of a row, such as `|`; rows then have an array of labels, for a multi-label set. Blanks
   * around labels and empty ones are left out. Default: nothing does, each row has one label.
   */
  labelSeparator?: string | undefined;
}

/**
 * Reads texts and labels from a CSV or TSV file, row by row: quoted fields with line ends, `\n`, `\r\n` or `\r`, with or
 * without byte order mark, also compressed by gzip or zstd. Blank lines are skipped (an empty text in a file of one column is written `""`).
 *
 * @param input - Path of the file, `-` for standard input, or a stream of its bytes.
 * @param options - Which columns, and how the file is written; see {@link ReadCsvOptions}.
 * @returns Rows for `for await`, `TextClassifier.train`, {@link encodeDataset} or {@link collect}; the file is opened then.
 * @throws {@link ArgumentError} at once for options that do not fit. While reading {@link DataError} with file, line and
 * column: `FILE_NOT_FOUND`, `IO`, `MISSING_COLUMN` (the message lists the columns), `INVALID_ROW` (number of fields, quotes,
 * bytes that are not UTF-8, a row too long, an empty label), `INVALID_FILE` (a column name that is there twice, damaged compression).
 *
 * @example
 * ```ts
 * const rows = readCsv('tickets.csv', { text: ['subject', 'body'], label: 'queue' });
 * for await (const { text, label } of rows) console.log(label, text);
 * ```
 */
export function readCsv(input: Input, options: ReadCsvOptions & { labelSeparator?: undefined }): FileRows<LabelledText>;
export function readCsv(input: Input, options: ReadCsvOptions): FileRows<Row>;
export function readCsv(input: Input, options: ReadCsvOptions): FileRows<Row> {
  checkOptionNames('readCsv', options, [...CSV_OPTION_NAMES, 'label', 'labelSeparator']);
  return csvRows(sourceOf(input), options);
}

/** @internal */
export const CSV_OPTION_NAMES = [
  'text',
  'header',
  'delimiter',
  'quote',
  'encoding',
  'maxRowBytes',
  'onBadRow',
] as const;

/** @internal */
export function csvRows(source: Source, options: ReadCsvOptions): FileRows<Row> {
  const { label, labelSeparator, ...rest } = options;
  checkSeparator(labelSeparator);
  const columns = [...textColumns(rest.text), checkColumn('label', label)];
  return rows(source, rest, columns, (fields, line, selected) => {
    const at = selected[selected.length - 1]!;
    const name = fields[at]!;
    const text = join(fields, selected, selected.length - 1);
    if (labelSeparator !== undefined) return { text, label: separated(name, labelSeparator), line };
    if (name !== '') return { text, label: name, line };
    throw new DataError('INVALID_ROW', 'the label is empty', { file: source.file, line, column: at + 1 });
  });
}

/** @internal */
export function csvTexts(source: Source, options: CsvTextOptions): FileRows<UnlabelledText> {
  return rows(source, options, textColumns(options.text), (fields, line, selected) => ({
    text: join(fields, selected, selected.length),
    line,
  }));
}

type MakeRow<R> = (fields: string[], line: number, selected: number[]) => R;

function join(fields: string[], selected: number[], count: number): string {
  let text = fields[selected[0]!]!;
  for (let i = 1; i < count; i++) text += ` ${fields[selected[i]!]!}`;
  return text;
}

function rows<R>(source: Source, options: CsvTextOptions, columns: Column[], make: MakeRow<R>): FileRows<R> {
  const { header = columns.some((column) => typeof column === 'string'), quote = '"', maxRowBytes = 2 ** 24 } = options;
  const { file } = source;
  const delimiter = options.delimiter ?? (file !== undefined && TAB_NAMES.test(file) ? '\t' : ',');
  checkFilled('delimiter', delimiter, 'a non-empty string');
  if (quote !== null) checkFilled('quote', quote, 'a non-empty string or null');
  checkFlag('header', header);
  const named = columns.find((column) => typeof column === 'string');
  if (!header && named !== undefined) {
    throw constraint(
      'header',
      `Expected column numbers, from 1, without a header but received ${JSON.stringify(named)}`,
    );
  }
  checkInteger('maxRowBytes', maxRowBytes, 1);
  const { encoding } = options;
  checkEncoding(encoding);
  const settings = { columns, header, delimiter, quote, maxRowBytes, encoding };
  return fileRows(source, options.onBadRow, (opened, bad) => read(opened, bad, settings, make));
}

const TAB_NAMES = /\.(tsv|tab)(\.(gz|gzip|zst|zstd))?$/i;

interface Settings {
  columns: Column[];
  header: boolean;
  delimiter: string;
  quote: string | null;
  maxRowBytes: number;
  encoding: TextEncoding | undefined;
}

async function* read<R>(
  source: Source,
  bad: BadRows,
  settings: Settings,
  make: MakeRow<R>,
): AsyncGenerator<R, void, undefined> {
  const { file } = source;
  const { columns, header, delimiter, quote, maxRowBytes, encoding } = settings;
  const lines = new LinePositions();
  let selected: number[] | undefined;
  let width = 0;
  let ready: R[] = [];
  let line = 1;
  let recordEnd = 0;
  let emptyLines = 0;
  /** Line of the row that the parser is at: of what follows the last row, blank lines apart. */
  const startLine = (empty: number) => lines.lineAt(recordEnd) + empty - emptyLines;
  const parser = new (csvParse().Parser)({
    bom: true,
    delimiter,
    quote,
    record_delimiter: ['\r\n', '\n', '\r'],
    skip_empty_lines: true,
    max_record_size: maxRowBytes,
    // Checked below, where a row that does not fit can be left out.
    relax_column_count: true,
    // Taking the rows here and passing none on spares each of them the way through the stream's queue.
    on_record: (fields: string[], info: InfoRecord) => {
      line = startLine(info.empty_lines);
      recordEnd = info.bytes;
      emptyLines = info.empty_lines;
      if (!selected) {
        width = fields.length;
        selected = columns.map((column) => find(column, header ? fields : undefined, width, { file, line }));
        if (header) return null;
      }
      const chosen = selected;
      const row = bad.make(() => {
        if (fields.length === width) return make(fields, line, chosen);
        const message = `expected ${width} fields as in the first row but found ${fields.length}`;
        throw new DataError('INVALID_ROW', message, { file, line });
      });
      if (row !== undefined) ready.push(row);
      return null;
    },
  });
  let failure: unknown;
  try {
    for await (const bytes of checkedUtf8(source.open(), lines, { file, encoding })) {
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
  if (error instanceof csvParse().CsvError) {
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
    case 'CSV_MAX_RECORD_SIZE':
      return 'the row is longer than maxRowBytes; a quote may lack its end';
    default:
      return error.message;
  }
}
