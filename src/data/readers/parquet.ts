import { type FileHandle, open } from 'node:fs/promises';
import { constraint, DataError, RecurraError } from '../../core/errors.js';
import { ioError } from '../../core/ioError.js';
import { checkNames, settingsOf, type TableOf } from '../../core/options/table.js';
import { givenColumns, type RowColumns } from './columns.js';
import {
  aboutMissing,
  type Column,
  checkColumn,
  type Field,
  groupOf,
  keptOf,
  labelOf,
  sideOf,
  textColumns,
  textOf,
} from './fields.js';
import { there } from './hints.js';
import {
  COLUMNS,
  GROUP,
  type GroupOption,
  KEEP,
  type KeepOption,
  type LabelSeparatorOption,
  type PairColumns,
  pairColumns,
  READING,
  type ReadingOptions,
} from './options.js';
import { ParquetFile } from './parquetPages.js';
import type { Reading } from './reading.js';
import type { Pair, Row, UnlabelledText } from './rows.js';
import { type FileRows, fileRows, type Input, type Source, sourceOf } from './source.js';

/** Options of {@link readParquet}. */
export interface ReadParquetOptions extends ReadingOptions, LabelSeparatorOption, GroupOption {
  /** Column of the text, or several columns, joined by a space; of several, some may be null. */
  text: Column | readonly Column[];
  /** Column of the label: strings, integers, booleans, or lists of them for several labels. */
  label: Column;
}

/** The table of {@link ReadParquetOptions}. */
const PARQUET = { ...COLUMNS, ...GROUP, ...READING } as const satisfies TableOf<ReadParquetOptions>;

/**
 * Reads texts and labels from a Parquet file, page by page, uncompressed or with Snappy, gzip, zstd, Brotli or LZ4.
 * Numbers and booleans become text as JavaScript writes them; a column that Hugging Face's `datasets` marked as
 * `ClassLabel` gives the names of its classes. In errors and in `line`, a row is identified by its number, from 1.
 *
 * @param file - Path or `file:` URL of the file. Parquet is read from its end, so it cannot come from a stream.
 * @param options - Which columns; see {@link ReadParquetOptions}.
 * @returns Rows for `for await`, `TextClassifier.train`, {@link encodeDataset} or {@link collect}; the file is opened
 * when iteration starts.
 * @throws {@link ArgumentError} at once for invalid options. While reading {@link DataError} with file and row:
 * `FILE_NOT_FOUND`, `IO`, `MISSING_COLUMN` (the message lists the columns), `INVALID_ROW` (a value that is null or of
 * another type), `INVALID_FILE` (not Parquet, damaged, bytes that are not UTF-8, a codec that is not supported).
 *
 * @example
 * ```ts
 * const rows = readParquet('train-00000-of-00001.parquet', { text: 'text', label: 'label' });
 * ```
 */
export function readParquet(file: Input, options: ReadParquetOptions): FileRows<Row> {
  checkNames('readParquet', options, PARQUET);
  return parquetRows(sourceOf(file), options);
}

/** @internal */
export function parquetRows(source: Source, options: ReadParquetOptions): FileRows<Row> {
  const { labelSeparator, group } = settingsOf(PARQUET, options);
  const text = textColumns(options.text);
  const label = checkColumn('label', options.label);
  const columns = [...text, label, ...(group === undefined ? [] : [group])];
  const make: MakeRow<Row> = (fields, line, refuse, empty) => {
    const row = {
      text: textOf(fields.slice(0, text.length), refuse, empty),
      label: labelOf(fields[text.length]!, labelSeparator, refuse),
    };
    const field = fields[text.length + 1];
    return field ? { ...row, group: groupOf(field, refuse), line } : { ...row, line };
  };
  return rows(source, options, columns, make, givenColumns({ text, label, labelSeparator }));
}

/** @internal */
export function parquetTexts(
  source: Source,
  options: Omit<ReadParquetOptions, 'label'> & KeepOption,
): FileRows<UnlabelledText> {
  const text = textColumns(options.text);
  const { keep = [] } = settingsOf(KEEP, options);
  const make: MakeRow<UnlabelledText> = (fields, line, refuse, empty) => ({
    text: textOf(fields.slice(0, text.length), refuse, empty),
    ...(keep.length > 0 && { kept: keptOf(fields.slice(text.length), refuse) }),
    line,
  });
  return rows(source, options, [...text, ...keep], make, givenColumns({ text }));
}

/** @internal */
export function parquetPairs(source: Source, options: ReadingOptions & PairColumns): FileRows<Pair> {
  const columns = pairColumns(options);
  const make: MakeRow<Pair> = ([from, to], line, refuse) => ({
    source: sideOf(from!, refuse),
    target: sideOf(to!, refuse),
    line,
  });
  return rows(source, options, columns, make, givenColumns({ source: columns[0], target: columns[1] }));
}

type MakeRow<R> = (
  fields: Field[],
  line: number,
  refuse: (message: string) => DataError,
  empty: (name: string) => void,
) => R;

function rows<R>(
  source: Source,
  options: ReadingOptions,
  columns: Column[],
  make: MakeRow<R>,
  about: RowColumns,
): FileRows<R> {
  const { path } = source;
  if (path === undefined) {
    throw constraint(
      'input',
      'Parquet is read from its end and cannot come from standard input or a stream: write it to a file first',
    );
  }
  return fileRows(source, settingsOf(READING, options), (_, reading) => read(path, reading, columns, make), about);
}

async function* read<R>(
  file: string,
  reading: Reading,
  columns: Column[],
  make: MakeRow<R>,
): AsyncGenerator<R, void, undefined> {
  let handle: FileHandle | undefined;
  let line = 0;
  try {
    handle = await open(file);
    const parquet = await ParquetFile.open(handle, reading);
    const names = columns.map((column) => find(column, parquet.columns, file));
    const classes = names.map((name) => classNames(parquet.note('huggingface'), name));
    for await (const { values, count } of parquet.blocks([...new Set(names)])) {
      const chosen = names.map((name) => values[[...new Set(names)].indexOf(name)]!);
      for (let i = 0; i < count; i++) {
        line++;
        const row = reading.make(() => {
          const refuse = (message: string) => new DataError('INVALID_ROW', message, { file, line });
          const fields = names.map((name, c) => ({
            name,
            value: named(chosen[c]![i] ?? null, classes[c], name, refuse),
          }));
          return make(fields, line, refuse, reading.emptyCell);
        });
        if (row !== undefined) yield row;
      }
    }
    reading.end();
  } catch (error) {
    if (error instanceof RecurraError) throw error;
    // Inconsistent metadata causes many kinds of errors, including a TypeError for something missing.
    throw (error as NodeJS.ErrnoException).syscall
      ? ioError(error as Error, file)
      : damaged(error as Error, file, line);
  } finally {
    await handle?.close();
  }
}

function damaged(error: Error, file: string, line: number): DataError {
  const where = line > 0 ? `after row ${line}: ` : '';
  const hint = /footer != PAR1/.test(error.message)
    ? 'this is not a Parquet file, or it is truncated'
    : `cannot be read as Parquet: ${error.message}`;
  return new DataError('INVALID_FILE', where + hint, { file }, { cause: error });
}

/** The name of a column. A number beyond the last column may be a name as well. */
function find(column: Column, names: readonly string[], file: string): string {
  const name =
    (typeof column === 'number' ? names[column - 1] : undefined) ?? names.find((each) => each === String(column));
  if (name === undefined) {
    const message = `there is no column ${JSON.stringify(column)}${there(column, names)}`;
    throw aboutMissing(new DataError('MISSING_COLUMN', message, { file }), column);
  }
  const places = names.flatMap((each, i) => (each === name ? [i + 1] : []));
  if (places.length > 1) {
    const message = `there are ${places.length} columns with the name ${JSON.stringify(name)}, as column ${places.join(' and ')}, which are ambiguous: write the file with distinct names`;
    throw new DataError('INVALID_FILE', message, { file });
  }
  return name;
}

/** What Hugging Face's `datasets` records about a column: a feature, or a list of features. */
interface HuggingFaceFeature {
  _type?: string;
  names?: unknown;
  feature?: HuggingFaceFeature | HuggingFaceFeature[];
}

/** The class names that Hugging Face's `datasets` records for the numbers of a column. */
function classNames(note: string | undefined, column: string): readonly string[] | undefined {
  if (note === undefined) return undefined;
  try {
    let feature: HuggingFaceFeature | HuggingFaceFeature[] | undefined = JSON.parse(note).info.features[column];
    // A list is written as `[feature]`, or as a feature with one inside.
    while (Array.isArray(feature) || feature?.feature) feature = Array.isArray(feature) ? feature[0] : feature.feature;
    return feature?._type === 'ClassLabel' && Array.isArray(feature.names) ? feature.names : undefined;
  } catch {
    return undefined;
  }
}

function named(
  value: unknown,
  names: readonly string[] | undefined,
  column: string,
  refuse: (message: string) => Error,
): unknown {
  if (!names || value === null) return value;
  if (Array.isArray(value)) return value.map((each) => named(each, names, column, refuse));
  const name = names[Number(value)];
  if (name !== undefined) return name;
  throw refuse(`column ${JSON.stringify(column)} has ${value}, which is none of its ${names.length} classes`);
}
