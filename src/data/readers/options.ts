import { TextDecoder } from 'node:util';
import { typedByteSize } from '../../core/byteSize.js';
import { invalidArgument } from '../../core/errors.js';
import { callback, choice, custom, flag, integer, text } from '../../core/options/kinds.js';
import { option, type SettingsOf, settingsOf, type TableOf } from '../../core/options/table.js';
import { type Column, checkColumn, textColumns } from './fields.js';

/** What a reader does with an invalid row: stop with the error, or skip and count it. */
export type OnBadRow = 'error' | 'skip';

/**
 * Encodings of text files: these, or any other name that `TextDecoder` knows, such as `gb18030` or `windows-1251`.
 * `latin1` means windows-1252, as in browsers.
 */
export type TextEncoding = 'utf8' | 'utf16le' | 'utf16be' | 'latin1' | (string & {});

/** How a file of labelled texts is written. */
export type RowFormat = 'csv' | 'tsv' | 'jsonl' | 'fasttext' | 'parquet';

/** How a file of texts is written; `lines`: each line is a text. */
export type TextFormat = RowFormat | 'lines';

/** Progress of reading a file, as passed to {@link ReadingOptions.onProgress}. */
export interface ReadProgress {
  /** Path of the file as given, `stdin` for standard input, undefined for a stream. */
  file: string | undefined;
  /** Bytes of the file read so far; for compressed files, compressed bytes. */
  bytes: number;
  /** Size of the file in bytes; undefined if unknown. */
  totalBytes: number | undefined;
  /** Rows read so far. */
  rows: number;
}

/** Options of every reader. */
export interface ReadingOptions {
  /**
   * What to do with an invalid row (wrong number of fields, an empty label): throw, or with `'skip'` skip it and count
   * it in `skipped`. Default `'error'`.
   */
  onBadRow?: OnBadRow | undefined;
  /** Called while the file is read, at most about ten times a second, and at its end. */
  onProgress?: ((progress: ReadProgress) => void) | undefined;
}

/** How a file of text is written. */
export interface FileTextOptions extends ReadingOptions {
  /**
   * Encoding of the file: `utf8`, `utf16le`, `utf16be`, `latin1`, or another name that `TextDecoder` knows. Default:
   * UTF-16 if the file starts with its byte order mark, otherwise UTF-8.
   */
  encoding?: TextEncoding | undefined;
  /**
   * Longest row in bytes, so that an unclosed quote does not read the whole file into memory. Default 16,777,216 (16
   * MiB).
   */
  maxRowBytes?: number | undefined;
}

/** How a CSV or TSV file is written. */
export interface TableTextOptions extends FileTextOptions {
  /**
   * Whether the first row has the names of the columns. Default: true if a column is given by name, otherwise false.
   */
  header?: boolean | undefined;
  /**
   * Field delimiter. Default: the one in a first line such as `sep=;`, otherwise a tab for files named `.tsv` or `.tab`
   * and a comma for others. For compressed files, the name before `.gz` or `.zst` counts.
   */
  delimiter?: string | undefined;
  /** Quote character of fields that contain delimiters, line ends or (doubled) quotes; `null` for none. Default `"`. */
  quote?: string | null | undefined;
}

/** How several labels are written in one field. */
export interface LabelSeparatorOption {
  /**
   * Separator of a row's labels, such as `|`; rows then have an array of labels, for a multi-label set. Labels are
   * trimmed, and empty ones skipped. Default: none, each row has one label.
   */
  labelSeparator?: string | undefined;
}

/** How fastText's labels are written. */
export interface LabelPrefixOption {
  /** Prefix of a label. Default `__label__`. */
  labelPrefix?: string | undefined;
}

/** Encodings with a short name, and their names in `TextDecoder`. */
const ENCODINGS: Readonly<Record<string, string>> = {
  utf8: 'utf-8',
  utf16le: 'utf-16le',
  utf16be: 'utf-16be',
  latin1: 'windows-1252',
};

const ENCODING = "'utf8', 'utf16le', 'utf16be', 'latin1' or another name that TextDecoder knows";

/** The name of an encoding in `TextDecoder`. */
function decoderName(name: string, value: unknown): string {
  if (typeof value === 'string') {
    try {
      return new TextDecoder(ENCODINGS[value] ?? value).encoding;
    } catch {
      // Reported below.
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

/** A column as typed on the command line: digits are its number, from 1; in double quotes they are a name. */
export function typedColumn(typed: string): Column {
  if (/^[1-9]\d*$/.test(typed)) return Number(typed);
  return /^"\d+"$/.test(typed) ? typed.slice(1, -1) : typed;
}

/** A delimiter as typed on the command line, where a tab is hard to type. */
const typedDelimiter = (typed: string): string => (typed === '\\t' ? '\t' : typed);

const COLUMN = 'column or field by name, or column by its number from 1';
const COLUMN_WORDS = 'the name of a column or its number, from 1';

/** The table of {@link ReadingOptions}. */
const READING = {
  onBadRow: option(choice(['error', 'skip'] as const), {
    default: 'error',
    help: 'what to do with an invalid row: stop with an error, or skip and count it',
  }),
  onProgress: option(callback<(progress: ReadProgress) => void>(), {
    help: 'called while the file is read, with `file`, `bytes`, `totalBytes` and `rows`',
  }),
} as const satisfies TableOf<ReadingOptions>;

/** The table of {@link FileTextOptions}. */
export const FILE_TEXT = {
  encoding: option(custom<TextEncoding, string>(ENCODING, decoderName), {
    defaultText: 'UTF-16 if the file starts with its byte order mark, otherwise UTF-8',
    flag: '<name>',
    help: 'encoding of the file: `utf8`, `utf16le`, `utf16be`, `latin1`, or another name that `TextDecoder` knows',
  }),
  maxRowBytes: option(integer(1), {
    default: 2 ** 24,
    defaultText: '16,777,216',
    flag: '<size>',
    help: 'longest row in bytes',
    flagHelp: 'longest row, such as 64MB',
    parse: typedByteSize,
  }),
  ...READING,
} as const satisfies TableOf<FileTextOptions>;

/** The table of {@link TableTextOptions}. */
export const TABLE_TEXT = {
  header: option(flag, {
    defaultText: 'true if a column is given by name, otherwise false',
    help: 'whether the first row has the names of the columns',
  }),
  delimiter: option(text('a non-empty string'), {
    defaultText:
      'the one in a first line such as sep=;, otherwise a tab for files named .tsv or .tab and a comma for others',
    flag: '<character>',
    help: 'field delimiter; `\\t` for a tab',
    parse: typedDelimiter,
  }),
  quote: option(custom<string | null>('a non-empty string or null', checkQuote), {
    default: '"',
    flag: '<character>',
    help: 'quote character of fields that contain delimiters, line ends or (doubled) quotes; `null` for none',
    flagHelp: 'quote character of fields that contain delimiters, line ends or (doubled) quotes; none for no quoting',
  }),
  ...FILE_TEXT,
} as const satisfies TableOf<TableTextOptions>;

/** The table of {@link LabelSeparatorOption}. */
export const LABEL_SEPARATOR = {
  labelSeparator: option(text('a non-empty string'), {
    defaultText: 'none',
    flag: '<characters>',
    help: "separator of a row's labels, such as `|`",
  }),
} as const satisfies TableOf<LabelSeparatorOption>;

/** The table of {@link LabelPrefixOption}. */
export const LABEL_PREFIX = {
  labelPrefix: option(custom<string>('a string without blanks', checkPrefix), {
    default: '__label__',
    flag: '<characters>',
    help: "prefix of labels in fastText's format",
  }),
} as const satisfies TableOf<LabelPrefixOption>;

/** The row of the option `text`. */
const TEXT_COLUMN = option(
  custom<Column | readonly Column[], Column[]>(COLUMN_WORDS, (_, value) => textColumns(value as Column)),
  {
    defaultText: 'text',
    flag: '<column>',
    help: 'column or field of the text, or several, joined by a space',
    flagHelp: `${COLUMN}, of the text; give it again to join several`,
    parse: (typed, before) => [...((before as Column[] | undefined) ?? []), typedColumn(typed)],
    repeatable: true,
  },
);

/** The row of the option `label`. */
const LABEL_COLUMN = option(
  custom<Column>(COLUMN_WORDS, (name, value) => checkColumn(name, value as Column)),
  {
    defaultText: 'label',
    flag: '<column>',
    help: 'column or field of the label',
    flagHelp: `${COLUMN}, of the label`,
    parse: typedColumn,
  },
);

/** The columns of a text and its label, and how several labels are written. */
export const COLUMNS = { text: TEXT_COLUMN, label: LABEL_COLUMN, ...LABEL_SEPARATOR } as const;

/** The column of what rows belong to. */
export interface GroupOption {
  /**
   * Column or field of what a row belongs to, such as a customer or a thread. Rows of the same group stay on one side
   * when validation rows are split off, as with scikit-learn's `groups`. A row with an empty field is a separate group.
   * Default: none.
   */
  group?: Column | undefined;
}

/** The table of {@link GroupOption}. */
export const GROUP = {
  group: option(
    custom<Column>(COLUMN_WORDS, (name, value) => checkColumn(name, value as Column)),
    {
      defaultText: 'none',
      flag: '<column>',
      help: 'column or field of what a row belongs to, such as a customer; its rows stay on one side when validation rows are split off',
      flagHelp: `${COLUMN}, of what a row belongs to, such as a customer; its rows stay on one side when --validation splits off a share`,
      parse: typedColumn,
    },
  ),
} as const satisfies TableOf<GroupOption>;

/** The columns that are carried over. */
export interface KeepOption {
  /**
   * Columns or fields to carry over to each row's `kept`, such as its id. Only for files with
   * columns. Default: none.
   */
  keep?: Column | readonly Column[] | undefined;
}

/** The table of {@link KeepOption}. */
export const KEEP = {
  keep: option(
    custom<Column | readonly Column[], Column[]>(COLUMN_WORDS, (name, value) => keptColumns(name, value as Column)),
    { defaultText: 'none', help: 'columns or fields to carry over to `kept` of each row, such as its id' },
  ),
} as const satisfies TableOf<KeepOption>;

function keptColumns(name: string, value: Column | readonly Column[]): Column[] {
  return (Array.isArray(value) ? value : [value]).map((column) => checkColumn(name, column));
}

/** The columns of a pair. */
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

/** The shared help of a format option. */
const FORMAT = {
  help: 'how the file is written',
  defaultText: 'by its name, otherwise by its content',
  flag: '<format>',
};
export const ROW_FORMATS = ['csv', 'tsv', 'jsonl', 'fasttext', 'parquet'] as const satisfies readonly RowFormat[];
const TEXT_FORMATS = [...ROW_FORMATS, 'lines'] as const;

/** The options of `readRows`. */
export const ROWS = {
  format: option(choice(ROW_FORMATS), FORMAT),
  ...COLUMNS,
  ...GROUP,
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
  text: { ...TEXT_COLUMN, defaultText: 'text, in a file with columns' },
  ...KEEP,
  ...LABEL_PREFIX,
  ...TABLE_TEXT,
} as const;

/** Checked {@link ReadingOptions}. */
export type ReadingSettings = SettingsOf<typeof READING>;

/** Checked {@link FileTextOptions}. */
export type FileTextSettings = SettingsOf<typeof FILE_TEXT>;

/** Checked {@link TableTextOptions}. */
export type TableTextSettings = SettingsOf<typeof TABLE_TEXT>;

/** The table of {@link ReadingOptions}, for readers of binary files. */
export { READING };
