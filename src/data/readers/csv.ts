import { constraint, DataError, RecurraError } from '../../core/errors.js';
import { ioError } from '../../core/ioError.js';
import { checkNames, settingsOf, type TableOf } from '../../core/options/table.js';
import { isError } from '../../core/realms.js';
import { givenColumns, type RowColumns } from './columns.js';
import { type Selected, selectColumns } from './csvColumns.js';
import { csvParser, explain, feed, NO_QUOTES } from './csvParser.js';
import { aboutMissing, type Column, checkColumn, separated, textColumns } from './fields.js';
import { HeaderWatch, list, RepeatedHeader, swallowedLines } from './hints.js';
import { csvParse } from './libraries.js';
import { LinePositions } from './linePositions.js';
import {
  COLUMNS,
  GROUP,
  type GroupOption,
  KEEP,
  type KeepOption,
  type LabelSeparatorOption,
  type PairColumns,
  pairColumns,
  TABLE_TEXT,
  type TableTextOptions,
  type TableTextSettings,
} from './options.js';
import type { Reading } from './reading.js';
import type { LabelledText, Pair, Row, UnlabelledText } from './rows.js';
import { separatorLine } from './separatorLine.js';
import { type FileRows, fileRows, type Input, type Source, sourceOf } from './source.js';
import { checkedUtf8 } from './textStream.js';

/** Where the texts of a CSV or TSV file are, and how it is written. */
export interface CsvTextOptions extends TableTextOptions {
  /** Column of the text, or several columns, joined by a space. */
  text: Column | readonly Column[];
}

/** Options of {@link readCsv}. */
export interface ReadCsvOptions extends CsvTextOptions, LabelSeparatorOption, GroupOption {
  /** Column of the label. */
  label: Column;
}

/** The table of {@link ReadCsvOptions}. */
const CSV = { ...COLUMNS, ...GROUP, ...TABLE_TEXT } as const satisfies TableOf<ReadCsvOptions>;

/**
 * Reads texts and labels from a CSV or TSV file, row by row: quoted fields with line ends, `\n`, `\r\n` or `\r`, with
 * or without byte order mark, also compressed by gzip or zstd. A quote inside quotes is doubled; in a field that does
 * not start with a quote it is text. A first line such as `sep=;`, as Excel writes it, names the delimiter. Rows may
 * end with a delimiter that the header does not have. Blank lines are skipped (an empty text in a file of one column is
 * written `""`). A later row that equals the header is skipped with a warning, as in files that were joined.
 *
 * @param input - Path or `file:` URL of the file, `-` for standard input, or a stream of its bytes.
 * @param options - Which columns, and how the file is written; see {@link ReadCsvOptions}.
 * @returns Rows for `for await`, `TextClassifier.train`, {@link encodeDataset} or {@link collect}; the file is opened
 * when iteration starts.
 * @throws {@link ArgumentError} at once for invalid options. While reading {@link DataError} with file, line and
 * column: `FILE_NOT_FOUND`, `IO`, `MISSING_COLUMN` (the message lists the columns), `INVALID_ROW` (number of fields,
 * quotes, bytes that are not UTF-8, a row too long, an empty label), `INVALID_FILE` (a duplicate column name, damaged
 * compression).
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
  checkNames('readCsv', options, CSV);
  return csvRows(sourceOf(input), options);
}

/** @internal */
export function csvRows(source: Source, options: ReadCsvOptions): FileRows<Row> {
  const { labelSeparator, group } = settingsOf({ labelSeparator: CSV.labelSeparator, ...GROUP }, options);
  const texts = textColumns(options.text);
  const label = checkColumn('label', options.label);
  const columns = [...texts, label, ...(group === undefined ? [] : [group])];
  const make: MakeMaker<Row> = (watch, reading) => (fields, line, selected) => {
    const at = selected[texts.length]!;
    const name = fields[at]!;
    const text = join(fields, selected, texts, reading);
    watch?.add(text, name);
    const where = group === undefined ? { line } : { group: fields[selected[texts.length + 1]!] || undefined, line };
    if (labelSeparator !== undefined) return { text, label: separated(name, labelSeparator), ...where };
    if (name !== '') return { text, label: name, ...where };
    throw new DataError('INVALID_ROW', 'the label is empty', { file: source.file, line, column: at + 1 });
  };
  const { header } = options;
  return rows(source, options, columns, make, givenColumns({ text: texts, label, labelSeparator, header }));
}

/** @internal */
export function csvTexts(source: Source, options: CsvTextOptions & KeepOption): FileRows<UnlabelledText> {
  const texts = textColumns(options.text);
  const { keep = [] } = settingsOf(KEEP, options);
  const make: MakeMaker<UnlabelledText> = (_, reading) => (fields, line, selected, names) => {
    const text = join(fields, selected, texts, reading);
    if (keep.length === 0) return { text, line };
    const kept = keep.map((column, i) => {
      const at = selected[texts.length + i]!;
      return [names?.[at] ?? String(column), fields[at]!] as const;
    });
    return { text, kept: Object.fromEntries(kept), line };
  };
  const { header } = options;
  return rows(source, options, [...texts, ...keep], make, givenColumns({ text: texts, header }));
}

/** @internal */
export function csvPairs(source: Source, options: TableTextOptions & PairColumns): FileRows<Pair> {
  const [from, to] = pairColumns(options);
  const make: MakeMaker<Pair> = () => (fields, line, selected) => ({
    source: fields[selected[0]!]!,
    target: fields[selected[1]!]!,
    line,
  });
  const { header } = options;
  return rows(source, options, [from, to], make, givenColumns({ source: from, target: to, header }));
}

/** Makes a row; `names` are the names of all columns, if there is a header. */
type MakeRow<R> = (
  fields: string[],
  line: number,
  selected: readonly number[],
  names: readonly string[] | undefined,
) => R;

/**
 * Makes the function that makes rows, for one reading; `watch` is set if the file may have a header that is read as a
 * row, and `reading` counts.
 */
type MakeMaker<R> = (watch: HeaderWatch | undefined, reading: Reading) => MakeRow<R>;

function join(fields: string[], selected: readonly number[], columns: readonly Column[], reading: Reading): string {
  let text = fields[selected[0]!]!;
  if (columns.length === 1) return text;
  for (let i = 1; i < columns.length; i++) text += ` ${fields[selected[i]!]!}`;
  for (const [i, column] of columns.entries()) if (fields[selected[i]!] === '') reading.emptyCell(String(column));
  return text;
}

function rows<R>(
  source: Source,
  options: TableTextOptions,
  columns: Column[],
  make: MakeMaker<R>,
  about: RowColumns,
): FileRows<R> {
  const settings = settingsOf(TABLE_TEXT, options);
  const named = columns.find((column) => typeof column === 'string');
  if (settings.header === false && named !== undefined) {
    throw constraint(
      'header',
      `Expected column numbers, from 1, without a header but received ${JSON.stringify(named)}`,
    );
  }
  const { delimiter, quote } = settings;
  if (delimiter !== undefined && delimiter === quote) {
    throw constraint('quote', `quote and delimiter are both ${JSON.stringify(quote)}: they must differ`);
  }
  return fileRows(source, settings, (opened, reading) => read(opened, reading, columns, settings, make), about);
}

const TAB_NAMES = /\.(tsv|tab)(\.(gz|gzip|zst|zstd))?$/i;

async function* read<R>(
  source: Source,
  reading: Reading,
  columns: Column[],
  { header, delimiter: given, quote, maxRowBytes, encoding }: TableTextSettings,
  makeOf: MakeMaker<R>,
): AsyncGenerator<R, void, undefined> {
  const { file } = source;
  const lines = new LinePositions();
  const { separator, chunks } = await separatorLine(checkedUtf8(source.open(reading), lines, { file, encoding }));
  const delimiter = given ?? separator ?? (file !== undefined && TAB_NAMES.test(file) ? '\t' : ',');
  /** Whether the line that names the delimiter has not been parsed yet. */
  let declared = separator !== undefined;
  let watch: HeaderWatch | undefined;
  let repeated: RepeatedHeader | undefined;
  let make: MakeRow<R>;
  let found: Selected | undefined;
  let names: readonly string[] | undefined;
  let width = 0;
  /** Whether rows end with a delimiter that the header does not have; undefined until the first row is read. */
  let trailing: boolean | undefined;
  let ready: R[] = [];
  let line = 1;
  let recordEnd = 0;
  let emptyLines = 0;
  /** First line of the parser's current row: the line after the last row, not counting blank lines. */
  const startLine = (empty: number) => lines.lineAt(recordEnd) + empty - emptyLines;
  const parser = csvParser({ delimiter, quote, maxRowBytes }, (fields, info) => {
    line = startLine(info.empty_lines);
    recordEnd = info.bytes;
    emptyLines = info.empty_lines;
    if (declared) {
      declared = false;
      return;
    }
    if (!found) {
      width = fields.length;
      found = selectColumns(columns, header, fields, delimiter, { file, line });
      for (const warning of found.warnings) reading.warn(warning, line);
      watch = header === undefined && !found.header ? new HeaderWatch() : undefined;
      make = makeOf(watch, reading);
      if (found.header) {
        repeated = new RepeatedHeader(fields);
        names = fields;
        return;
      }
    }
    if (repeated?.is(fields, line)) return;
    const { at } = found;
    const more = fields.length === width + 1 && fields[width] === '';
    trailing ??= found.header && more;
    warnOfSwallowed(fields, width, delimiter, line, reading);
    const row = reading.make(() => {
      if (fields.length === width || (trailing && more)) return make(fields, line, at, names);
      const last = more ? ', of which the last is empty: does the row end with a delimiter?' : '';
      const message = `expected ${width} fields as in the first row but found ${fields.length}${last}`;
      throw new DataError('INVALID_ROW', message, { file, line });
    });
    if (row !== undefined) ready.push(row);
  });
  let failure: unknown;
  try {
    for await (const bytes of chunks) {
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
  if (!found && (header ?? columns.some((column) => typeof column === 'string'))) {
    const message = `the file is empty: expected a header with ${list(columns)}`;
    throw aboutMissing(new DataError('MISSING_COLUMN', message, { file, line: 1 }), ...columns);
  }
  const hint = watch?.hint;
  if (hint !== undefined) reading.warn(hint, 1);
  if (repeated?.hint !== undefined) reading.warn(repeated.hint, repeated.line);
  reading.end();
}

/** Warns of a quote that opens in one row and closes in a later one. */
function warnOfSwallowed(
  fields: readonly string[],
  width: number,
  delimiter: string,
  line: number,
  reading: Reading,
): void {
  for (const field of fields) {
    const count = field.length > 64 ? swallowedLines(field, width, delimiter) : 0;
    if (count === 0) continue;
    const message = `${count} lines were read as one row, since a quote opens in the first and closes in the last; ${NO_QUOTES}`;
    reading.warn(message, line);
  }
}

/** Adds code, file and line to an error from the parser. */
function positioned(error: unknown, file: string | undefined, line: number): unknown {
  if (error instanceof csvParse().CsvError) {
    const column = typeof error.column === 'number' ? error.column + 1 : undefined;
    return new DataError('INVALID_ROW', explain(error), { file, line, column }, { cause: error });
  }
  if (error instanceof RecurraError || !isError(error)) return error;
  return ioError(error, file);
}
