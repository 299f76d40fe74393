import { TextDecoder } from 'node:util';
import { invalidArgument } from '../../core/errors.js';
import { callback, choice, custom, flag, integer, text } from '../../core/options/kinds.js';
import { option, type SettingsOf, settingsOf, type TableOf } from '../../core/options/table.js';
import { type Column, checkColumn, textColumns } from './fields.js';

/** What a reader does with a row that does not fit: end with the error, or leave it out and count it. */
export type OnBadRow = 'error' | 'skip';

/**
 * Encodings of text files: these, or any other name that `TextDecoder` knows, such as `gb18030` or `windows-1251`. `latin1` is
 * read as browsers read it, as windows-1252.
 */
export type TextEncoding = 'utf8' | 'utf16le' | 'utf16be' | 'latin1' | (string & {});

/** How a file of labelled texts is written. */
export type RowFormat = 'csv' | 'tsv' | 'jsonl' | 'fasttext' | 'parquet';

/** How a file of texts is written; `lines`: each line is a text. */
export type TextFormat = RowFormat | 'lines';

/** How far the reading of a file has come, as {@link ReadingOptions.onProgress} sees it. */
export interface ReadProgress {
  /** Path of the file as it was given, `stdin` for standard input, undefined for a stream. */
  file: string | undefined;
  /** Bytes of the file that were read so far, compressed ones as they are. */
  bytes: number;
  /** Bytes of the file; undefined where that is not known. */
  totalBytes: number | undefined;
  /** Rows that were read so far. */
  rows: number;
}

/** Options of every reader. */
export interface ReadingOptions {
  /**
   * What to do with a row that does not fit (another number of fields, an empty label): an error, or with `'skip'` leave it
   * out and count it in `skipped`. Default `'error'`.
   */
  onBadRow?: OnBadRow | undefined;
  /** Called while the file is read, at most about ten times a second, and at its end. */
  onProgress?: ((progress: ReadProgress) => void) | undefined;
}

/** How a file of text is written. */
export interface FileTextOptions extends ReadingOptions {
  /**
   * How the file is encoded: `utf8`, `utf16le`, `utf16be`, `latin1`, or another name that `TextDecoder` knows. Default: UTF-16 if it begins
   * with a byte order mark of it, else UTF-8.
   */
  encoding?: TextEncoding | undefined;
  /** Longest row in bytes, so that a quote without its end does not read the whole file into memory. Default 16,777,216 (16 MiB). */
  maxRowBytes?: number | undefined;
}

/** How a CSV or TSV file is written. */
export interface TableTextOptions extends FileTextOptions {
  /** Whether the first row has the names of the columns. Default: true if a column is given by name, else false. */
  header?: boolean | undefined;
  /**
   * What stands between two fields. Default: what a first line such as `sep=;` says; else a tab for files named `.tsv` or `.tab`,
   * a comma for others. Compressed files count by the name before `.gz` or `.zst`.
   */
  delimiter?: string | undefined;
  /** What encloses fields that have delimiters, line ends or (doubled) quotes; `null`: nothing does. Default `"`. */
  quote?: string | null | undefined;
}

/** How several labels stand in one field. */
export interface LabelSeparatorOption {
  /**
   * What stands between the labels of a row, such as `|`; rows then have an array of labels, for a multi-label set. Blanks
   * around labels and empty ones are left out. Default: none, each row has one label.
   */
  labelSeparator?: string | undefined;
}

/** How fastText's labels are written. */
export interface LabelPrefixOption {
  /** What labels begin with. Default `__label__`. */
  labelPrefix?: string | undefined;
}

/** Names of encodings that have a short name of their own here, as `TextDecoder` calls them. */
const ENCODINGS: Readonly<Record<string, string>> = {
  utf8: 'utf-8',
  utf16le: 'utf-16le',
  utf16be: 'utf-16be',
  latin1: 'windows-1252',
};

const ENCODING = "'utf8', 'utf16le', 'utf16be', 'latin1' or another name that TextDecoder knows";

/** The name of an encoding as `TextDecoder` calls it. */
function decoderName(name: string, value: unknown): string {
  if (typeof value === 'string') {
    try {
      return new TextDecoder(ENCODINGS[value] ?? value).encoding;
    } catch {
      // Said below.
    }
  }
  throw invalidArgument(name, ENCODING, value);
}

function checkQuote(name: string, value: unknown): string | null {
  if (value === null || (typeof value === 'string' && /^[^\r\n]+$/.test(value))) return value;
  throw invalidArgument(name, 'a non-empty string or null', value);
}

function checkPrefix(name: string, value: unknown): string {
  if (typeof value === 'string' && /^\S+$/.test(value)) return value;
  throw invalidArgument(name, 'a string without blanks', value);
}

/** A column as it is typed: digits mean its number, counted from 1; in double quotes they are a name. */
export function typedColumn(typed: string): Column {
  if (/^[1-9]\d*$/.test(typed)) return Number(typed);
  return /^"\d+"$/.test(typed) ? typed.slice(1, -1) : typed;
}

/** A delimiter as it is typed: a shell makes it hard to type a tab. */
const typedDelimiter = (typed: string): string => (typed === '\\t' ? '\t' : typed);

const COLUMN = 'column or field by name, or column by its number from 1';
const COLUMN_WORDS = 'the name of a column or its number, from 1';

/** The table of {@link ReadingOptions}. */
const READING = {
  onBadRow: option(choice(['error', 'skip'] as const), {
    default: 'error',
    help: 'what to do with a row that does not fit: end with an error, or leave it out and count it',
  }),
  onProgress: option(callback<(progress: ReadProgress) => void>(), {
    help: 'called while the file is read, with `file`, `bytes`, `totalBytes` and `rows`',
  }),
} as const satisfies TableOf<ReadingOptions>;

/** The table of {@link FileTextOptions}. */
export const FILE_TEXT = {
  encoding: option(custom<TextEncoding, string>(ENCODING, decoderName), {
    defaultText: 'UTF-16 if it begins with a byte order mark of it, else UTF-8',
    flag: '<name>',
    help: 'how the file is encoded: `utf8`, `utf16le`, `utf16be`, `latin1`, or another name that `TextDecoder` knows',
  }),
  maxRowBytes: option(integer(1), {
    default: 2 ** 24,
    defaultText: '16,777,216',
    flag: '<n>',
    help: 'longest row in bytes',
  }),
  ...READING,
} as const satisfies TableOf<FileTextOptions>;

/** The table of {@link TableTextOptions}. */
export const TABLE_TEXT = {
  header: option(flag, {
    defaultText: 'true if a column is given by name, else false',
    help: 'whether the first row has the names of the columns',
  }),
  delimiter: option(text('a non-empty string'), {
    defaultText: 'what a first line such as sep=; says; else a tab for files named .tsv or .tab, a comma for others',
    flag: '<character>',
    help: 'what stands between two fields; `\\t` for a tab',
    parse: typedDelimiter,
  }),
  quote: option(custom<string | null>('a non-empty string or null', checkQuote), {
    default: '"',
    flag: '<character>',
    help: 'what encloses fields that have delimiters, line ends or (doubled) quotes; `null`: nothing does',
    flagHelp: 'what encloses fields that have delimiters, line ends or (doubled) quotes; none: nothing does',
  }),
  ...FILE_TEXT,
} as const satisfies TableOf<TableTextOptions>;

/** The table of {@link LabelSeparatorOption}. */
export const LABEL_SEPARATOR = {
  labelSeparator: option(text('a non-empty string'), {
    defaultText: 'none',
    flag: '<characters>',
    help: 'what stands between several labels of a row, such as `|`',
  }),
} as const satisfies TableOf<LabelSeparatorOption>;

/** The table of {@link LabelPrefixOption}. */
export const LABEL_PREFIX = {
  labelPrefix: option(custom<string>('a string without blanks', checkPrefix), {
    default: '__label__',
    flag: '<characters>',
    help: "what labels of fastText's format begin with",
  }),
} as const satisfies TableOf<LabelPrefixOption>;

/** The row of the option `text`. */
const TEXT_COLUMN = option(
  custom<Column | readonly Column[], Column[]>(COLUMN_WORDS, (_, value) => textColumns(value as Column)),
  {
    flag: '<column>',
    help: 'column or field of the text, or several that are joined by a blank',
    flagHelp: `${COLUMN}, of the text; give it again to join several`,
    parse: (typed, before) => [...((before as Column[] | undefined) ?? []), typedColumn(typed)],
    repeatable: true,
  },
);

/** The row of the option `label`. */
const LABEL_COLUMN = option(
  custom<Column>(COLUMN_WORDS, (name, value) => checkColumn(name, value as Column)),
  {
    flag: '<column>',
    help: 'column or field of the label',
    flagHelp: `${COLUMN}, of the label`,
    parse: typedColumn,
  },
);

/** The columns of a text and its label, and how several labels are written. */
export const COLUMNS = { text: TEXT_COLUMN, label: LABEL_COLUMN, ...LABEL_SEPARATOR } as const;

/** Where the sides of a pair are. */
export interface PairColumns {
  /** Column or field of the source, by name, or a column by its number from 1. Default `'source'`. */
  source?: Column | undefined;
  /** Column or field of the target. Default `'target'`. */
  target?: Column | undefined;
}

const pairColumn = (side: 'source' | 'target') =>
  option(
    custom<Column>(COLUMN_WORDS, (name, value) => checkColumn(name, value as Column)),
    {
      default: side,
      flag: '<column>',
      help: `column or field of the ${side}`,
      flagHelp: `${COLUMN}, of the ${side}`,
      parse: typedColumn,
    },
  );

/** The table of {@link PairColumns}. */
export const PAIR_COLUMNS = {
  source: pairColumn('source'),
  target: pairColumn('target'),
} as const satisfies TableOf<PairColumns>;

/** The columns of both sides. */
export function pairColumns(options: PairColumns): [source: Column, target: Column] {
  const { source, target } = settingsOf(PAIR_COLUMNS, options);
  return [source, target];
}

/** How a file of pairs is written. */
export type PairFormat = Exclude<RowFormat, 'fasttext'>;

/** What stands in a table of a file's rows. */
const FORMAT = { help: 'how the file is written', defaultText: 'by its name, else by its content', flag: '<format>' };
export const ROW_FORMATS = ['csv', 'tsv', 'jsonl', 'fasttext', 'parquet'] as const satisfies readonly RowFormat[];
const TEXT_FORMATS = [...ROW_FORMATS, 'lines'] as const;

/** The options of `readRows`. */
export const ROWS = {
  format: option(choice(ROW_FORMATS), FORMAT),
  ...COLUMNS,
  ...LABEL_PREFIX,
  ...TABLE_TEXT,
} as const;

/** The options of `readPairs`. */
export const PAIRS = {
  format: option(choice(['csv', 'tsv', 'jsonl', 'parquet'] as const satisfies readonly PairFormat[]), FORMAT),
  ...PAIR_COLUMNS,
  ...TABLE_TEXT,
} as const;

/** The options of `readTexts`. */
export const TEXTS = {
  format: option(choice(TEXT_FORMATS), FORMAT),
  text: TEXT_COLUMN,
  ...LABEL_PREFIX,
  ...TABLE_TEXT,
} as const;

/** Checked {@link ReadingOptions}. */
export type ReadingSettings = SettingsOf<typeof READING>;

/** Checked {@link FileTextOptions}. */
export type FileTextSettings = SettingsOf<typeof FILE_TEXT>;

/** Checked {@link TableTextOptions}. */
export type TableTextSettings = SettingsOf<typeof TABLE_TEXT>;

/** The table of {@link ReadingOptions}, for readers of files that are no text. */
export { READING };
