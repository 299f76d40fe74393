import { DataError } from '../../core/errors.js';
import { checkOptionNames } from '../../core/options/names.js';
import { type Column, checkColumn, checkSeparator, type Field, labelOf, textColumns, textOf } from './fields.js';
import { type LineOptions, type LineSettings, lineBlocks, lineSettings } from './lines.js';
import type { Row, UnlabelledText } from './rows.js';
import { type BadRows, type FileRows, fileRows, type Input, type OnBadRow, type Source, sourceOf } from './source.js';

/** Options of {@link readJsonLines}. */
export interface ReadJsonLinesOptions extends LineOptions {
  /** Field of the text, or several that are joined by a blank; of several, some may be null. */
  text: Column | readonly Column[];
  /** Field of the label: a string, a number, a boolean, or an array of them for several labels. */
  label: Column;
  /** What stands between several labels in one string. Default: nothing does, the string is one label. */
  labelSeparator?: string | undefined;
  /** What to do with a row that does not fit: an error (the default), or leave it out and count it in `skipped`. */
  onBadRow?: OnBadRow | undefined;
}

/**
 * Reads texts and labels from JSON lines (`.jsonl`, `.ndjson`): one object a line. gzip and zstd are decompressed, and blank
 * lines skipped. Numbers and booleans become text as JavaScript writes them: `1.0` gives the label `1`.
 *
 * @param input - Path of the file, `-` for standard input, or a stream of bytes.
 * @param options - Which fields, and how the file is written; see {@link ReadJsonLinesOptions}.
 * @returns Rows for `for await`, `TextClassifier.train`, {@link encodeDataset} or {@link collect}; the file is opened then.
 * @throws {@link ArgumentError} at once for options that do not fit. While reading {@link DataError} with file and line:
 * `FILE_NOT_FOUND`, `IO`, `INVALID_ROW` (not an object, a field that is missing, null or of another type, a number whose digits
 * are lost, bytes that are not UTF-8, a line too long), `INVALID_FILE` (one JSON array, damaged compression).
 *
 * @example
 * ```ts
 * const rows = readJsonLines('tickets.jsonl.gz', { text: ['subject', 'body'], label: 'tags' });
 * const { dataset } = await collect(rows, { multiLabel: true });
 * ```
 */
export function readJsonLines(input: Input, options: ReadJsonLinesOptions): FileRows<Row> {
  checkOptionNames('readJsonLines', options, [...JSON_OPTION_NAMES, 'label', 'labelSeparator']);
  return jsonRows(sourceOf(input), options);
}

/** @internal */
export const JSON_OPTION_NAMES = ['text', 'onBadRow', 'encoding', 'maxRowBytes'] as const;

/** @internal */
export function jsonRows(source: Source, options: ReadJsonLinesOptions): FileRows<Row> {
  const { labelSeparator } = options;
  checkSeparator(labelSeparator);
  const text = names(textColumns(options.text));
  const label = names([checkColumn('label', options.label)])[0]!;
  return objects(source, options, (record, line, refuse) => ({
    text: textOf(fieldsOf(record, text), refuse),
    label: labelOf(fieldsOf(record, [label])[0]!, labelSeparator, refuse),
    line,
  }));
}

/** @internal */
export function jsonTexts(source: Source, options: Omit<ReadJsonLinesOptions, 'label'>): FileRows<UnlabelledText> {
  const text = names(textColumns(options.text));
  return objects(source, options, (record, line, refuse) => ({ text: textOf(fieldsOf(record, text), refuse), line }));
}

/** An object of a line of JSON. */
export type JsonObject = Readonly<Record<string, unknown>>;
type MakeRow<R> = (record: JsonObject, line: number, refuse: (message: string) => DataError) => R;

/** JSON has names alone: a number is one too. */
function names(columns: readonly Column[]): string[] {
  return columns.map(String);
}

/**
 * Fields of an object, by their names.
 *
 * @internal
 */
export function fieldsOf(record: JsonObject, wanted: readonly string[]): Field[] {
  return wanted.map((name) => ({ name, value: Object.hasOwn(record, name) ? record[name] : undefined }));
}

/**
 * Rows that are made from one object a line.
 *
 * @internal
 */
export function objects<R>(
  source: Source,
  options: LineOptions & { onBadRow?: OnBadRow | undefined },
  make: MakeRow<R>,
): FileRows<R> {
  const settings = lineSettings(options);
  return fileRows(source, options.onBadRow, (opened, bad) => read(opened, bad, settings, make));
}

async function* read<R>(
  source: Source,
  bad: BadRows,
  settings: LineSettings,
  make: MakeRow<R>,
): AsyncGenerator<R, void, undefined> {
  const { file } = source;
  for await (const { lines, first } of lineBlocks(source, settings)) {
    for (let i = 0; i < lines.length; i++) {
      const json = lines[i]!;
      if (json.trim() === '') continue;
      const line = first + i;
      const row = bad.make(() => {
        const refuse = (message: string) => new DataError('INVALID_ROW', message, { file, line });
        return make(parse(json, line, file), line, refuse);
      });
      if (row !== undefined) yield row;
    }
  }
}

function parse(json: string, line: number, file: string | undefined): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    if (line === 1 && /^\s*\[/.test(json)) throw arrayError(file);
    const nan = /\b(NaN|Infinity)\b/.test(json) ? '; NaN and Infinity are not JSON: write null' : '';
    const message = `the line is not JSON (${(cause as Error).message})${nan}; expected one object a line`;
    throw new DataError('INVALID_ROW', message, { file, line }, { cause });
  }
  if (line === 1 && Array.isArray(value)) throw arrayError(file);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DataError('INVALID_ROW', 'the line is not a JSON object such as {"text": "...", "label": "..."}', {
      file,
      line,
    });
  }
  return value as JsonObject;
}

function arrayError(file: string | undefined): DataError {
  const message =
    'the file is one JSON array; expected one object a line. Convert it with jq -c .[] or, in pandas, ' +
    "to_json(path, orient='records', lines=True)";
  return new DataError('INVALID_FILE', message, { file, line: 1 });
}
