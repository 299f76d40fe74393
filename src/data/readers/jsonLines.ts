import { DataError } from '../../core/errors.js';
import { checkNames, settingsOf, type TableOf } from '../../core/options/table.js';
import { givenColumns, type RowColumns } from './columns.js';
import {
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
import { lineBlocks } from './lines.js';
import {
  COLUMNS,
  FILE_TEXT,
  type FileTextOptions,
  type FileTextSettings,
  GROUP,
  type GroupOption,
  KEEP,
  type KeepOption,
  type LabelSeparatorOption,
  type PairColumns,
  pairColumns,
} from './options.js';
import type { Reading } from './reading.js';
import type { Pair, Row, UnlabelledText } from './rows.js';
import { type FileRows, fileRows, type Input, type Source, sourceOf } from './source.js';

/** Options of {@link readJsonLines}. */
export interface ReadJsonLinesOptions extends FileTextOptions, LabelSeparatorOption, GroupOption {
  /** Field of the text, or several fields, joined by a space; of several, some may be null. */
  text: Column | readonly Column[];
  /** Field of the label: a string, a number, a boolean, or an array of them for several labels. */
  label: Column;
}

/** The table of {@link ReadJsonLinesOptions}. */
const JSON_LINES = { ...COLUMNS, ...GROUP, ...FILE_TEXT } as const satisfies TableOf<ReadJsonLinesOptions>;

/**
 * Reads texts and labels from JSON lines (`.jsonl`, `.ndjson`): one object per line. gzip and zstd are decompressed,
 * and blank lines skipped. Numbers and booleans become text as JavaScript writes them: `1.0` gives the label `1`.
 *
 * @param input - Path of the file, `-` for standard input, or a stream of bytes.
 * @param options - Which fields, and how the file is written; see {@link ReadJsonLinesOptions}.
 * @returns Rows for `for await`, `TextClassifier.train`, {@link encodeDataset} or {@link collect}; the file is opened
 * when iteration starts.
 * @throws {@link ArgumentError} at once for invalid options. While reading {@link DataError} with file and line:
 * `FILE_NOT_FOUND`, `IO`, `INVALID_ROW` (not an object, a field that is missing, null or of another type, a number that
 * loses digits, bytes that are not UTF-8, a line too long), `INVALID_FILE` (one JSON array, damaged compression).
 *
 * @example
 * ```ts
 * const rows = readJsonLines('tickets.jsonl.gz', { text: ['subject', 'body'], label: 'tags' });
 * const { dataset } = await collect(rows, { multiLabel: true });
 * ```
 */
export function readJsonLines(input: Input, options: ReadJsonLinesOptions): FileRows<Row> {
  checkNames('readJsonLines', options, JSON_LINES);
  return jsonRows(sourceOf(input), options);
}

/** @internal */
export function jsonRows(source: Source, options: ReadJsonLinesOptions): FileRows<Row> {
  const settings = settingsOf(JSON_LINES, options);
  const text = names(textColumns(options.text));
  const label = names([checkColumn('label', options.label)]);
  const { labelSeparator } = settings;
  const group = names(settings.group === undefined ? [] : [settings.group]);
  const make: MakeLineRow<Row> = (record, line, refuse, _, empty) => {
    const row = {
      text: textOf(fieldsOf(record, text), refuse, empty),
      label: labelOf(fieldsOf(record, label)[0]!, labelSeparator, refuse),
    };
    const [field] = fieldsOf(record, group);
    return field ? { ...row, group: groupOf(field, refuse), line } : { ...row, line };
  };
  return objects(source, settings, make, givenColumns({ text, label: label[0], labelSeparator }));
}

/** @internal */
export function jsonTexts(
  source: Source,
  options: Omit<ReadJsonLinesOptions, 'label'> & KeepOption,
): FileRows<UnlabelledText> {
  const settings = settingsOf(FILE_TEXT, options);
  const text = names(textColumns(options.text));
  const keep = keptFields(options);
  const make: MakeLineRow<UnlabelledText> = (record, line, refuse, _, empty) => ({
    text: textOf(fieldsOf(record, text), refuse, empty),
    ...keep(record, refuse),
    line,
  });
  return objects(source, settings, make, givenColumns({ text }));
}

/**
 * Takes the fields that are carried over out of an object.
 *
 * @internal
 */
export function keptFields(
  options: KeepOption,
): (record: JsonObject, refuse: (message: string) => DataError) => Pick<UnlabelledText, 'kept'> {
  const keep = names(settingsOf(KEEP, options).keep ?? []);
  if (keep.length === 0) return () => ({});
  return (record, refuse) => ({ kept: keptOf(fieldsOf(record, keep), refuse) });
}

/** @internal */
export function jsonPairs(source: Source, options: FileTextOptions & PairColumns): FileRows<Pair> {
  const settings = settingsOf(FILE_TEXT, options);
  const sides = names(pairColumns(options));
  const make: MakeLineRow<Pair> = (record, line, refuse) => {
    const [from, to] = fieldsOf(record, sides);
    return { source: sideOf(from!, refuse), target: sideOf(to!, refuse), line };
  };
  return objects(source, settings, make, givenColumns({ source: sides[0], target: sides[1] }));
}

/** An object of a line of JSON. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Makes a row from an object. */
export type MakeRow<R> = (record: JsonObject, line: number, refuse: (message: string) => DataError) => R;

/** Like {@link MakeRow}, but also receives the original line, and what to call for an empty field of several. */
type MakeLineRow<R> = (...made: [...Parameters<MakeRow<R>>, json: string, empty: (name: string) => void]) => R;

/** JSON has only names: a number is a name too. */
function names(columns: readonly Column[]): string[] {
  return columns.map(String);
}

/**
 * Fields of an object, by their names.
 *
 * @internal
 */
export function fieldsOf(record: JsonObject, wanted: readonly string[]): Field[] {
  return wanted.map((name) => {
    if (Object.hasOwn(record, name)) return { name, value: record[name] };
    return { name, value: undefined, hint: there(name, Object.keys(record)) };
  });
}

/**
 * Makes rows from one object per line.
 *
 * @internal
 */
export function objects<R>(
  source: Source,
  settings: FileTextSettings,
  make: MakeLineRow<R>,
  columns?: RowColumns,
): FileRows<R> {
  return fileRows(source, settings, (opened, reading) => read(opened, reading, settings, make), columns);
}

async function* read<R>(
  source: Source,
  reading: Reading,
  settings: FileTextSettings,
  make: MakeLineRow<R>,
): AsyncGenerator<R, void, undefined> {
  const { file } = source;
  for await (const { lines, first } of lineBlocks(source, settings, reading)) {
    for (let i = 0; i < lines.length; i++) {
      const json = lines[i]!;
      if (json.trim() === '') continue;
      const line = first + i;
      const row = reading.make(() => {
        const refuse = (message: string) => new DataError('INVALID_ROW', message, { file, line });
        return make(parse(json, line, file), line, refuse, json, reading.emptyCell);
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
    const message = `the line is not JSON (${(cause as Error).message})${nan}; expected one object per line`;
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
    'the file is one JSON array; expected one object per line. Convert it with jq -c .[] or, in pandas, ' +
    "to_json(path, orient='records', lines=True)";
  return new DataError('INVALID_FILE', message, { file, line: 1 });
}
