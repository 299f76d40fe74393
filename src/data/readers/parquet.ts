import { type FileHandle, open } from 'node:fs/promises';
import { constraint, DataError, RecurraError } from '../../core/errors.js';
import { ioError } from '../../core/ioError.js';
import { checkOptionNames } from '../../core/options/names.js';
import { type Column, checkColumn, checkSeparator, type Field, labelOf, textColumns, textOf } from './fields.js';
import { ParquetFile } from './parquetPages.js';
import type { Row, UnlabelledText } from './rows.js';
import { type BadRows, type FileRows, fileRows, type OnBadRow, type Source, sourceOf } from './source.js';

/** Options of {@link readParquet}. */
export interface ReadParquetOptions {
  /** Column of the text, or several that are joined by a blank; of several, some may be null. */
  text: Column | readonly Column[];
  /** Column of the label: strings, integers, booleans, or lists of them for several labels. */
  label: Column;
  /** What stands between several labels in one string. Default: nothing does, the string is one label. */
  labelSeparator?: string | undefined;
  /** What to do with a row that does not fit: an error (the default), or leave it out and count it in `skipped`. */
  onBadRow?: OnBadRow | undefined;
}

/**
 * Reads texts and labels from a Parquet file, page by page, uncompressed or with Snappy, gzip, zstd, Brotli or LZ4. Numbers
 * and booleans become text as JavaScript writes them; a column that Hugging Face's `datasets` marked as `ClassLabel` gives
 * the names of its classes. In errors, and as `line`, a row has its number, from 1.
 *
 * @param file - Path of the file. Parquet is read from its end on, so it cannot come from a stream.
 * @param options - Which columns; see {@link ReadParquetOptions}.
 * @returns Rows for `for await`, `TextClassifier.train`, {@link encodeDataset} or {@link collect}; the file is opened then.
 * @throws {@link ArgumentError} at once for options that do not fit. While reading {@link DataError} with file and row:
 * `FILE_NOT_FOUND`, `IO`, `MISSING_COLUMN` (the message lists the columns), `INVALID_ROW` (a value that is null or of another
 * type), `INVALID_FILE` (not Parquet, damaged, bytes that are not UTF-8, a codec that is not supported).
 *
 * @example
 * ```ts
 * const rows = readParquet('train-00000-of-00001.parquet', { text: 'text', label: 'label' });
 * ```
 */
export function readParquet(file: string, options: ReadParquetOptions): FileRows<Row> {
  checkOptionNames('readParquet', options, [...PARQUET_OPTION_NAMES, 'label', 'labelSeparator']);
  return parquetRows(sourceOf(file), options);
}

/** @internal */
export const PARQUET_OPTION_NAMES = ['text', 'onBadRow'] as const;

/** @internal */
export function parquetRows(source: Source, options: ReadParquetOptions): FileRows<Row> {
  const { labelSeparator } = options;
  checkSeparator(labelSeparator);
  const columns = [...textColumns(options.text), checkColumn('label', options.label)];
  return rows(source, options.onBadRow, columns, (fields, line, refuse) => ({
    text: textOf(fields.slice(0, -1), refuse),
    label: labelOf(fields[fields.length - 1]!, labelSeparator, refuse),
    line,
  }));
}

/** @internal */
export function parquetTexts(source: Source, options: Omit<ReadParquetOptions, 'label'>): FileRows<UnlabelledText> {
  return rows(source, options.onBadRow, textColumns(options.text), (fields, line, refuse) => ({
    text: textOf(fields, refuse),
    line,
  }));
}

type MakeRow<R> = (fields: Field[], line: number, refuse: (message: string) => DataError) => R;

function rows<R>(source: Source, onBadRow: OnBadRow | undefined, columns: Column[], make: MakeRow<R>): FileRows<R> {
  const { path } = source;
  if (path === undefined) {
    throw constraint(
      'input',
      'Parquet is read from its end on and cannot come from standard input or a stream: write it to a file first',
    );
  }
  return fileRows(source, onBadRow, (_, bad) => read(path, bad, columns, make));
}

async function* read<R>(
  file: string,
  bad: BadRows,
  columns: Column[],
  make: MakeRow<R>,
): AsyncGenerator<R, void, undefined> {
  let handle: FileHandle | undefined;
  let line = 0;
  try {
    handle = await open(file);
    const parquet = await ParquetFile.open(handle);
    const names = columns.map((column) => find(column, parquet.columns, file));
    const classes = names.map((name) => classNames(parquet.note('huggingface'), name));
    for await (const { values, count } of parquet.blocks([...new Set(names)])) {
      const chosen = names.map((name) => values[[...new Set(names)].indexOf(name)]!);
      for (let i = 0; i < count; i++) {
        line++;
        const row = bad.make(() => {
          const refuse = (message: string) => new DataError('INVALID_ROW', message, { file, line });
          const fields = names.map((name, c) => ({
            name,
            value: named(chosen[c]![i] ?? null, classes[c], name, refuse),
          }));
          return make(fields, line, refuse);
        });
        if (row !== undefined) yield row;
      }
    }
  } catch (error) {
    if (error instanceof RecurraError) throw error;
    // Metadata that contradicts itself shows in many ways, also as a TypeError where something is not there.
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
    ? 'this is not a Parquet file, or it is cut off'
    : `cannot be read as Parquet: ${error.message}`;
  return new DataError('INVALID_FILE', where + hint, { file }, { cause: error });
}

function find(column: Column, names: readonly string[], file: string): string {
  const name = typeof column === 'number' ? names[column - 1] : names.find((each) => each === column);
  if (name !== undefined) return name;
  const there = names.map((each) => JSON.stringify(each)).join(', ');
  const message = `there is no column ${JSON.stringify(column)}; there are ${there}`;
  throw new DataError('MISSING_COLUMN', message, { file });
}

/** The names that Hugging Face's `datasets` notes for the numbers of a column. */
function classNames(note: string | undefined, column: string): readonly string[] | undefined {
  if (note === undefined) return undefined;
  try {
    const feature = JSON.parse(note).info.features[column];
    const { _type, names } = feature.feature ?? feature;
    return _type === 'ClassLabel' && Array.isArray(names) ? names : undefined;
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
