import { choiceWords } from '../../core/checks.js';
import { ArgumentError, describe, invalidArgument } from '../../core/errors.js';
import { checkOptionNames } from '../../core/options/names.js';
import { CSV_OPTION_NAMES, type CsvTextOptions, csvRows, csvTexts, type ReadCsvOptions } from './csv.js';
import { fastTextRows, fastTextTexts, type ReadFastTextOptions } from './fastText.js';
import type { Column } from './fields.js';
import { jsonRows, jsonTexts } from './jsonLines.js';
import { lineTexts } from './lineTexts.js';
import { parquetRows, parquetTexts } from './parquet.js';
import type { Row, UnlabelledText } from './rows.js';
import { BadRows, type FileRows, type Input, type Source, sourceOf } from './source.js';

/** How a file of labelled texts is written. */
export type RowFormat = 'csv' | 'tsv' | 'jsonl' | 'fasttext' | 'parquet';

/** How a file of texts is written; `lines`: each line is a text. */
export type TextFormat = RowFormat | 'lines';

/** Options of {@link readRows}; those that the file's format has no use for are ignored. */
export interface ReadRowsOptions extends Omit<ReadCsvOptions, 'text' | 'label'>, ReadFastTextOptions {
  /** How the file is written. Default: by the ending of its name, else by how its content begins. */
  format?: RowFormat | undefined;
  /** Column or field of the text, or several that are joined by a blank. fastText's format alone has none. */
  text?: Column | readonly Column[] | undefined;
  /** Column or field of the label. fastText's format alone has none. */
  label?: Column | undefined;
}

/** Options of {@link readTexts}; those that the file's format has no use for are ignored. */
export interface ReadTextsOptions extends Omit<CsvTextOptions, 'text'>, ReadFastTextOptions {
  /** How the file is written. Default: by the ending of its name, else by how its content begins. */
  format?: TextFormat | undefined;
  /** Column or field of the text, or several that are joined by a blank. Default: each line is a text. */
  text?: Column | readonly Column[] | undefined;
}

/**
 * Reads texts and labels from a file of any format: `.csv`, `.tsv`, `.jsonl` (also `.ndjson`, `.json` with one object a line),
 * `.parquet`, each but the last also with `.gz` or `.zst` behind it. Of other names, of standard input and of streams the
 * content decides: JSON objects, fastText's `__label__`, else CSV. fastText's format is not known by a name.
 *
 * @param input - Path of the file, `-` for standard input, or a stream of bytes.
 * @param options - See {@link ReadRowsOptions}.
 * @returns Rows for `for await`, `TextClassifier.train`, {@link encodeDataset} or {@link collect}; the file is opened then.
 * @throws the errors of {@link readCsv}, {@link readJsonLines}, {@link readFastText} and {@link readParquet}.
 *
 * @example
 * ```ts
 * const rows = readRows('train.csv.gz', { text: ['title', 'description'], label: 'topic' });
 * const model = await TextClassifier.train(rows);
 * ```
 */
export function readRows(input: Input, options: ReadRowsOptions = {}): FileRows<Row> {
  checkOptionNames('readRows', options, [...ROW_OPTION_NAMES, 'label', 'labelSeparator']);
  const { format, ...rest } = options;
  const source = sourceOf(input);
  const known = checkFormat(format, FORMATS) ?? formatByName(source.path);
  return byFormat<Row, RowFormat>(source, known, 'csv', rest, (source, found) => {
    if (found === 'fasttext') return fastTextRows(source, rest);
    const { text, label } = rest;
    if (text === undefined || label === undefined) throw missing(found, text === undefined ? 'text' : 'label');
    if (found === 'jsonl') return jsonRows(source, { ...rest, text, label });
    if (found === 'parquet') return parquetRows(source, { ...rest, text, label });
    return csvRows(source, csvOptions(found, { ...rest, text, label }));
  });
}

/**
 * Reads texts without labels from a file of any format, for prediction; otherwise as {@link readRows}. Without `text` each line
 * is a text, blank ones included, unless the file's name or `format` say otherwise.
 *
 * @param input - Path of the file, `-` for standard input, or a stream of bytes.
 * @param options - See {@link ReadTextsOptions}.
 * @throws the same errors as {@link readRows}.
 *
 * @example
 * ```ts
 * for await (const { text, line } of readTexts('questions.txt')) console.log(line, text);
 * ```
 */
export function readTexts(input: Input, options: ReadTextsOptions = {}): FileRows<UnlabelledText> {
  checkOptionNames('readTexts', options, ROW_OPTION_NAMES);
  const { format, ...rest } = options;
  const { text } = rest;
  const source = sourceOf(input);
  // Without a column each line is a text, whatever it looks like.
  const known =
    checkFormat(format, TEXT_FORMATS) ?? formatByName(source.path) ?? (text === undefined ? 'lines' : undefined);
  return byFormat<UnlabelledText, TextFormat>(source, known, 'csv', rest, (source, found) => {
    if (found === 'fasttext') return fastTextTexts(source, rest);
    if (found === 'lines') return lineTexts(source, rest);
    if (text === undefined) throw missing(found, 'text');
    if (found === 'jsonl') return jsonTexts(source, { ...rest, text });
    if (found === 'parquet') return parquetTexts(source, { ...rest, text });
    return csvTexts(source, csvOptions(found, { ...rest, text }));
  });
}

const FORMATS = ['csv', 'tsv', 'jsonl', 'fasttext', 'parquet'] as const;
const TEXT_FORMATS = [...FORMATS, 'lines'] as const;
const ROW_OPTION_NAMES = ['format', 'labelPrefix', ...CSV_OPTION_NAMES] as const;

const NAMES: Readonly<Record<string, RowFormat>> = {
  csv: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  jsonlines: 'jsonl',
  json: 'jsonl',
  parquet: 'parquet',
  pq: 'parquet',
};

const TITLES: Readonly<Record<string, string>> = { csv: 'CSV', tsv: 'TSV', jsonl: 'JSON lines', parquet: 'Parquet' };

function checkFormat<F extends string>(format: F | undefined, known: readonly F[]): F | undefined {
  if (format === undefined || known.includes(format)) return format;
  throw invalidArgument('format', choiceWords(known), format);
}

function missing(format: TextFormat, name: 'text' | 'label'): ArgumentError {
  const what = format === 'jsonl' ? 'field' : 'column';
  return new ArgumentError(
    'INVALID_ARGUMENT',
    `Expected ${name}, the ${what} of the ${name}: ${TITLES[format]} has several`,
    { option: name, expected: `the ${what} of the ${name}`, received: describe(undefined) },
  );
}

function csvOptions<O extends { delimiter?: string | undefined }>(format: TextFormat, options: O): O {
  return format === 'tsv' && options.delimiter === undefined ? { ...options, delimiter: '\t' } : options;
}

/** The format that a file's name tells. */
function formatByName(file: string | undefined): RowFormat | undefined {
  const ending = /\.([a-z]+)(?:\.(?:gz|gzip|zst|zstd))?$/i.exec(file ?? '')?.[1];
  return ending === undefined ? undefined : NAMES[ending.toLowerCase()];
}

/** Reads by a format that is known, else by how the content begins. */
function byFormat<R, F extends TextFormat>(
  source: Source,
  known: F | undefined,
  fallback: F,
  { onBadRow, labelPrefix = '__label__' }: ReadFastTextOptions,
  open: (source: Source, format: F) => FileRows<R>,
): FileRows<R> {
  if (known !== undefined) return open(source, known);
  // Faults of the options are found at once even so.
  new BadRows(onBadRow);
  let inner: FileRows<R> | undefined;
  return {
    file: source.file,
    get skipped() {
      return inner?.skipped ?? 0;
    },
    [Symbol.asyncIterator]: () => {
      source.check();
      inner = undefined;
      return sniffed(source, labelPrefix, fallback, (...args) => {
        inner = open(...args);
        return inner;
      });
    },
  };
}

async function* sniffed<R, F extends TextFormat>(
  source: Source,
  labelPrefix: string,
  fallback: F,
  open: (source: Source, format: F) => FileRows<R>,
): AsyncGenerator<R, void, undefined> {
  const chunks = source.open()[Symbol.asyncIterator]();
  try {
    const first = await chunks.next();
    const format = first.done ? undefined : formatByContent(Buffer.from(first.value), labelPrefix);
    const again = async function* () {
      if (!first.done) yield first.value;
      for (;;) {
        const { done, value } = await chunks.next();
        if (done) return;
        yield value;
      }
    };
    const path = format === 'parquet' ? source.path : undefined;
    yield* open({ file: source.file, path, check() {}, open: again }, (format as F | undefined) ?? fallback);
  } finally {
    await chunks.return?.();
  }
}

/** What the content begins like, where that leaves no doubt. */
function formatByContent(bytes: Buffer, labelPrefix: string): RowFormat | undefined {
  if (bytes.subarray(0, 4).toString('latin1') === 'PAR1') return 'parquet';
  const begin = bytes.toString('utf8').replace(/^\ufeff?\s*/, '');
  if (begin.startsWith(labelPrefix)) return 'fasttext';
  const end = begin.indexOf('\n');
  const line = end < 0 ? begin : begin.slice(0, end);
  if (!line.startsWith('{')) return undefined;
  try {
    JSON.parse(line);
    return 'jsonl';
  } catch {
    // A line longer than what was read is no JSON yet.
    return end < 0 && /^\{\s*"/.test(line) && bytes.length > 4096 ? 'jsonl' : undefined;
  }
}
