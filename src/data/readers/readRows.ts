import { constraint } from '../../core/errors.js';
import { checkNames, settingsOf } from '../../core/options/table.js';
import { withColumnHint } from './columnHint.js';
import { type CsvTextOptions, csvRows, csvTexts, type ReadCsvOptions } from './csv.js';
import { fastTextRows, fastTextTexts, type ReadFastTextOptions } from './fastText.js';
import type { Column } from './fields.js';
import { jsonRows, jsonTexts } from './jsonLines.js';
import { jsonTextsOrTokens } from './jsonTokens.js';
import { lineTexts } from './lineTexts.js';
import { checkText } from './notText.js';
import { type KeepOption, LABEL_PREFIX, ROWS, type RowFormat, TABLE_TEXT, TEXTS, type TextFormat } from './options.js';
import { parquetRows, parquetTexts } from './parquet.js';
import { type ByteCounter, LateCounter, Reading } from './reading.js';
import type { Row, Tokens, UnlabelledText } from './rows.js';
import { type Inputs, severalRows } from './several.js';
import { type FileRows, type Input, type Source, sourceOf } from './source.js';
import { encodingOf } from './textStream.js';

/** Options of {@link readRows}; those that do not apply to the file's format are ignored. */
export interface ReadRowsOptions extends Omit<ReadCsvOptions, 'text' | 'label'>, ReadFastTextOptions {
  /** How the file is written. Default: by its extension, otherwise by its first bytes. */
  format?: RowFormat | undefined;
  /** Column or field of the text, or several, joined by a space. Default `'text'`. */
  text?: Column | readonly Column[] | undefined;
  /** Column or field of the label. Default `'label'`. */
  label?: Column | undefined;
}

/** Options of {@link readTexts}; those that do not apply to the file's format are ignored. */
export interface ReadTextsOptions extends Omit<CsvTextOptions, 'text'>, ReadFastTextOptions, KeepOption {
  /** How the file is written. Default: by its extension, otherwise by its first bytes. */
  format?: TextFormat | undefined;
  /**
   * Column or field of the text, or several, joined by a space. Default `'text'` for files whose name or format says that
   * they have columns; of others, each line is a text.
   */
  text?: Column | readonly Column[] | undefined;
}

/**
 * Reads texts and labels from a file of any format: `.csv`, `.tsv`, `.jsonl` (also `.ndjson`, `.json` with one object a
 * line), `.parquet`, each but the last also followed by `.gz` or `.zst`. For other names, standard input and streams,
 * the content decides: JSON objects, fastText's `__label__`, otherwise CSV. fastText's format has no extension.
 *
 * Several files are read one after the other, each in its own format. Columns are looked up in each file, so their order
 * may differ. Errors name the file, and `fileOf` of the result gives the file of a row.
 *
 * @param input - Path of the file, `-` for standard input, a stream of bytes, or an array of them.
 * @param options - See {@link ReadRowsOptions}.
 * @returns Rows for `for await`, `TextClassifier.train`, {@link encodeDataset} or {@link collect}; the file is opened
 * when iteration starts.
 * @throws the errors of {@link readCsv}, {@link readJsonLines}, {@link readFastText} and {@link readParquet}.
 *
 * @example
 * ```ts
 * const rows = readRows('train.csv.gz', { text: ['title', 'description'], label: 'topic' });
 * const model = await TextClassifier.train(rows);
 * const months = readRows(['jan.csv', 'feb.jsonl'], { text: 'body', label: 'queue' });
 * ```
 */
export function readRows(input: Inputs, options: ReadRowsOptions = {}): FileRows<Row> {
  checkNames('readRows', options, ROWS);
  return hinted(
    severalRows(input, (each) => oneFile(each, options)),
    options,
    ['text', 'label'],
  );
}

/** Rows whose errors about a missing column say that the column is the default, if it is. */
function hinted<R>(
  rows: FileRows<R>,
  options: { text?: unknown; label?: unknown },
  names: readonly ('text' | 'label')[],
): FileRows<R> {
  const left = names.filter((name) => options[name] === undefined);
  if (left.length === 0) return rows;
  const [name] = left;
  const what =
    left.length === 2
      ? 'text and label are the default columns; name those of the file with the options text and label (--text and --label)'
      : `${name} is the default column; name that of the file with the option ${name} (--${name})`;
  return withColumnHint(rows, left, what);
}

function oneFile(input: Input, options: ReadRowsOptions): FileRows<Row> {
  const { format, text = 'text', label = 'label', ...rest } = options;
  const source = sourceOf(input);
  const known = settingsOf({ format: ROWS.format }, { format }).format ?? formatByName(source.path);
  return byFormat<Row, RowFormat>(source, known, 'csv', rest, (source, found) => {
    if (found === 'fasttext') return fastTextRows(source, rest);
    if (found === 'jsonl') return jsonRows(source, { ...rest, text, label });
    if (found === 'parquet') return parquetRows(source, { ...rest, text, label });
    return csvRows(source, csvOptions(found, { ...rest, text, label }));
  });
}

/**
 * Reads texts without labels from a file of any format, for prediction; otherwise as {@link readRows}. Without `text`
 * each line is a text, including blank ones, unless the file's name or `format` imply another format.
 *
 * @param input - Path of the file, `-` for standard input, a stream of bytes, or an array of them.
 * @param options - See {@link ReadTextsOptions}.
 * @throws the same errors as {@link readRows}.
 *
 * @example
 * ```ts
 * for await (const { text, line } of readTexts('questions.txt')) console.log(line, text);
 * ```
 */
export function readTexts(input: Inputs, options: ReadTextsOptions = {}): FileRows<UnlabelledText> {
  return textsBy<UnlabelledText>(input, options, (source, { text = 'text', ...rest }) =>
    jsonTexts(source, { ...rest, text }),
  );
}

/**
 * Like {@link readTexts}, but JSON lines may also contain sentences of tokens, `{ "tokens": [...] }`, and the field of
 * the text is `text` by default.
 *
 * @internal
 */
export function readTextsOrTokens(input: Inputs, options: ReadTextsOptions = {}): FileRows<UnlabelledText | Tokens> {
  return textsBy<UnlabelledText | Tokens>(input, options, jsonTextsOrTokens);
}

/** Reads texts; `json` opens JSON lines. */
function textsBy<R>(
  input: Inputs,
  options: ReadTextsOptions,
  json: (source: Source, options: Omit<ReadTextsOptions, 'format'>) => FileRows<R | UnlabelledText>,
): FileRows<R | UnlabelledText> {
  checkNames('readTexts', options, TEXTS);
  return hinted(
    severalRows<R | UnlabelledText>(input, (each) => textsOf(each, options, json)),
    options,
    ['text'],
  );
}

function textsOf<R>(
  input: Input,
  options: ReadTextsOptions,
  json: (source: Source, options: Omit<ReadTextsOptions, 'format'>) => FileRows<R | UnlabelledText>,
): FileRows<R | UnlabelledText> {
  const { format, ...rest } = options;
  const { text } = rest;
  const source = sourceOf(input);
  // Without a column each line is a text, whatever its content.
  const known =
    settingsOf({ format: TEXTS.format }, { format }).format ??
    formatByName(source.path) ??
    (text === undefined ? 'lines' : undefined);
  return byFormat<R | UnlabelledText, TextFormat>(source, known, 'csv', rest, (source, found) => {
    if (found === 'fasttext' || found === 'lines') {
      if (rest.keep !== undefined)
        throw constraint('keep', `${source.file ?? 'a stream'} is read as ${AS[found]}, which has no columns to keep`);
      return found === 'lines' ? lineTexts(source, rest) : fastTextTexts(source, rest);
    }
    if (found === 'jsonl') return json(source, rest);
    const column = text ?? 'text';
    if (found === 'parquet') return parquetTexts(source, { ...rest, text: column });
    return csvTexts(source, csvOptions(found, { ...rest, text: column }));
  });
}

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

/** Formats without columns, in words. */
const AS = { lines: 'one text per line', fasttext: "fastText's format" } as const;

/**
 * Options with the delimiter of a format.
 *
 * @internal
 */
export function csvOptions<O extends { delimiter?: string | undefined }>(format: TextFormat, options: O): O {
  return format === 'tsv' && options.delimiter === undefined ? { ...options, delimiter: '\t' } : options;
}

/**
 * The format that a file's name implies.
 *
 * @internal
 */
export function formatByName(file: string | undefined): RowFormat | undefined {
  const ending = /\.([a-z]+)(?:\.(?:gz|gzip|zst|zstd))?$/i.exec(file ?? '')?.[1];
  return ending === undefined ? undefined : NAMES[ending.toLowerCase()];
}

/**
 * Reads in a known format, otherwise in the one that the first bytes suggest.
 *
 * @internal
 */
export function byFormat<R, F extends TextFormat>(
  source: Source,
  known: F | undefined,
  fallback: F,
  options: Omit<ReadTextsOptions, 'text' | 'format'>,
  open: (source: Source, format: F) => FileRows<R>,
): FileRows<R> {
  if (known !== undefined) return open(source, known);
  // Invalid options are reported at once even so.
  const settings = settingsOf({ ...LABEL_PREFIX, ...TABLE_TEXT }, options);
  let inner: FileRows<R> | undefined;
  const none = new Reading(source.file, settings);
  return {
    file: source.file,
    get columns() {
      return inner?.columns;
    },
    get skipped() {
      return (inner ?? none).skipped;
    },
    get firstSkipped() {
      return (inner ?? none).firstSkipped;
    },
    get whySkipped() {
      return (inner ?? none).whySkipped;
    },
    get emptyCells() {
      return (inner ?? none).emptyCells;
    },
    get warnings() {
      return (inner ?? none).warnings;
    },
    [Symbol.asyncIterator]: () => {
      source.check();
      inner = undefined;
      return sniffed(source, settings, fallback, (...args) => {
        inner = open(...args);
        return inner;
      });
    },
  };
}

/** Bytes after which the format is decided even if the first line has not ended. */
const ENOUGH = 16_384;

async function* sniffed<R, F extends TextFormat>(
  source: Source,
  { encoding, labelPrefix }: { encoding: string | undefined; labelPrefix: string },
  fallback: F,
  open: (source: Source, format: F) => FileRows<R>,
): AsyncGenerator<R, void, undefined> {
  const counter = new LateCounter();
  const chunks = source.open(counter)[Symbol.asyncIterator]();
  try {
    let head: Buffer = Buffer.alloc(0);
    let ended = false;
    for (let begin = ''; head.length < ENOUGH && !/[^\s]/.test(begin.slice(0, begin.lastIndexOf('\n') + 1)); ) {
      const { done, value } = await chunks.next();
      if (done) {
        ended = true;
        break;
      }
      head = Buffer.concat([head, Buffer.from(value)]);
      begin = decodedHead(head, encoding);
    }
    checkText(head, source.file);
    const format = formatByContent(head, decodedHead(head, encoding), labelPrefix);
    const again = async function* (reading?: ByteCounter) {
      if (reading) counter.pass(reading);
      if (head.length > 0) yield head;
      while (!ended) {
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

/** The beginning of a text, as far as it can be decoded. */
function decodedHead(head: Uint8Array, encoding: string | undefined): string {
  return new TextDecoder(encodingOf(head, encoding)).decode(head, { stream: true });
}

/** The format that the content implies, if it is clear. */
function formatByContent(bytes: Buffer, text: string, labelPrefix: string): RowFormat | undefined {
  if (bytes.subarray(0, 4).toString('latin1') === 'PAR1') return 'parquet';
  const begin = text.replace(/^\ufeff?\s*/, '');
  if (begin.startsWith(labelPrefix)) return 'fasttext';
  const end = begin.search(/[\r\n]/);
  const line = end < 0 ? begin : begin.slice(0, end);
  if (!line.startsWith('{')) return undefined;
  try {
    JSON.parse(line);
    return 'jsonl';
  } catch {
    // A line longer than what was read cannot be parsed yet.
    return end < 0 && /^\{\s*"/.test(line) && bytes.length > 4096 ? 'jsonl' : undefined;
  }
}
