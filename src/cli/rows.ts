import { type Stats, statSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { constraint } from '../core/errors.js';
import { choice } from '../core/options/kinds.js';
import type { OptionTable } from '../core/options/table.js';
import { jsonLine, note } from '../core/terminal.js';
import type { Column } from '../data/readers/fields.js';
import {
  PAIR_COLUMNS,
  PAIRS,
  type ReadProgress,
  ROW_FORMATS,
  ROWS,
  type RowFormat,
  TEXTS,
} from '../data/readers/options.js';
import { type ReadPairsOptions, readPairs } from '../data/readers/readPairs.js';
import {
  type ReadRowsOptions,
  type ReadTextsOptions,
  readRows,
  readTexts,
  readTextsOrTokens,
} from '../data/readers/readRows.js';
import {
  type ReadTagsOptions,
  readTags,
  TAG_FORMATS,
  TAGS,
  type TagFileRows,
  type TagFormat,
} from '../data/readers/readTags.js';
import {
  filesInWords,
  type Pair,
  type Row,
  skippedRows,
  type Tokens,
  type UnlabelledText,
} from '../data/readers/rows.js';
import { severalRows } from '../data/readers/several.js';
import type { FileRows } from '../data/readers/source.js';
import { readWholeText } from '../data/readers/wholeText.js';
import type { TagScheme } from '../text/tags/scheme.js';
import { addFlags, addMissingFlags, flagName, givenOptions } from './flags.js';

/** Flags that are not rows of an option table. */
export interface TextFlags {
  quote?: string;
  header?: boolean;
  skipBadRows?: boolean;
}

/** The flag of columns that are carried over. */
export interface KeepFlag {
  keep?: readonly Column[];
}

/** The option of columns that are carried over; only some commands have its flag. */
function keptColumns({ keep }: KeepFlag): Pick<ReadTextsOptions, 'keep'> {
  return keep === undefined ? {} : { keep };
}

/** Flags of a file of labelled texts, or of sentences with tags. */
export interface RowFlags extends TextFlags {
  format?: RowFormat | TagFormat;
  text?: Column | readonly Column[];
  group?: Column;
  scheme?: TagScheme | null;
}

/** The options of labelled texts that every command with rows has; groups matter only where rows are split. */
const { group: _, ...LABELLED } = ROWS;

/** The tables of both kinds of files. */
const ROW_FLAGS = {
  ...LABELLED,
  format: { ...ROWS.format, kind: choice([...ROW_FORMATS, ...TAG_FORMATS]) },
} as const;

/** Adds the flags that say where a file's texts are and how it is written. */
export function textFlags(command: Command): Command {
  return otherFlags(addFlags(command, TEXTS));
}

/** Adds the flags that say where a file's texts and labels, tags or pairs are and how it is written. */
export function rowFlags(command: Command): Command {
  return addMissingFlags(taggedTextFlags(command), PAIR_COLUMNS, 'of pairs: ');
}

/** Adds the flags that say where a file's texts and labels or tags are and how it is written. */
export function taggedTextFlags(command: Command): Command {
  const { format: _, ...tags } = TAGS;
  return otherFlags(addMissingFlags(addFlags(command, ROW_FLAGS), tags, 'of tokens with tags: '));
}

/** Adds the flags that say where a file's texts and labels are, without those of tags. */
export function labelledTextFlags(command: Command): Command {
  return otherFlags(addFlags(command, LABELLED));
}

function otherFlags(command: Command): Command {
  return command
    .addOption(new Option('--header', 'the first line names the columns (the default when columns are given by name)'))
    .addOption(new Option('--no-header', 'the first line is a row (the default when columns are given by number)'))
    .option('--skip-bad-rows', 'skip invalid rows and report how many, instead of stopping with an error');
}

/** Options from the flags that are not rows of an option table. */
function otherOptions({
  header,
  skipBadRows,
  quote,
}: Pick<TextFlags, 'header' | 'skipBadRows' | 'quote'>): Pick<ReadRowsOptions, 'header' | 'onBadRow' | 'quote'> {
  return {
    ...(header === undefined ? {} : { header }),
    ...(skipBadRows ? { onBadRow: 'skip' } : {}),
    // A commander parser cannot return null.
    ...(quote === 'none' ? { quote: null } : {}),
  };
}

/** Opens files of labelled texts as the flags say; `onProgress` reports how far they have been read. */
export function openRows(
  files: string | readonly string[],
  flags: RowFlags,
  onProgress?: (progress: ReadProgress) => void,
): FileRows<Row> {
  return readRows(files, { ...givenOptions<ReadRowsOptions>(ROWS, flags), ...otherOptions(flags), onProgress });
}

/** Opens files of pairs as the flags say; `onProgress` reports how far they have been read. */
export function openPairs(
  files: string | readonly string[],
  flags: RowFlags,
  onProgress?: (progress: ReadProgress) => void,
): FileRows<Pair> {
  return readPairs(files, { ...givenOptions<ReadPairsOptions>(PAIRS, flags), ...otherOptions(flags), onProgress });
}

/**
 * Refuses a source that cannot be read twice (standard input, or a pipe such as `<(zcat ...)`) where the rows are read
 * more than once.
 *
 * @throws ArgumentError whose message begins with `why`.
 */
export function checkReadAgain(option: string, files: string | readonly string[], why: string): void {
  for (const file of [files].flat()) checkRegular(option, file, why);
}

function checkRegular(option: string, file: string, why: string): void {
  let place = 'standard input';
  if (file !== '-') {
    // The reader reports a path that cannot be examined.
    let found: Stats | undefined;
    try {
      found = statSync(file, { throwIfNoEntry: false });
    } catch {}
    if (!found || found.isFile() || found.isDirectory()) return;
    place = `${file}, which is not a regular file`;
  }
  throw constraint(option, `${why}; give a file instead of ${place}`);
}

/** Names of files without tags; .tsv is a common name for tokens with tags. */
const WITHOUT_TAGS = /\.(csv|parquet|pq)(\.(gz|gzip|zst|zstd))?$/i;

/**
 * Opens files of sentences with tags or spans as the flags say; `onProgress` reports how far they have been read.
 *
 * @throws ArgumentError for flags that do not apply to such a file.
 */
export function openTags(
  files: string | readonly string[],
  flags: RowFlags,
  onProgress?: (progress: ReadProgress) => void,
): TagFileRows {
  refuseFlags(flags, ROWS, [TAGS], 'a file of tags');
  const { format, text, header, skipBadRows, scheme } = flags;
  if (Array.isArray(text) && text.length > 1)
    throw constraint('text', 'a text with spans is in one field; give --text once');
  const known = format === 'jsonl' ? 'spans' : format;
  if (known !== undefined && !TAG_FORMATS.some((name) => name === known))
    throw constraint('format', `a file of tags is written as ${TAG_FORMATS.join(', ')} or jsonl, not as ${known}`);
  const table = [files].flat().find((file) => WITHOUT_TAGS.test(file));
  if (known === undefined && table !== undefined)
    throw constraint(
      'file',
      `${table} is a table of texts by its name, but a tagger needs tokens with tags (.conll, .conllu) or texts with spans (.jsonl); ` +
        'give --format if it is one of these',
    );
  const { format: _, text: __, ...options } = givenOptions<ReadTagsOptions>(TAGS, flags);
  return readTags(files, {
    ...options,
    ...(known === undefined ? {} : { format: known as TagFormat }),
    ...(text === undefined ? {} : { text: [text].flat()[0] as Column }),
    ...(header === undefined ? {} : { header }),
    ...(skipBadRows ? { onBadRow: 'skip' as const } : {}),
    ...(scheme === undefined ? {} : { scheme }),
    onProgress,
  });
}

/**
 * Refuses given flags that do not apply.
 *
 * @param table - The options whose flags are checked.
 * @param used - The options that apply.
 */
export function refuseFlags(flags: object, table: OptionTable, used: readonly OptionTable[], what: string): void {
  for (const name of Object.keys(givenOptions(table, flags))) {
    if (!used.some((each) => Object.hasOwn(each, name)))
      throw constraint(name, `${flagName(name)} does not apply to ${what}`);
  }
}

/** Opens files of texts as the flags say; `onProgress` reports how far they have been read. */
export function openTexts(
  files: string | readonly string[],
  flags: TextFlags & KeepFlag,
  onProgress?: (progress: ReadProgress) => void,
): FileRows<UnlabelledText> {
  return readTexts(files, {
    ...givenOptions<ReadTextsOptions>(TEXTS, flags),
    ...keptColumns(flags),
    ...otherOptions(flags),
    onProgress,
  });
}

/**
 * Opens a file of texts, or of sentences of tokens, as the flags say; `onProgress` reports how far it has been read.
 */
export function openTextsOrTokens(
  file: string,
  flags: TextFlags & KeepFlag,
  onProgress?: (progress: ReadProgress) => void,
): FileRows<UnlabelledText | Tokens> {
  return readTextsOrTokens(file, {
    ...givenOptions<ReadTextsOptions>(TEXTS, flags),
    ...keptColumns(flags),
    ...otherOptions(flags),
    onProgress,
  });
}

/**
 * Opens files of texts that a language model learns from: a `.txt` file and standard input are one text; in other
 * files each line or row is a text. An explicit format means that the texts are in rows.
 */
export function openCorpus(
  files: string | readonly string[],
  flags: TextFlags & { encoding?: string; format?: string },
  onProgress?: (progress: ReadProgress) => void,
): FileRows<UnlabelledText> {
  const { encoding } = flags;
  return severalRows<UnlabelledText>(files, (input) => {
    if (isWholeText(String(input), flags))
      return readWholeText(input, { ...(encoding === undefined ? {} : { encoding }), onProgress });
    return readTexts(input, { ...givenOptions<ReadTextsOptions>(TEXTS, flags), ...otherOptions(flags), onProgress });
  });
}

function isWholeText(file: string, { format }: { format?: string }): boolean {
  return format === undefined && (file === '-' || /\.txt(\.(gz|gzip|zst|zstd))?$/i.test(file));
}

/**
 * Refuses flags that say where texts are in rows, if a file is read as one text.
 *
 * @throws ArgumentError
 */
export function checkCorpusFlags(file: string, flags: TextFlags & { format?: string }): void {
  if (!isWholeText(file, flags)) return;
  // Any file has an encoding.
  const [flag] = givenTextFlags(flags).filter((name) => name !== flagName('encoding'));
  if (flag === undefined) return;
  const name = file === '-' ? 'standard input' : file;
  throw constraint('file', `${name} is read as one text, so ${flag} does not apply; give --format if it has rows`);
}

/** Names of files that have fields. */
const WITH_FIELDS = /\.(csv|tsv|tab|jsonl|ndjson|jsonlines|json|parquet|pq)(\.(gz|gzip|zst|zstd))?$/i;

/**
 * Opens a file of unlabelled texts. If its name suggests fields, it has the fields of the rows; otherwise each line is
 * a text. Its format may differ from that of the rows.
 */
export function openUnlabelled(
  file: string,
  { format: _, ...flags }: RowFlags & { format?: string },
): FileRows<UnlabelledText> {
  if (WITH_FIELDS.test(file)) return openTexts(file, flags);
  return readTexts(file, { format: 'lines' });
}

/** The flags of a file of texts that were given, as they are typed. */
export function givenTextFlags(flags: TextFlags): string[] {
  const given = Object.keys(givenOptions(TEXTS, flags)).map(flagName);
  if (flags.header !== undefined) given.push(flags.header ? '--header' : '--no-header');
  if (flags.skipBadRows) given.push('--skip-bad-rows');
  return given;
}

/** Prints how many rows were skipped and why, if any. */
export function noteSkipped(rows: FileRows<unknown>): void {
  const { skipped, firstSkipped } = rows;
  if (skipped === 0) return;
  note(`recurra: ${skippedRows(skipped, ` of ${filesInWords(rows)}`)}; the first: ${firstSkipped?.message}`);
}

/** Prints warnings about data that may be read differently from what was meant. */
export function noteWarnings(rows: FileRows<unknown>, json: boolean): void {
  for (const { code, message } of rows.warnings) {
    if (json) jsonLine({ event: 'warning', about: 'rows', code, message });
    note(`recurra: warning: ${message} [${code}]`);
  }
}
